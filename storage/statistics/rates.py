"""Whether something happens more often than before: the ratio of two rates, with exact bounds.

Given how many there were in all, those of the second period are binomial, whatever the common rate was: bounds of that
share by Clopper and Pearson are bounds of the ratio. Source: Przyborowski and Wilenski, Biometrika 31, 1940.
"""

import msgspec

from storage.statistics.missing import Missing
from storage.statistics.proportions import clopper_pearson


class RateRatio(msgspec.Struct, frozen=True, kw_only=True):
    """The second rate over the first."""

    before: float  # events per unit
    after: float
    ratio: float | None  # None: there was none before
    low: float
    high: float | None  # None: without bound, as there was none before
    confidence: float

    @property
    def is_higher(self) -> bool:
        return self.low > 1

    @property
    def is_lower(self) -> bool:
        return self.high is not None and self.high < 1


def rate_ratio(
    before: int, units_before: int, after: int, units_after: int, *, confidence: float = 0.95
) -> RateRatio | Missing:
    """Of counts that are Poisson; ValueError where one is below 0."""
    if min(before, after, units_before, units_after) < 0:
        raise ValueError(f"{before} on {units_before} and {after} on {units_after}: counts from 0 are needed")
    if not units_before or not units_after:
        return Missing("a rate on each side needs inspected parts on each side")
    share = clopper_pearson(after, before + after, confidence=confidence)
    if isinstance(share, Missing):
        return Missing("no defect on either side: there is nothing to compare")
    scale = units_before / units_after
    return RateRatio(
        before=before / units_before,
        after=after / units_after,
        ratio=after / before * scale if before else None,
        low=share.low / (1 - share.low) * scale if share.low < 1 else float("inf"),
        high=share.high / (1 - share.high) * scale if share.high < 1 else None,
        confidence=confidence,
    )
