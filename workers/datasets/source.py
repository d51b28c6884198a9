"""What a training run draws from: batches that are a function of seed, step and rank, and examples to judge by."""

from collections.abc import Iterator
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from workers.datasets.items import DatasetCard


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    images: NDArray[np.float32]  # (B, C, h, w), standardised
    truth: NDArray[np.float32]  # (B, 1, h, w) in 0..1: a pixel of a reduced image may be defective in part
    names: tuple[str, ...]  # of the images, for people


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One image as the line would get it, at its own resolution."""

    name: str
    pixels: NDArray[np.uint8]  # (H, W), or (H, W, 3) RGB
    mask: NDArray[np.bool_]  # (H, W)


class Source(Protocol):
    @property
    def card(self) -> DatasetCard: ...

    @property
    def steps(self) -> int:
        """In an epoch."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of the list of training images: a run goes on only with the list it began with."""
        ...

    def batch(self, step: int, *, rank: int) -> Batch: ...

    def validation(self) -> Iterator[Example]:
        """The same examples in every run."""
        ...

    def calibration(self) -> Iterator[Example]:
        """Of the training part: what a threshold may be chosen on."""
        ...
