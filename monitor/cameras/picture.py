"""Reads one grey image file without trusting it: kind and size come from its header, before any pixel is allocated."""

import stat
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from config.cameras import CameraBase
from monitor.messages import Reason

FILE_BYTES = 1 << 30
FORMATS = ("JPEG", "PNG", "BMP", "TIFF")  # what cameras write; exotic readers stay shut


class Unreadable(Exception):
    """A file that is a trigger but no frame of this camera."""

    def __init__(self, reason: Reason, *, width: int = 0, height: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.width, self.height = reason, width, height


def read_picture(path: Path, camera: CameraBase) -> npt.NDArray[np.uint8]:
    """(H, W) uint8, or why not."""
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > FILE_BYTES:
            raise Unreadable(Reason.UNREADABLE)
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if not fits(camera, width=width, height=height):
                raise Unreadable(Reason.WRONG_SIZE, width=width, height=height)
            if image.mode != "L":
                raise Unreadable(Reason.WRONG_FORMAT, width=width, height=height)
            try:
                return np.array(image, dtype=np.uint8)
            except (OSError, SyntaxError, ValueError) as error:  # the header was fine, the rest is not there
                raise Unreadable(Reason.INCOMPLETE, width=width, height=height) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unreadable(Reason.WRONG_SIZE) from error
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise Unreadable(Reason.UNREADABLE) from error


def fits(camera: CameraBase, *, width: int, height: int) -> bool:
    """Whether the station accepts frames of this size."""
    return camera.width[0] <= width <= camera.width[1] and camera.height[0] <= height <= camera.height[1]
