"""Quantiles of latency: p50, p99, p99.9 and the largest, from values or from the counts of a histogram.

The quantile q of n values is the ⌈qn⌉-th smallest: a latency that was had, with at least the share q at or below it
(type 1 of Hyndman and Fan, The American Statistician 50(4), 1996). Between two values nothing is made up: an
interpolated p99.9 of 500 would lie below the largest, which it is. From counts only the bin is known, so its upper
edge is given, and the lower one beside it.
"""

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from storage.statistics.missing import Missing

SHARES = (0.5, 0.99, 0.999)


class Quantile(msgspec.Struct, frozen=True, kw_only=True):
    share: float  # of all values at or below
    value: float  # in the unit of the values; of a histogram the upper edge, inf in a bin that has none
    at_least: float  # the same where the values are known; of a histogram the lower edge
    resolved: bool  # there are so many values that one may lie above it: at least 1 / (1 - share)


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    count: int
    quantiles: tuple[Quantile, ...]
    largest: float


def latency(values: ArrayLike, shares: tuple[float, ...] = SHARES) -> Latency | Missing:
    """Of values (N,). ValueError for one that is not finite."""
    found = np.sort(np.asarray(values, np.float64).ravel())
    if not np.all(np.isfinite(found)):
        raise ValueError("values: finite numbers are needed")
    if not len(found):
        return Missing("a quantile needs a value; there is none")
    return Latency(
        count=len(found),
        quantiles=tuple(
            Quantile(share=share, value=value, at_least=value, resolved=_resolved(len(found), share))
            for share in shares
            for value in [float(found[_rank(len(found), share) - 1])]
        ),
        largest=float(found[-1]),
    )


def latency_of_counts(
    edges: ArrayLike, counts: ArrayLike, *, largest: float | None = None, shares: tuple[float, ...] = SHARES
) -> Latency | Missing:
    """Of counts (B,) between edges (B + 1,), which rise; the last may be inf. Histograms of shifts are added first.

    `largest` is the largest value where it was kept; no quantile is above it.
    """
    borders, bins = np.asarray(edges, np.float64), np.asarray(counts, np.int64)
    if borders.shape != (len(bins) + 1,) or not np.all(np.diff(borders) > 0) or np.any(bins < 0):
        raise ValueError(f"edges {borders.shape} must rise around counts {bins.shape}, which are 0 or more")
    total = int(bins.sum())
    if not total:
        return Missing("a quantile needs a value; all counts are 0")
    upto, last = np.cumsum(bins), int(np.flatnonzero(bins)[-1])
    if largest is not None and not borders[last] <= largest <= borders[last + 1]:
        raise ValueError(
            f"largest: {largest} is not in the last bin with a count, {borders[last]} to {borders[last + 1]}"
        )
    top = float(borders[last + 1]) if largest is None else largest
    places = [int(np.searchsorted(upto, _rank(total, share))) for share in shares]
    return Latency(
        count=total,
        quantiles=tuple(
            Quantile(
                share=share,
                value=min(float(borders[at + 1]), top),
                at_least=float(borders[at]),
                resolved=_resolved(total, share),
            )
            for share, at in zip(shares, places, strict=True)
        ),
        largest=top,
    )


def _rank(count: int, share: float) -> int:
    if not 0 < share < 1:
        raise ValueError(f"share: {share} is not between 0 and 1")
    return max(int(np.ceil(share * count - 1e-9)), 1)  # 0.999 × 1000 is 999 and no rounding above it


def _resolved(count: int, share: float) -> bool:
    return count * (1 - share) >= 1 - 1e-9
