"""How an image of any size comes to the net's input size, and its answer back: stretched, or padded as it is."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.normalisation import standardise

Fit = Literal["stretch", "pad"]
Size = tuple[int, int]  # lines, px across


def placed_scale(own: Size, size: Size, fit: Fit) -> Size:
    """The size at which an image of this own size is shown to the net, padding not counted."""
    if fit == "stretch":
        return size
    factor = min(1.0, size[0] / own[0], size[1] / own[1])  # padded images keep their scale, unless they are too large
    return max(1, round(own[0] * factor)), max(1, round(own[1] * factor))


def reduced(pixels: NDArray[np.uint8], scale: Size) -> NDArray[np.uint8]:
    """(H, W) or (H, W, 3) to these lines and px across; what shrinks is averaged, so that no thin line is skipped."""
    return np.asarray(_resized(pixels, scale), np.uint8)


def reduced_mask(mask: NDArray[np.bool_], scale: Size) -> NDArray[np.float32]:
    """(H, W) to the share in 0..1 of each pixel that is defective."""
    return np.asarray(_resized(mask.astype(np.float32), scale), np.float32)


def padded(image: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """(h, w) or (h, w, 3) with its mirror image below and to the right, up to the net's input size."""
    high, wide = image.shape[:2]
    if (high, wide) == size:
        return image
    return np.asarray(
        cv2.copyMakeBorder(image, 0, size[0] - high, 0, size[1] - wide, cv2.BORDER_REFLECT_101), np.float32
    )


def restored(found: NDArray[np.float32], scale: Size, own: Size) -> NDArray[np.float32]:
    """The net's answer (H, W) without its padding, at the image's own size."""
    kept = found[: scale[0], : scale[1]]
    if scale == own:
        return np.ascontiguousarray(kept)
    return np.asarray(cv2.resize(kept, own[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def shown(pixels: NDArray[np.uint8], size: Size, fit: Fit) -> tuple[NDArray[np.float32], Size]:
    """The image as the net gets it, (H, W) or (H, W, 3) standardised, and its size there without padding."""
    scale = placed_scale(pixels.shape[:2], size, fit)
    return padded(standardise(reduced(pixels, scale)), size), scale


def _resized(image: cv2.typing.MatLike, scale: Size) -> cv2.typing.MatLike:
    """An axis that shrinks is averaged, one that grows is interpolated: one rule for both would step over lines."""
    high, wide = image.shape[:2]
    if high > scale[0] and wide < scale[1]:
        return _resized(cv2.resize(image, (wide, scale[0]), interpolation=cv2.INTER_AREA), scale)
    if wide > scale[1] and high < scale[0]:
        return _resized(cv2.resize(image, (scale[1], high), interpolation=cv2.INTER_AREA), scale)
    if (high, wide) == scale:
        return image
    shrinks = high > scale[0] or wide > scale[1]
    return cv2.resize(image, scale[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
