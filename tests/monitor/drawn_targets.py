"""Targets as a camera sees them, drawn from known millimetres: each pixel is the mean of what lies under it."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

SUBSAMPLES = 6  # a side of each pixel
DARK, LIGHT = 45.0, 205.0

Grey = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How a camera sees the plane of a target; the truth that a calibration must find."""

    mm_per_px_across: float = 0.45
    mm_per_line: float = 0.5
    angle_deg: float = 0.0  # of the target in the frame
    shear_deg: float = 0.0  # of the pixels
    perspective: float = 0.0  # by how much of an area the frame's far end is larger than its near one
    width: int = 320
    height: int = 400
    noise: float = 2.0  # grey levels
    blur_px: float = 0.7

    @property
    def mm2_per_px(self) -> float:
        return self.mm_per_px_across * self.mm_per_line * float(np.cos(np.radians(self.shear_deg)))

    def plane(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        """Millimetres in the target's own axes, from its middle, of points in px."""
        turn, lean = np.radians(self.angle_deg), np.radians(self.shear_deg)
        dx, dy = x - self.width / 2, y - self.height / 2
        away = 1.0 + self.perspective / 3 * dx / self.width  # an area goes with the third power
        u = self.mm_per_px_across * dx / away
        v = self.mm_per_line * dy / away
        across, along = u + v * np.sin(lean), v * np.cos(lean)
        return across * np.cos(turn) - along * np.sin(turn), across * np.sin(turn) + along * np.cos(turn)


def a_chessboard(seen: Seen, *, columns: int, rows: int, pitch_mm: float, seed: int = 0) -> Grey:
    """`columns` × `rows` inner corners, with a white border."""

    def dark(x: Plane, y: Plane) -> npt.NDArray[np.bool_]:
        i, j = np.floor(x / pitch_mm + (columns + 1) / 2), np.floor(y / pitch_mm + (rows + 1) / 2)
        return np.asarray(((i + j) % 2 == 0) & (i >= 0) & (i <= columns) & (j >= 0) & (j <= rows))

    return _drawn(seen, dark, seed)


def a_dot_grid(
    seen: Seen,
    *,
    columns: int,
    rows: int,
    pitch_mm: float,
    staggered: bool = False,
    seed: int = 0,
    of_pitch: float = 0.25,
) -> Grey:
    """Dark dots whose radius is this share of the pitch; staggered as OpenCV counts it: `columns` dots in each row."""

    def dark(x: Plane, y: Plane) -> npt.NDArray[np.bool_]:
        step = 2 * pitch_mm if staggered else pitch_mm
        j = np.clip(np.rint(y / pitch_mm + (rows - 1) / 2), 0, rows - 1)
        aside = (j % 2) / 2 - 0.25 if staggered else 0.0
        i = np.clip(np.rint(x / step + (columns - 1) / 2 - aside), 0, columns - 1)
        dx, dy = x - (i - (columns - 1) / 2 + aside) * step, y - (j - (rows - 1) / 2) * pitch_mm
        return np.asarray(np.hypot(dx, dy) < of_pitch * pitch_mm)

    return _drawn(seen, dark, seed)


def _drawn(seen: Seen, dark: Callable[[Plane, Plane], npt.NDArray[np.bool_]], seed: int) -> Grey:
    n = SUBSAMPLES
    xs = (np.arange(seen.width * n) + 0.5) / n
    ys = (np.arange(seen.height * n) + 0.5) / n
    x, y = seen.plane(*np.meshgrid(xs, ys))
    fine = np.where(dark(x, y), np.float32(DARK), np.float32(LIGHT))
    grey = fine.reshape(seen.height, n, seen.width, n).mean(axis=(1, 3))
    if seen.blur_px:
        grey = cv2.GaussianBlur(grey, (0, 0), seen.blur_px)
    noisy = grey + seen.noise * np.random.default_rng(seed).standard_normal(grey.shape)
    drawn: Grey = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return drawn
