"""Pictures that are kept: lossless, and packed quickly."""

import cv2
import numpy as np
import numpy.typing as npt

FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def encode_png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """(H, W) grey as PNG."""
    return cv2.imencode(".png", pixels, FAST)[1].tobytes()
