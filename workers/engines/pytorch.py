"""The reference engine: the net as it was trained, on the CPU; on CUDA in half precision."""

import copy
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from workers.engines import EngineLost
from workers.engines.passes import Planes, Probability, scored


class TorchEngine:
    """A failure of the device ends in EngineLost: what follows it on the same device cannot be trusted."""

    def __init__(
        self, model: nn.Module, *, channels: int, threads: int, device: Literal["cpu", "cuda"], batch_most: int
    ) -> None:
        torch.set_num_threads(threads)
        self.name = "torch-cuda" if device == "cuda" else "torch"
        self.batch_most = batch_most
        self._channels, self._device = channels, device
        self._half = torch.bfloat16
        try:
            if device == "cuda":
                model = copy.deepcopy(model)  # `to` moves a net itself, and the caller's stays where it is
                if not torch.cuda.is_bf16_supported(including_emulation=False):
                    self._half = torch.float16
            self._model = model.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        except RuntimeError as error:
            raise EngineLost(f"{self.name}: the net does not come onto the device: {_said(error)}") from error

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        return scored(images, self._pass, channels=self._channels, most=self.batch_most)

    def _pass(self, planes: Planes) -> Probability:
        try:
            with torch.inference_mode():
                batch = torch.from_numpy(planes).contiguous(memory_format=torch.channels_last)  # (n, C, H, W)
                if self._device == "cuda":
                    batch = batch.pin_memory().to("cuda", non_blocking=True)
                with torch.autocast(self._device, self._half, enabled=self._device == "cuda"):
                    logits = self._model(batch)  # (n, 1, H, W)
                return _probability(logits)
        except RuntimeError as error:  # torch.OutOfMemoryError and torch.AcceleratorError are such too
            raise EngineLost(f"{self.name}: a pass over {len(planes)} images failed: {_said(error)}") from error


def _probability(logits: Tensor) -> Probability:
    """(n, 1, H, W) → (n, H, W) in float32. Infinity, where half precision ran over, is NaN and neither 0 nor 1."""
    exact = logits[:, 0].float()
    found: Probability = torch.where(exact.isfinite(), exact.sigmoid(), torch.nan).cpu().numpy()
    return found


def _said(error: RuntimeError) -> str:
    first = (str(error).splitlines() or [type(error).__name__])[0]
    if isinstance(error, torch.OutOfMemoryError):
        return f"{first} A smaller model.batch, or fewer workers on this GPU, need less"
    return first
