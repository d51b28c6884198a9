"""What runs a net: one runtime a file, all with one contract."""

from typing import Literal, Protocol, assert_never

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from config.training import DeviceName
from workers.errors import ModelError

EngineName = Literal["openvino", "torch"]


class EngineLost(Exception):
    """A pass that the device did not end: the process that holds it ends too, and its frames go to another."""


class Engine(Protocol):
    """(N, H, W) grey or (N, H, W, 3) float32 normalised → (N, H, W) float32 probability in 0..1.

    An image with NaN or infinity comes out as NaN, never as 0, and the others of its batch as they are alone.
    """

    @property
    def name(self) -> str: ...

    @property
    def batch_most(self) -> int:
        """Images of one pass; more than that are scored pass after pass."""
        ...

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]: ...


def open_engine(
    name: EngineName,
    model: nn.Module,
    *,
    height: int,
    width: int,
    threads: int,
    channels: int = 1,
    device: DeviceName = "auto",
    batch_most: int = 1,
) -> Engine:
    """The runtime is imported here, so that a worker pays for one only; ModelError where the device is not there."""
    match name:
        case "openvino":
            from workers.engines.openvino import OpenVinoEngine

            if device == "cuda":
                raise ModelError("model.device: 'cuda', but the engine 'openvino' runs on the CPU; 'torch' takes a GPU")
            return OpenVinoEngine(model, height=height, width=width, channels=channels, threads=threads)
        case "torch":
            from workers.engines.pytorch import TorchEngine

            found = torch.cuda.is_available()
            if device == "cuda" and not found:
                raise ModelError("model.device: 'cuda', but torch finds no such device; 'cpu' or 'auto' run without")
            return TorchEngine(
                model,
                channels=channels,
                threads=threads,
                device="cuda" if found and device != "cpu" else "cpu",
                batch_most=batch_most,
            )
        case _:
            assert_never(name)
