"""One image and its mask, read without trusting either."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from workers.datasets.items import DatasetError, Item

FORMATS = ("JPEG", "PNG", "BMP", "TIFF")
PIXELS_MOST = 1 << 26

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def read_item(item: Item, *, channels: int = 1) -> tuple[Pixels, Mask]:
    """The image, (H, W) grey or (H, W, 3) RGB in uint8, and its mask (H, W); DatasetError names the file at fault."""
    pixels = read_pixels(item.image, channels=channels)
    if item.mask is None:
        return pixels, np.zeros(pixels.shape[:2], np.bool_)
    mask = read_pixels(item.mask, channels=1)
    if mask.shape != pixels.shape[:2]:
        (high, wide), (mask_high, mask_wide) = pixels.shape[:2], mask.shape
        raise DatasetError(f"{item.mask}: is {mask_wide}×{mask_high}; its image {item.image.name} is {wide}×{high}")
    return pixels, mask >= 128 if mask.max(initial=0) > 1 else mask > 0  # 0/255 or 0/1; JPEG-like greys are halved


def read_pixels(path: Path, *, channels: int) -> Pixels:
    """(H, W) for one channel, (H, W, 3) RGB for three."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > PIXELS_MOST:
                raise DatasetError(
                    f"{path}: has {image.width}×{image.height} px; {PIXELS_MOST} in all are read at most"
                )
            return np.array(image.convert("L" if channels == 1 else "RGB"), np.uint8)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path}: cannot be read as an image ({error})") from error
