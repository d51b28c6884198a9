"""What runs a net: one runtime a file, all with one contract."""

from typing import Literal, Protocol, assert_never

import numpy as np
from numpy.typing import NDArray
from torch import nn

EngineName = Literal["openvino", "torch"]


class Engine(Protocol):
    """(H, W) float32 normalised → (H, W) float32 probability in 0..1; NaN in the image comes out as NaN, never as 0."""

    @property
    def name(self) -> str: ...

    def __call__(self, image: NDArray[np.float32]) -> NDArray[np.float32]: ...


def open_engine(name: EngineName, model: nn.Module, *, height: int, width: int, threads: int) -> Engine:
    """The runtime is imported here, so that a worker pays for one only."""
    match name:
        case "openvino":
            from workers.engines.openvino import OpenVinoEngine

            return OpenVinoEngine(model, height=height, width=width, threads=threads)
        case "torch":
            from workers.engines.pytorch import TorchEngine

            return TorchEngine(model, threads=threads)
        case _:
            assert_never(name)
