"""From the picture of a calibration target to its points, and where they lie on the target; pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]  # (N, 2): x, y

SIDE_LEAST = 3  # points a side: OpenCV throws below it, and two say nothing about what is bent
DOT_PX = 12  # the smallest dot, px of area
DOTS_APART_PX = 4.0
WINDOW = 0.35  # half a side, of the distance to the next corner: none of its edges may be in it
BESIDE = 0.3  # of the pitch: a dot so near to the next place of the grid belongs to it


class Pattern(StrEnum):
    """What is printed on the target; columns and rows count inner corners, or dots."""

    CHESSBOARD = "chessboard"
    DOTS = "dots"
    STAGGERED = "dots-staggered"  # OpenCV's asymmetric grid: `columns` dots in each row, every other row half-way aside


class NoTarget(Exception):
    """The picture does not show the target that was described."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """What was laid under the camera."""

    pattern: Pattern
    columns: int
    rows: int
    pitch_mm: float  # of neighbouring corners or dots; staggered, from one row to the next: half of that in a row

    def __str__(self) -> str:
        unit = "inner corners" if self.pattern is Pattern.CHESSBOARD else "dots"
        return f"{self.pattern} of {self.columns} × {self.rows} {unit}"


@dataclass(frozen=True, kw_only=True)
class Found:
    """The same points, twice; ordered alike."""

    px: Points
    mm: Points


def find_target(pixels: Pixels, target: Target) -> Found:
    """All points of the target, sub-pixel; NoTarget says what was found instead."""
    if target.pattern is Pattern.CHESSBOARD:
        return _chessboard(pixels, target)
    return _dots(pixels, target)


def _chessboard(pixels: Pixels, target: Target) -> Found:
    size = (target.columns, target.rows)
    found, corners = cv2.findChessboardCornersSB(pixels, size, flags=cv2.CALIB_CB_EXHAUSTIVE)
    if not found:
        raise NoTarget(f"no {target} is seen whole in it: a board has one corner less than squares on each side")
    # what SB finds is too wide by 0.03 to 0.1 % of the board: the corners themselves are looked at once more
    half = max(2, int(WINDOW * _least_apart(corners.reshape(target.rows, target.columns, 2))))
    finer = cv2.cornerSubPix(pixels, corners, (half, half), (-1, -1), _ENOUGH)
    return Found(px=_points(finer), mm=_grid(target))


def _least_apart(corners: npt.NDArray[Any]) -> float:
    """px between the nearest neighbours."""
    steps = (np.diff(corners, axis=0), np.diff(corners, axis=1))
    return float(min(np.linalg.norm(each, axis=2).min() for each in steps))


def _dots(pixels: Pixels, target: Target) -> Found:
    """Dark dots on a light ground, or else light ones on a dark one."""
    size, most = (target.columns, target.rows), 0
    stretched = _stretched(pixels)
    for ground in (stretched, 255 - stretched):
        detector = _detector(ground, target)
        blobs = np.array([blob.pt for blob in detector.detect(ground)], np.float32).reshape(-1, 2)
        most = max(most, len(blobs))
        if len(blobs) < target.columns * target.rows:
            continue
        for flags in _flags(target.pattern):
            found, dots = cv2.findCirclesGrid(ground, size, flags=flags, blobDetector=detector)
            if found:
                return _whole(Found(px=_points(dots), mm=_grid(target)), _points(blobs), target)
    raise NoTarget(f"no {target} is seen whole in it: {target.columns * target.rows} dots are wanted, {most} found")


_ENOUGH = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 100, 1e-4)  # px


def _flags(pattern: Pattern) -> tuple[int, int]:
    """By neighbourhood, then by clusters: the first finds no staggered grid in pixels that are far from square."""
    grid = cv2.CALIB_CB_ASYMMETRIC_GRID if pattern is Pattern.STAGGERED else cv2.CALIB_CB_SYMMETRIC_GRID
    return grid, grid | cv2.CALIB_CB_CLUSTERING


def _stretched(pixels: Pixels) -> Pixels:
    """From black to white: the detector's levels are fixed."""
    low, high = (float(level) for level in np.percentile(pixels, (1, 99)))
    stretched: Pixels = np.clip((pixels - low) * (255.0 / max(high - low, 1.0)), 0, 255).astype(np.uint8)
    return stretched


def _detector(ground: Pixels, target: Target) -> cv2.SimpleBlobDetector:
    """Of what is round and dark."""
    wanted = cv2.SimpleBlobDetector.Params()
    wanted.minArea = DOT_PX
    wanted.maxArea = max(2.0 * DOT_PX, ground.size / (target.columns * target.rows))
    wanted.minDistBetweenBlobs = DOTS_APART_PX
    return cv2.SimpleBlobDetector.create(wanted)


def _whole(found: Found, blobs: Points, target: Target) -> Found:
    """Refuses a part of a larger grid: who counts wrong may be wrong about the pitch too."""
    design = np.column_stack([found.mm, np.ones(len(found.mm))])
    to_px, *_ = np.linalg.lstsq(design, found.px, rcond=None)
    wider = _grid(target, around=1)
    beyond = wider[(np.abs(wider) > np.abs(found.mm).max(axis=0) + 1e-6 * target.pitch_mm).any(axis=1)]
    places = np.column_stack([beyond, np.ones(len(beyond))]) @ to_px
    near_px = BESIDE * target.pitch_mm * float(np.linalg.svd(to_px[:2], compute_uv=False).min())
    gaps = np.linalg.norm(places[:, None, :] - blobs[None, :, :], axis=2).min(axis=1)
    more = int((gaps < near_px).sum())
    if more >= min(target.columns, target.rows) / 2:
        raise NoTarget(f"the grid goes on beyond {target}: {more} more dots lie on its next places")
    return found


def _grid(target: Target, *, around: int = 0) -> Points:
    """(N, 2) mm from the target's middle, row by row; `around` adds so many rows and columns on every side."""
    columns = np.arange(-around, target.columns + around, dtype=np.float64)
    rows = np.arange(-around, target.rows + around, dtype=np.float64)
    j, i = np.meshgrid(rows, columns, indexing="ij")
    x = 2 * i + j % 2 if target.pattern is Pattern.STAGGERED else i
    points = np.column_stack([x.ravel(), j.ravel()]) * target.pitch_mm
    inner = ((i >= 0) & (i < target.columns) & (j >= 0) & (j < target.rows)).ravel()
    low, high = points[inner].min(axis=0), points[inner].max(axis=0)
    return np.asarray(points - (low + high) / 2)


def _points(found: npt.NDArray[Any]) -> Points:
    return found.reshape(-1, 2).astype(np.float64)
