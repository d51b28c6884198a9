"""From points seen on a target to millimetres a pixel, with what is uncertain about them; pure.

The model is affine, px = B · mm + t: turned, sheared and of two scales, as line-scan pixels are. All uncertainties are
standard ones (k = 1), relative to their value. In that of an area are the scatter of the points, and what perspective
makes of a scale that is taken to be the same everywhere. The pitch of the target is in it only where it was given. What
one picture cannot show is not in it: a belt that runs at another speed the next time, and where a net draws an outline.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.rules.targets import Found

RESIDUAL_MOST_PX = 0.5
"""Root mean square. Corners and dots are found to some 0.1 px; more than this is a bent target, a lens that distorts, a
belt that does not keep its speed, or a wrong pattern."""
PERSPECTIVE_MOST = 0.03  # of an area, from one end of the target to the other: a camera that looks askew
SHEAR_MOST_DEG = 15.0
PARAMETERS = 3  # of each of the two coordinates

Matrix = npt.NDArray[np.float64]


class Unfit(Exception):
    """A target was found, but no calibration may rest on it; says the numbers."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What the points say of the camera."""

    mm_per_px_across: float
    mm_per_line: float
    shear_deg: float  # by so much the angle between a line and the way of the belt falls short of 90°
    angle_deg: float  # of the target in the frame, to the nearest of its axes
    points: int
    residual_px: float  # root mean square, both coordinates together
    perspective: float  # relative change of an area over the target, beyond what scatter explains
    uncertainty_across: float  # relative, k = 1
    uncertainty_line: float
    uncertainty_area: float


def fit(found: Found, *, pitch_uncertainty: float = 0.0) -> Fit:
    """Least squares; Unfit where the residual, the perspective or the shear is too large."""
    px, mm = found.px, found.mm - found.mm.mean(axis=0)
    design = np.column_stack([mm, np.ones(len(mm))])
    solved, *_ = np.linalg.lstsq(design, px, rcond=None)
    scatter = px - design @ solved  # (N, 2)
    residual = float(np.sqrt((scatter**2).mean()))
    perspective, perspective_noise = _perspective(px, mm)
    beyond_noise = float(np.sqrt(max(0.0, perspective**2 - perspective_noise**2)))
    if perspective - 2 * perspective_noise > PERSPECTIVE_MOST:
        raise Unfit(
            f"areas differ by {perspective:.1%} from one end of the target to the other, at most "
            f"{PERSPECTIVE_MOST:.0%} is one scale: put the camera square to the surface"
        )
    if residual > RESIDUAL_MOST_PX:
        raise Unfit(
            f"the points miss the places of a flat grid by {residual:.2f} px (root mean square), at most "
            f"{RESIDUAL_MOST_PX} px is a target: is it flat, the pattern right, the belt's speed even?"
        )
    inverse = np.linalg.inv(solved[:2].T)  # mm = A · px; solved[:2].T is B
    across, line = inverse[:, 0], inverse[:, 1]
    shear = float(np.degrees(np.arcsin(across @ line / np.linalg.norm(across) / np.linalg.norm(line))))
    if abs(shear) > SHEAR_MOST_DEG:
        raise Unfit(f"lines lean by {shear:.1f}°, at most {SHEAR_MOST_DEG:g}° is a camera across its belt")
    # what a point's scatter e does to B is e · xᵀ · C; to ln|a| of a = A · e, and to ln|det A|, the following
    lever, moved = mm @ np.linalg.inv(mm.T @ mm), scatter @ inverse.T  # 1/mm, mm
    of_across, of_line = ((moved @ side) * (lever @ side) / (side @ side) for side in (across, line))
    of_area = (moved * lever).sum(axis=1)
    return Fit(
        mm_per_px_across=float(np.linalg.norm(across)),
        mm_per_line=float(np.linalg.norm(line)),
        shear_deg=shear,
        angle_deg=_turned(across),
        points=len(mm),
        residual_px=residual,
        perspective=beyond_noise,
        # towards its vanishing point a length goes with up to two of an area's three powers
        uncertainty_across=_together(_variance(of_across, mm), beyond_noise * 2 / 3, pitch_uncertainty),
        uncertainty_line=_together(_variance(of_line, mm), beyond_noise * 2 / 3, pitch_uncertainty),
        uncertainty_area=_together(_variance(of_area, mm), beyond_noise, 2 * pitch_uncertainty),
    )


def _variance(pull: Matrix, mm: Matrix) -> float:
    """Of a sum to which each point adds its pull. A pixel grid pulls whole rows or columns of a target that lies along
    it the same way, so the pulls of each row, or column, are one if that says more."""
    dof = len(mm) / (len(mm) - PARAMETERS)
    lanes = [np.unique(np.round(side, 6), return_inverse=True)[1] for side in mm.T]
    together = [np.bincount(lane, pull) for lane in lanes]
    return max(dof * float((pull**2).sum()), *(len(t) / (len(t) - 2) * float((t**2).sum()) for t in together))


def _together(variance: float, uneven: float, pitch: float) -> float:
    """A scale that changes by so much from end to end is off by a rectangular distribution's 1/√12 of it."""
    return math.sqrt(variance + uneven**2 / 12 + pitch**2)


def _perspective(px: Matrix, mm: Matrix) -> tuple[float, float]:
    """(relative change of an area over the target, its standard uncertainty), from px · (1 + g·mm) = B · mm + t.

    Linear in B, t and g; an area goes with the third power of 1 + g·mm.
    """
    size = np.ptp(mm, axis=0)
    unit = mm / size
    middle = px.mean(axis=0)
    off = px - middle
    nothing, ones = np.zeros((len(mm), 3)), np.column_stack([unit, np.ones(len(mm))])
    rows = [np.hstack([ones, nothing, -off[:, :1] * unit]), np.hstack([nothing, ones, -off[:, 1:] * unit])]
    design, seen = np.vstack(rows), np.concatenate([off[:, 0], off[:, 1]])
    solved, *_ = np.linalg.lstsq(design, seen, rcond=None)
    variance = float(((seen - design @ solved) ** 2).sum()) / (len(seen) - design.shape[1])
    covariance = variance * np.linalg.inv(design.T @ design)
    across, along = solved[6:]
    noise = float(np.sqrt(covariance[6, 6] + covariance[7, 7]))
    return 3 * float(abs(across) + abs(along)), 3 * noise


def _turned(across: Matrix) -> float:
    """The angle of a line of pixels against the nearer axis of the target, in -45 … 45°."""
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    return (angle + 45.0) % 90.0 - 45.0
