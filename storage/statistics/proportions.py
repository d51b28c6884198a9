"""How far a share of parts may be from the one that was seen.

Wilson's interval is near its confidence on the average and narrow; Clopper and Pearson's never falls below it, and is
the one for a promise. Sources: Wilson, J. American Statistical Association 22, 1927; Clopper and Pearson, Biometrika
26, 1934; Brown, Cai and DasGupta, Statistical Science 16(2), 2001.
"""

from typing import Literal

import msgspec
import numpy as np
from scipy.special import ndtri
from scipy.stats import beta

from storage.statistics.missing import Missing

Method = Literal["wilson", "clopper-pearson"]


class Proportion(msgspec.Struct, frozen=True, kw_only=True):
    hits: int
    of: int
    estimate: float  # 0..1
    low: float
    high: float
    confidence: float  # of both bounds together
    method: Method


def wilson(hits: int, of: int, *, confidence: float = 0.95) -> Proportion | Missing:
    """Bounds where a score test would just not refuse the share; no continuity correction."""
    if lack := _refused(hits, of, confidence):
        return lack
    z = float(ndtri((1 + confidence) / 2))
    share, scale = hits / of, 1 + z * z / of
    middle = (share + z * z / (2 * of)) / scale
    reach = z / scale * float(np.sqrt(share * (1 - share) / of + z * z / (4 * of * of)))
    return Proportion(
        hits=hits,
        of=of,
        estimate=share,
        low=max(middle - reach, 0.0) if hits else 0.0,
        high=min(middle + reach, 1.0) if hits < of else 1.0,
        confidence=confidence,
        method="wilson",
    )


def clopper_pearson(hits: int, of: int, *, confidence: float = 0.95) -> Proportion | Missing:
    """Bounds of both sides where the binomial tails are just (1 - confidence) / 2."""
    if lack := _refused(hits, of, confidence):
        return lack
    tail = (1 - confidence) / 2
    return Proportion(
        hits=hits,
        of=of,
        estimate=hits / of,
        low=_low(hits, of, tail),
        high=_high(hits, of, tail),
        confidence=confidence,
        method="clopper-pearson",
    )


def upper_bound(hits: int, of: int, *, confidence: float = 0.95) -> float | Missing:
    """One-sided and exact: of none in n, 1 - (1 - confidence)^(1/n), which is about 3/n at 95 %."""
    if lack := _refused(hits, of, confidence):
        return lack
    return _high(hits, of, 1 - confidence)


def lower_bound(hits: int, of: int, *, confidence: float = 0.95) -> float | Missing:
    """One-sided and exact: of n in n, (1 - confidence)^(1/n); 29 of 29 show 90 % at 95 % confidence."""
    if lack := _refused(hits, of, confidence):
        return lack
    return _low(hits, of, 1 - confidence)


def _refused(hits: int, of: int, confidence: float) -> Missing | None:
    if not 0 <= hits <= of or not 0 < confidence < 1:
        raise ValueError(f"{hits} of {of} at confidence {confidence}: from 0 to all, and between 0 and 1 are needed")
    return None if of else Missing("a share needs at least one part; there is none")


def _low(hits: int, of: int, tail: float) -> float:
    return float(beta.ppf(tail, hits, of - hits + 1)) if hits else 0.0


def _high(hits: int, of: int, tail: float) -> float:
    if hits == of:
        return 1.0
    return float(-np.expm1(np.log(tail) / of)) if hits == 0 else float(beta.isf(tail, hits + 1, of - hits))
