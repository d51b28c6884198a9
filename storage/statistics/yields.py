"""Yield: DPU, DPMO, first-pass and rolled yield, sigma level, and the coverage that none of them may hide.

A part that was not inspected is never a good one: it is in the denominator of a yield and not in the numerator, and the
share that was inspected stands beside it. Source: Montgomery, Introduction to Statistical Quality Control, ch. 1 and 7;
ISO 13053-1:2011 (DPMO, and the shift of 1.5 sigma).
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.special import ndtri

from storage.statistics.missing import Missing

SHIFT = 1.5  # sigma: by convention, what a process drifts between the short and the long term


class Outcomes(msgspec.Struct, frozen=True, kw_only=True):
    """How the triggers of a period ended, the first time that each part came by."""

    passed: int
    rejected: int
    not_inspected: int

    def __post_init__(self) -> None:
        if min(self.passed, self.rejected, self.not_inspected) < 0:
            raise ValueError(f"{self}: counts of parts are 0 or more")

    @property
    def triggers(self) -> int:
        return self.passed + self.rejected + self.not_inspected

    @property
    def inspected(self) -> int:
        return self.passed + self.rejected


class SigmaLevel(msgspec.Struct, frozen=True, kw_only=True):
    """How many sigma lie between the mean and the one limit beyond which so many opportunities fall."""

    dpmo: float
    unshifted: float  # Φ⁻¹(1 - DPMO/10⁶)
    shifted: float  # + 1.5, as Six Sigma tables print it: 3.4 DPMO is 6


def coverage(outcomes: Outcomes) -> float | Missing:
    """The share of triggers that were inspected, 0..1."""
    return outcomes.inspected / outcomes.triggers if outcomes.triggers else Missing("there was no trigger")


def first_pass_yield(outcomes: Outcomes) -> float | Missing:
    """Passed over triggers, 0..1: what was not inspected has not passed."""
    return outcomes.passed / outcomes.triggers if outcomes.triggers else Missing("there was no trigger")


def yield_of_inspected(outcomes: Outcomes) -> float | Missing:
    """Passed over inspected, 0..1; to be shown with the coverage, never alone."""
    if not outcomes.inspected:
        return Missing(f"none of {outcomes.triggers} triggers was inspected")
    return outcomes.passed / outcomes.inspected


def rolled_throughput_yield(steps: Sequence[Outcomes]) -> float | Missing:
    """The product of the first-pass yields of steps that a part passes one after the other, 0..1."""
    shares = [first_pass_yield(step) for step in steps]
    found = [share for share in shares if not isinstance(share, Missing)]
    if not shares or len(found) < len(shares):
        return Missing(f"{len(shares) - len(found)} of {len(shares)} steps had no trigger")
    return float(np.prod(found))


def defects_per_unit(defects: int, units: int) -> float | Missing:
    """DPU: defects, not defective parts, over inspected units."""
    _counts(defects, units)
    return defects / units if units else Missing("no unit was inspected")


def defects_per_million(defects: int, units: int, *, opportunities: int) -> float | Missing:
    """DPMO: 10⁶ × defects / (units × opportunities of one unit), units inspected."""
    _counts(defects, units)
    if opportunities < 1:
        raise ValueError(f"opportunities: {opportunities} a unit; 1 or more are needed")
    if not units:
        return Missing("no unit was inspected")
    if defects > units * opportunities:
        return Missing(f"{defects} defects on {units} units of {opportunities} opportunities: a unit has more of them")
    return 1e6 * defects / (units * opportunities)


def sigma_level(dpmo: float) -> SigmaLevel | Missing:
    """Of a DPMO above 0 and below 10⁶. Of 0 there is none: take it of the upper bound of what was counted."""
    if not 0 <= dpmo <= 1e6:
        raise ValueError(f"dpmo: {dpmo} is not within 0 and 1,000,000")
    if dpmo in {0, 1e6}:
        return Missing(f"a sigma level needs a DPMO between 0 and 1,000,000, not {dpmo:g}: take its bound")
    level = float(-ndtri(dpmo / 1e6))
    return SigmaLevel(dpmo=dpmo, unshifted=level, shifted=level + SHIFT)


def _counts(defects: int, units: int) -> None:
    if defects < 0 or units < 0 or (defects and not units):
        raise ValueError(f"{defects} defects on {units} units")
