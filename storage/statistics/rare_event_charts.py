"""Charts of what lies between rare defects, where a p-chart would show points at 0: g of good parts, t of time.

Both have probability limits: on each side of the median a chance of 0.00135, as 3 sigma leave of a normal
distribution. 3-sigma limits (Kaminsky et al., Statistical control charts based on a geometric distribution, J.
Quality Technology 24(2), 1992) have no lower one here, so that nothing could signal that defects have become denser.
A point below the lower limit is a worse line, one above the upper a better line. Where defects are frequent the lower
limit falls to 0: then a run below the centre (N2) is what signals.

g: the good parts between two defects are geometric, P(X > k) = (1-p)^(k+1). p̂ = (N-1)/(T-1) from N intervals of T
parts, defective ones included, is unbiased (Haldane, On a method of estimating frequencies, Biometrika 33, 1945;
Benneyan, Number-between g-type statistical quality control charts, Health Care Management Science 4, 2001).

t: the time between two defects is exponential with mean θ: limits -θ ln(1-0.00135), θ ln 2, -θ ln 0.00135. Where
defects come in bursts, or evenly, it is not: `nelson` takes y = t^(1/3.6), which is near to normal for the
exponential, draws y's mean ± 3 moving-range sigma, and turns them back (Nelson, A control chart for parts-per-million
nonconforming items, J. Quality Technology 26(3), 1994).
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import ArrayLike

from storage.statistics.charts import (
    Baseline,
    Chart,
    Floats,
    Kind,
    counts,
    judged,
    known,
    measured,
    moving_range_sigma,
)
from storage.statistics.missing import Missing
from storage.statistics.run_rules import OF_ATTRIBUTES, Rule, of_attributes

TAIL = 0.0013498980316301035  # of a normal distribution beyond 3 sigma, on one side
POWER = 3.6  # Nelson's


def g_chart(
    good_between: ArrayLike,
    *,
    baseline: Baseline | None = None,
    rules: Collection[Rule] = OF_ATTRIBUTES,
    run: int | None = None,
) -> Chart | Missing:
    """Good parts between one defective part and the next (N,), 0 where they follow each other.

    Needs two intervals, or a baseline. Rules as for other attributes.
    """
    of_attributes(rules)
    good = counts(good_between, "good_between")
    if lack := _lacks_points(good, baseline):
        return lack
    basis = known("g", baseline) if baseline else _chance(good)
    if isinstance(basis, Missing):
        return basis
    lower, centre, upper = _geometric_limits(basis.centre)
    return _chart("g", good, (lower, centre, upper), basis, frozen=baseline is not None, rules=rules, run=run)


def t_chart(
    times_between: ArrayLike,
    *,
    nelson: bool = False,
    baseline: Baseline | None = None,
    rules: Collection[Rule] = OF_ATTRIBUTES,
    run: int | None = None,
) -> Chart | Missing:
    """Time between one defect and the next (N,), ≥ 0, in any unit; needs 2 or a baseline. See above for `nelson`."""
    of_attributes(rules)
    times = measured(times_between, "times_between")
    if np.any(times < 0):
        raise ValueError("times_between: none may be below 0")
    if lack := _lacks_points(times, baseline):
        return lack
    kind: Kind = "t, power 1/3.6" if nelson else "t"
    if baseline:
        basis = known(kind, baseline)
    else:
        if not times.any():
            return Missing(f"all of {len(times)} times between defects are 0: limits need some that are not")
        y = times ** (1 / POWER)
        centre, sigma = (float(y.mean()), moving_range_sigma(y)) if nelson else (float(times.mean()), 1.0)
        if sigma == 0:
            return Missing(f"all of {len(times)} times between defects are the same: limits need some that differ")
        basis = Baseline(kind=kind, centre=centre, sigma=sigma, points=len(times), size=len(times))
    if nelson:
        reach = 3 * basis.sigma
        limits = (max(basis.centre - reach, 0.0) ** POWER, basis.centre**POWER, (basis.centre + reach) ** POWER)
    else:
        limits = (-basis.centre * np.log1p(-TAIL), basis.centre * np.log(2), -basis.centre * np.log(TAIL))
    return _chart(kind, times, limits, basis, frozen=baseline is not None, rules=rules, run=run)


def _lacks_points(values: Floats, baseline: Baseline | None) -> Missing | None:
    least = 1 if baseline else 2
    if len(values) >= least:
        return None
    return Missing(
        f"a chart needs {least} intervals between defects{'' if baseline else ', or a baseline'}; "
        f"there are {len(values)}"
    )


def _chance(good: Floats) -> Baseline | Missing:
    parts = float(good.sum()) + len(good)
    chance = (len(good) - 1) / (parts - 1)
    if chance > 0.5:
        return Missing(f"{len(good)} of {parts:g} parts are defective: that is not rare; a p-chart shows it")
    return Baseline(kind="g", centre=chance, points=len(good), size=parts)


def _geometric_limits(chance: float) -> tuple[float, float, float]:
    """Whole numbers: P(X < lower) and P(X > upper) are at most TAIL, and no limit further inside is; the median."""
    log_good = np.log1p(-chance)
    lower = np.floor(np.log1p(-TAIL) / log_good)
    centre, upper = (max(np.ceil(np.log(tail) / log_good - 1 - 1e-12), 0.0) for tail in (0.5, TAIL))
    return float(lower), float(centre), float(upper)


def _chart(
    kind: Kind,
    values: Floats,
    limits: tuple[float, float, float],
    basis: Baseline,
    *,
    frozen: bool,
    rules: Collection[Rule],
    run: int | None,
) -> Chart:
    """The limits lie unlike far from the centre: each side has a third of its own as sigma."""
    lower, centre, upper = limits
    below = (centre - lower) / 3 or 1.0  # where the centre is the lower limit, it is 0, and no point lies below
    return judged(
        kind,
        index=np.arange(len(values)),
        values=values,
        centre=centre,
        sigma=np.where(values < centre, below, (upper - centre) / 3),
        lower=lower,
        upper=upper,
        rules=rules,
        run=run,
        baseline=basis,
        frozen=frozen,
    )
