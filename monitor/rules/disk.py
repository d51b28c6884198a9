"""The disk ladder: how much room there is says which pictures are kept, and when the line must stand; pure.

all ─ no pass frames ─ no frames ─ small crops ─ no crops ─ hold        with less room
    ◀───────────────── each undone with a quarter more ────────
"""

from enum import IntEnum

import cv2
import numpy as np

from config.disk import STEPS, Disk

ROOM = 1.25  # times a step's limit undoes it: what is deleted in a moment must not bring it back in the next
SMALL = 0.5  # of a crop's width and height


class Level(IntEnum):
    """How far down the ladder the line stands."""

    ALL = 0  # every picture is kept
    NO_PASS_FRAMES = 1
    NO_FRAMES = 2
    SMALL_CROPS = 3
    NO_CROPS = 4
    HOLD = 5

    @property
    def said(self) -> str:
        """As an alarm names it."""
        return self.name.lower()


def next_level(level: Level, free_mb: float, disk: Disk) -> Level:
    """From this level, with so much room."""
    limits = [getattr(disk, step) for step in STEPS]
    while level < Level.HOLD and free_mb < limits[level]:
        level = Level(level + 1)
    while level > Level.ALL and free_mb >= ROOM * limits[level - 1]:
        level = Level(level - 1)
    return level


def limit_mb(level: Level, disk: Disk) -> int:
    """Below which this step is taken; not of ALL, which is none."""
    limit: int = getattr(disk, STEPS[level - 1])
    return limit


def kept_picture(name: str, png: bytes, level: Level, *, passed: bool) -> bytes | None:
    """The picture as it is kept at this level; `name` is `frame`, `crop-N` or `mask-N`. None: it is not."""
    if name == "frame":
        return None if level >= (Level.NO_PASS_FRAMES if passed else Level.NO_FRAMES) else png
    if level >= Level.NO_CROPS:
        return None
    return smaller(png) if level >= Level.SMALL_CROPS else png


def smaller(png: bytes) -> bytes:
    """Half as wide and high; what cannot be read as a picture stays as it is."""
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        return png
    height, width = (max(1, round(side * SMALL)) for side in pixels.shape[:2])
    return cv2.imencode(".png", cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))[1].tobytes()
