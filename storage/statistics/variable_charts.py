"""Control charts of measured values: individuals with moving range (XmR), and EWMA.

Values of neighbouring frames resemble each other, and a moving range between them is too small: give one value a part,
a coil or a minute.
"""

from collections.abc import Collection

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.statistics.charts import D2, D3, Baseline, Chart, Floats, judged, known, measured
from storage.statistics.missing import Missing
from storage.statistics.run_rules import BEYOND_ONLY, NELSON, Rule


class Xmr(msgspec.Struct, frozen=True, kw_only=True):
    individuals: Chart
    ranges: Chart | Missing  # of each value from the one before; missing where there is one value


def xmr_charts(
    values: ArrayLike,
    *,
    baseline: Baseline | None = None,
    exclude: Collection[int] = (),
    rules: Collection[Rule] = NELSON,
    run: int | None = None,
) -> Xmr | Missing:
    """Mean ± 3 MR̄/1.128 for the values (N,); 0 to 3.267 MR̄ for their moving ranges (Montgomery, ch. 6.4).

    Needs two values that differ, or a baseline. An excluded value is in no estimate, and no range reaches over it.
    """
    x = measured(values, "values")
    estimated = ~np.isin(np.arange(len(x)), list(exclude))
    basis = known("individuals", baseline) if baseline else _estimate(x, estimated)
    if isinstance(basis, Missing):
        return basis
    if not len(x):
        return Missing("a chart needs a value; there is none")
    reach, frozen, excluded = 3 * basis.sigma, baseline is not None, np.flatnonzero(~estimated).tolist()
    mean_range = basis.sigma * D2
    of_ranges = msgspec.structs.replace(basis, kind="moving range", centre=mean_range)
    return Xmr(
        individuals=judged(
            "individuals",
            index=np.arange(len(x)),
            values=x,
            centre=basis.centre,
            sigma=basis.sigma,
            lower=basis.centre - reach,
            upper=basis.centre + reach,
            rules=rules,
            run=run,
            baseline=basis,
            frozen=frozen,
            excluded=excluded,
        ),
        ranges=Missing("a moving range needs 2 values; there is 1")
        if len(x) < 2
        else judged(
            "moving range",
            index=np.arange(1, len(x)),
            values=np.abs(np.diff(x)),
            centre=mean_range,
            sigma=basis.sigma * D3,
            lower=0.0,
            upper=mean_range + 3 * basis.sigma * D3,
            rules=BEYOND_ONLY,
            run=run,
            baseline=of_ranges,
            frozen=frozen,
            excluded=excluded,
        ),
    )


def ewma_chart(
    values: ArrayLike, *, weight: float = 0.2, width: float = 3.0, baseline: Baseline | None = None
) -> Chart | Missing:
    """Exponentially weighted moving average: zᵢ = w xᵢ + (1-w) zᵢ₋₁ from z₀ = centre.

    Limits: centre ± width · sigma · √(w/(2-w) · (1-(1-w)²ⁱ)), narrow at first (Lucas and Saccucci, Technometrics
    32(1), 1990; Montgomery, ch. 9.2). values (N,); weight in (0, 1], width in sigma. Only points beyond the limits
    signal: each holds those before it, so a run proves nothing. Needs two values that differ, or a baseline of kind
    "ewma", whose centre and sigma are those of one value.
    """
    if not 0 < weight <= 1 or width <= 0:
        raise ValueError(f"weight {weight} must be above 0 and at most 1, width {width} above 0")
    x = measured(values, "values")
    if baseline:
        basis: Baseline | Missing = known("ewma", baseline)
    else:
        basis = _estimate(x, np.ones(len(x), np.bool_))
        if isinstance(basis, Baseline):
            basis = msgspec.structs.replace(basis, kind="ewma")
    if isinstance(basis, Missing):
        return basis
    if not len(x):
        return Missing("a chart needs a value; there is none")
    z, last = np.empty_like(x), basis.centre
    for i, value in enumerate(x):
        last = weight * float(value) + (1 - weight) * last
        z[i] = last
    spread = np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * np.arange(1, len(x) + 1))))
    reach = width * basis.sigma * spread
    return judged(
        "ewma",
        index=np.arange(len(x)),
        values=z,
        centre=basis.centre,
        sigma=reach / 3,  # so that N1 signals beyond the limits, however wide they are
        lower=basis.centre - reach,
        upper=basis.centre + reach,
        rules=BEYOND_ONLY,
        run=None,
        baseline=basis,
        frozen=baseline is not None,
    )


def _estimate(x: Floats, estimated: NDArray[np.bool_]) -> Baseline | Missing:
    used = x[estimated]
    pairs = estimated[1:] & estimated[:-1]
    if not pairs.any():
        return Missing(f"limits need 2 values in a row, or a baseline; there are {len(used)} values")
    sigma = float(np.mean(np.abs(np.diff(x))[pairs]) / D2)
    if sigma == 0:
        return Missing(f"all of {len(used)} values are the same as their neighbours: limits need some that differ")
    return Baseline(kind="individuals", centre=float(used.mean()), sigma=sigma, points=len(used), size=len(used))
