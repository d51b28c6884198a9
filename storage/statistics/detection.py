"""Probability of detection (POD) from sites that were hit or missed: a50, a90, a90/95, and false calls of clean sites.

logit POD(a) = intercept + slope · ln a, a in mm (Berens, ASM Handbook 17, 1989; MIL-HDBK-1823A, 2009). a90/95 is the
size that with 95 % confidence is detected in 90 % of cases: the largest a90 whose profile likelihood lies within
χ²₁(0.90) = 2.706 of the maximum, one-sided. Unlike a bound from standard errors it follows the skewness of so few
misses. Hits and misses that do not overlap in size are fitted with Firth's penalised likelihood, profiled in the same
way.
"""

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from storage.statistics.logistic import Floats, Logistic, Method, contour, fit
from storage.statistics.missing import Missing
from storage.statistics.proportions import Proportion, clopper_pearson

SITES = 60  # MIL-HDBK-1823A asks for at least so many in a hit/miss trial
SPAN = (0.1, 0.9)  # of POD, which their sizes should cover
CURVE = 60  # points of a drawn curve


class PodPoint(msgspec.Struct, frozen=True, kw_only=True):
    size_mm: float
    pod: float  # 0..1
    low: float  # one-sided bound at this size


class Pod(msgspec.Struct, frozen=True, kw_only=True):
    sites: int
    hits: int
    intercept: float  # of the logit, at 1 mm
    slope: float  # per ln mm
    method: Method
    a50_mm: float
    a90_mm: float
    a90_bound_mm: float | Missing  # a90/95 at 95 % confidence
    confidence: float  # of the bounds, one-sided
    curve: tuple[PodPoint, ...]
    shortcomings: tuple[str, ...]  # of the trial; to be printed beside the figures


def probability_of_detection(
    sizes_mm: ArrayLike, hits: ArrayLike, *, confidence: float = 0.95, at_mm: ArrayLike | None = None
) -> Pod | Missing:
    """Of sites that each were inspected once: sizes (N,) above 0, hits (N,) bool.

    The curve is drawn at `at_mm`, or evenly in ln a from the smallest site to the largest. Missing where all sites were
    hit, or all missed (how far a share of n in n bounds the POD, `proportions.lower_bound` says), where all have one
    size, or where detection does not rise with size. ValueError for a size that is not above 0.
    """
    sizes, hit = np.asarray(sizes_mm, np.float64), np.asarray(hits, np.bool_)
    if sizes.shape != hit.shape or sizes.ndim != 1 or not np.all((sizes > 0) & np.isfinite(sizes)):
        raise ValueError(f"sizes_mm {sizes.shape}: one above 0 is needed for each of hits {hit.shape}")
    if not 0.5 < confidence < 1:
        raise ValueError(f"confidence: {confidence} is not between 0.5 and 1")
    if not len(hit) or hit.all() or not hit.any():
        return Missing(f"{np.count_nonzero(hit)} of {len(hit)} sites were hit: a curve needs hits and misses")
    x = np.log(sizes)
    curve = fit(x, hit)
    if isinstance(curve, Missing):
        return curve
    if curve.slope <= 0:
        return Missing(f"detection does not rise with size (slope {curve.slope:.3g} per ln mm): there is no a90")
    region = contour(x, hit, curve, confidence=confidence)
    return Pod(
        sites=len(hit),
        hits=int(np.count_nonzero(hit)),
        intercept=curve.intercept,
        slope=curve.slope,
        method=curve.method,
        a50_mm=_size(0.5, curve),
        a90_mm=_size(0.9, curve),
        a90_bound_mm=_largest(0.9, region),
        confidence=confidence,
        curve=_drawn(curve, region, np.geomspace(sizes.min(), sizes.max(), CURVE) if at_mm is None else at_mm),
        shortcomings=_shortcomings(sizes, curve),
    )


def false_calls(calls: int, clean_sites: int, *, confidence: float = 0.95) -> Proportion | Missing:
    """The share of sites without a flaw that were called one, with exact bounds."""
    return clopper_pearson(calls, clean_sites, confidence=confidence)


def _size(share: float, curve: Logistic) -> float:
    return float(np.exp((_logit(share) - curve.intercept) / curve.slope))


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _largest(share: float, region: Floats) -> float | Missing:
    """The largest size with this POD among the curves of a region."""
    if np.any(region[:, 1] <= 0):
        return Missing("the sites do not show that detection rises with size: there is no bound of a90")
    logs = (_logit(share) - region[:, 0]) / region[:, 1]
    if logs.max() > np.log(np.finfo(float).max):
        return Missing("the sites hardly show that detection rises with size: there is no bound of a90")
    return float(np.exp(logs.max()))


def _drawn(curve: Logistic, region: Floats, at_mm: ArrayLike) -> tuple[PodPoint, ...]:
    sizes: NDArray[np.float64] = np.asarray(at_mm, np.float64)
    if not np.all(sizes > 0):
        raise ValueError("at_mm: sizes above 0 are needed")
    x = np.log(sizes)
    lowest = (region[:, :1] + region[:, 1:] * x).min(axis=0)
    return tuple(
        PodPoint(size_mm=float(size), pod=float(pod), low=float(low))
        for size, pod, low in zip(sizes, curve.at(x), expit(lowest), strict=True)
    )


def _shortcomings(sizes: Floats, curve: Logistic) -> tuple[str, ...]:
    low, high = (float(p) for p in curve.at(np.log([sizes.min(), sizes.max()])))
    told = []
    if len(sizes) < SITES:
        told.append(f"{len(sizes)} sites: at least {SITES} are recommended")
    if low > SPAN[0]:
        told.append(f"the smallest site, {sizes.min():g} mm, has a POD of {low:.2f}: sizes should begin at {SPAN[0]}")
    if high < SPAN[1]:
        told.append(f"the largest site, {sizes.max():g} mm, has a POD of {high:.2f}: sizes should end at {SPAN[1]}")
    if curve.method == "firth":
        told.append("hits and misses do not overlap in size: more sites between them would tell the slope")
    return tuple(told)
