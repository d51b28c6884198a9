"""One image and its mask, read without trusting either."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from workers.datasets.items import DatasetError, Item

FORMATS = ("JPEG", "PNG", "BMP", "TIFF")
PIXELS_MOST = 1 << 26
LOSSY = (".jpg", ".jpeg")

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def read_item(item: Item, *, channels: int = 1) -> tuple[Pixels, Mask]:
    """The image, (H, W) grey or (H, W, 3) RGB in uint8, and its mask (H, W); DatasetError names the file at fault."""
    pixels = read_pixels(item.image, channels=channels)
    if item.mask is None:
        return pixels, np.zeros(pixels.shape[:2], np.bool_)
    mask = read_mask(item.mask)
    if mask.shape != pixels.shape[:2]:
        (high, wide), (mask_high, mask_wide) = pixels.shape[:2], mask.shape
        raise DatasetError(f"{item.mask}: is {mask_wide}×{mask_high}; its image {item.image.name} is {wide}×{high}")
    return pixels, mask


def read_mask(path: Path) -> Mask:
    """(H, W), true where there is a defect: 0/255 or 0/1; in a JPEG, whose greys stray from both ends, 0/255 only."""
    grey = read_pixels(path, channels=1)
    brightest = int(grey.max(initial=0))
    halved = path.suffix.lower() in LOSSY or brightest >= 128
    if not halved and brightest > 1:
        raise DatasetError(f"{path}: is at most {brightest} bright; a mask is 0/255 or 0/1, white where a defect is")
    mask: Mask = grey >= (128 if halved else 1)
    return mask


def read_pixels(path: Path, *, channels: int) -> Pixels:
    """(H, W) for one channel, (H, W, 3) RGB for three."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > PIXELS_MOST:
                raise DatasetError(f"{path}: has {image.width}×{image.height} px; at most {PIXELS_MOST} are read")
            if image.mode.startswith(("I", "F")):  # Pillow would cut these off at 255, not scale them
                raise DatasetError(f"{path}: has pixels of kind {image.mode}; 8 bits a channel are read")
            return np.array(image.convert("L" if channels == 1 else "RGB"), np.uint8)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path}: cannot be read as an image ({error})") from error
