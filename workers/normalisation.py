"""Grey pixels as the net sees them: each image by its own mean and spread, so that lamp and camera matter little."""

import cv2
import numpy as np
from numpy.typing import NDArray

SPREAD_FLOOR = 8.0  # grey levels: a flat image is not blown up to noise


def standardise(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W) or (H, W, 3) uint8 → float32 of the same shape: mean 0 and, unless nearly flat, spread 1, by channel."""
    mean, spread = (facts.ravel() for facts in cv2.meanStdDev(pixels))
    scale = 1.0 / np.maximum(spread, SPREAD_FLOOR)
    if pixels.ndim == 2:
        mean, scale = mean[0], scale[0]
    return ((pixels.astype(np.float32) - np.float32(mean)) * np.float32(scale)).astype(np.float32)
