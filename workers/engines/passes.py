"""What every engine does around its runtime: as many passes as its images need, and NaN where one was broken."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[np.float32]  # (n, C, H, W)
Probability = NDArray[np.float32]  # (n, H, W)


def scored(
    images: NDArray[np.float32], run: Callable[[Planes], Probability], *, channels: int, most: int
) -> Probability:
    """(N, H, W) or (N, H, W, 3) → (N, H, W), `most` images a pass.

    What is not finite is never shown to the runtime: it may turn NaN into 0 on the way, and 0 reads as sound.
    """
    planes = _planes(images, channels)
    found = np.full((len(planes), *planes.shape[2:]), np.nan, np.float32)
    whole = np.flatnonzero(np.isfinite(planes).all(axis=(1, 2, 3)))
    for first in range(0, len(whole), most):
        chosen = whole[first : first + most]
        found[chosen] = run(planes if len(chosen) == len(planes) else planes[chosen])
    return found


def _planes(images: NDArray[np.float32], channels: int) -> Planes:
    """A view as runtimes order the axes; ValueError where the net has other channels."""
    planes = np.moveaxis(np.ascontiguousarray(images), -1, 1) if images.ndim == 4 else images[:, None]
    if planes.ndim != 4 or planes.shape[1] != channels:
        wanted = "(N, H, W)" if channels == 1 else f"(N, H, W, {channels})"
        raise ValueError(f"images of shape {images.shape}; a net of {channels} channels takes {wanted}")
    return planes
