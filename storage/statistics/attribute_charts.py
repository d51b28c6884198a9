"""Control charts of attributes: p and np of defective parts, c and u of defects, and Laney's p′ and u′.

Limits are centre ± 3 sigma with the sigma of each point's own size, the lower one no less than 0 (Montgomery,
Introduction to Statistical Quality Control, ch. 7; NIST e-Handbook 6.3.3). With thousands of parts a point those
limits close in on the centre until every point is beyond them: what differs from lot to lot outgrows what chance does
to one. Laney, Improved control charts for attributes, Quality Engineering 14(4), 2002, widens them by σz, the mean
moving range of z = (value - centre) / sigma over 1.128. The standard deviation of z would take every drift and every
signal for noise.

Each chart needs two points of its own, or a `baseline`; subgroups without a part have no point. Indices in `exclude`
are drawn but not in the estimate.
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


def p_chart(
    defective: ArrayLike,
    inspected: ArrayLike,
    *,
    baseline: Baseline | None = None,
    exclude: Collection[int] = (),
    rules: Collection[Rule] = OF_ATTRIBUTES,
    run: int | None = None,
    laney: bool = False,
) -> Chart | Missing:
    """Share of defective parts: p̄ ± 3√(p̄(1-p̄)/nᵢ), or Laney's p̄ ± 3σz√(p̄(1-p̄)/nᵢ).

    defective, inspected (N,): parts of each subgroup. ValueError where more are defective than were inspected.
    """
    kind: Kind = "laney p′" if laney else "p"
    return _chart(kind, *_parts(defective, inspected), baseline=baseline, exclude=exclude, rules=rules, run=run)


def np_chart(
    defective: ArrayLike,
    inspected: ArrayLike,
    *,
    baseline: Baseline | None = None,
    exclude: Collection[int] = (),
    rules: Collection[Rule] = OF_ATTRIBUTES,
    run: int | None = None,
) -> Chart | Missing:
    """Count of defective parts: nᵢp̄ ± 3√(nᵢp̄(1-p̄)). Where nᵢ varies so does the centre; prefer p then."""
    return _chart("np", *_parts(defective, inspected), baseline=baseline, exclude=exclude, rules=rules, run=run)


def c_chart(
    defects: ArrayLike,
    *,
    baseline: Baseline | None = None,
    exclude: Collection[int] = (),
    rules: Collection[Rule] = OF_ATTRIBUTES,
    run: int | None = None,
) -> Chart | Missing:
    """Count of defects (N,) in samples of one size: c̄ ± 3√c̄."""
    found = counts(defects, "defects")
    return _chart("c", found, np.ones_like(found), baseline=baseline, exclude=exclude, rules=rules, run=run)


def u_chart(
    defects: ArrayLike,
    units: ArrayLike,
    *,
    baseline: Baseline | None = None,
    exclude: Collection[int] = (),
    rules: Collection[Rule] = OF_ATTRIBUTES,
    run: int | None = None,
    laney: bool = False,
) -> Chart | Missing:
    """Defects a unit: ū ± 3√(ū/nᵢ), or Laney's ū ± 3σz√(ū/nᵢ).

    defects, units (N,): units are parts, or metres or m², and need not be whole.
    """
    found, sizes = counts(defects, "defects"), measured(units, "units")
    if found.shape != sizes.shape or np.any(sizes < 0) or np.any(found[sizes == 0] > 0):
        raise ValueError("units: one from 0 is needed for each count of defects, above 0 where there is a defect")
    kind: Kind = "laney u′" if laney else "u"
    return _chart(kind, found, sizes, baseline=baseline, exclude=exclude, rules=rules, run=run)


def _parts(defective: ArrayLike, inspected: ArrayLike) -> tuple[Floats, Floats]:
    bad, sizes = counts(defective, "defective"), counts(inspected, "inspected")
    if bad.shape != sizes.shape or np.any(bad > sizes):
        raise ValueError("defective: one count is needed for each of `inspected`, and no larger")
    return bad, sizes


def _chart(
    kind: Kind,
    found: Floats,
    sizes: Floats,
    *,
    baseline: Baseline | None,
    exclude: Collection[int],
    rules: Collection[Rule],
    run: int | None,
) -> Chart | Missing:
    of_attributes(rules)
    index = np.flatnonzero(sizes > 0)
    left_out = np.flatnonzero(sizes == 0)
    hits, n = found[index], sizes[index]
    if not len(index):
        return Missing(f"none of {len(sizes)} subgroups has a part that was inspected")
    estimated = ~np.isin(index, list(exclude))
    basis = known(kind, baseline) if baseline else _estimate(kind, hits[estimated], n[estimated])
    if isinstance(basis, Missing):
        return basis
    shares = kind in {"p", "np", "laney p′"}
    sigma = basis.sigma * _sigma(basis.centre, n, shares=shares)
    values, centre, most = hits / n, np.full(len(n), basis.centre), 1.0 if shares else np.inf
    if kind == "np":
        values, centre, sigma, limit = hits, centre * n, sigma * n, n * most
    else:
        limit = np.full(len(n), most)
    return judged(
        kind,
        index=index,
        values=values,
        centre=centre,
        sigma=sigma,
        lower=np.maximum(centre - 3 * sigma, 0.0),
        upper=np.minimum(centre + 3 * sigma, limit),
        rules=rules,
        run=run,
        baseline=basis,
        frozen=baseline is not None,
        left_out=left_out.tolist(),
        excluded=index[~estimated].tolist(),
    )


def _estimate(kind: Kind, hits: Floats, n: Floats) -> Baseline | Missing:
    """From one phase: the centre weighted by size, and Laney's σz."""
    shares = kind in {"p", "np", "laney p′"}
    what = "parts" if shares else "units"
    if len(n) < 2:
        return Missing(f"limits need 2 subgroups with {what}, or a baseline; there are {len(n)}")
    total, size = float(hits.sum()), float(n.sum())
    if total == 0:
        return Missing(f"no defect in {size:g} {what}: limits need one, or a baseline; a chart of rare defects may do")
    if shares and total == size:
        return Missing(f"all of {size:g} parts are defective: limits need a good one, or a baseline")
    centre, sigma = total / size, 1.0
    if kind in {"laney p′", "laney u′"}:
        sigma = moving_range_sigma((hits / n - centre) / _sigma(centre, n, shares=shares))
        if sigma == 0:
            return Missing(f"each of {len(n)} subgroups has the same share: Laney's limits need some that differ")
    return Baseline(kind=kind, centre=centre, sigma=sigma, points=len(n), size=size)


def _sigma(centre: float, n: Floats, *, shares: bool) -> Floats:
    """Of a share of n parts (binomial), or of a rate of defects on n units (Poisson)."""
    variance = centre * (1 - centre) if shares else centre
    return np.asarray(np.sqrt(variance / n), np.float64)
