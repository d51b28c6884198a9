"""What a net costs: parameters, multiply-accumulates, and its forward pass on a GPU."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from workers.models import build_model
from workers.models.spec import NetSpec


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def macs_of(spec: NetSpec, *, height: int, width: int) -> int:
    """For one image, without memory or time: on torch's meta device, which knows shapes only."""
    with torch.device("meta"):
        return count_macs(build_model(spec).eval(), torch.empty(1, spec.channels, height, width))


def count_macs(net: nn.Module, image: Tensor) -> int:
    """Of convolutions and matrix products. Torch counts a multiplication and its addition as two; here they are one."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(image)
    return int(counter.get_total_flops()) // 2


def has_cuda() -> bool:
    return torch.cuda.is_available()


def cuda_forward(net: nn.Module, image: NDArray[np.float32]) -> Callable[[], None]:
    """(H, W) once to the GPU; then each call is one forward pass in half precision, waited for, and no copy."""
    moved: nn.Module = net.eval().to("cuda", memory_format=torch.channels_last)  # type: ignore[call-overload]
    batch = torch.from_numpy(image)[None, None].to("cuda", memory_format=torch.channels_last)  # (1, 1, H, W)

    def forward() -> None:
        with torch.inference_mode(), torch.autocast("cuda"):
            moved(batch)
        torch.cuda.synchronize()

    return forward
