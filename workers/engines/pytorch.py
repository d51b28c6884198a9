"""The reference engine: the net as it was trained."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


class TorchEngine:
    name = "torch"

    def __init__(self, model: nn.Module, *, threads: int) -> None:
        torch.set_num_threads(threads)
        self._model = model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            batch = torch.from_numpy(image)[None, None].contiguous(memory_format=torch.channels_last)  # (1, 1, H, W)
            probability: NDArray[np.float32] = torch.sigmoid(self._model(batch))[0, 0].numpy()
        return probability
