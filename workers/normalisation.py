"""Grey pixels as the net sees them: each image by its own mean and spread, so that lamp and camera matter little."""

import cv2
import numpy as np
from numpy.typing import NDArray

SPREAD_FLOOR = 8.0  # grey levels: a flat image is not blown up to noise


def standardise(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W) uint8 → (H, W) float32 with mean 0 and, unless nearly flat, spread 1."""
    mean, spread = cv2.meanStdDev(pixels)
    scale = 1.0 / max(float(spread[0, 0]), SPREAD_FLOOR)
    return ((pixels.astype(np.float32) - np.float32(mean[0, 0])) * np.float32(scale)).astype(np.float32)
