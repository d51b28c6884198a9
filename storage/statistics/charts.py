"""What a control chart is: points with their limits, the signals among them, and limits that can be kept."""

from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from storage.statistics.missing import Missing
from storage.statistics.run_rules import Rule, Signal, run_lengths, run_rules

Kind = Literal[
    "p", "np", "c", "u", "laney p′", "laney u′", "g", "t", "t, power 1/3.6", "individuals", "moving range", "ewma"
]
Floats = NDArray[np.float64]

D2 = 2 / np.sqrt(np.pi)  # 1.128: mean range of two draws from a normal distribution, in sigma
D3 = np.sqrt(2 - 4 / np.pi)  # 0.853: its standard deviation


class Point(msgspec.Struct, frozen=True, kw_only=True):
    index: int  # among what was given
    value: float
    centre: float
    lower: float
    upper: float


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """Limits to keep: who froze them, and why, is the caller's to record."""

    kind: Kind
    centre: float  # p, np: share of parts; c: defects a sample; u: defects a unit; g: chance of a defect; else the mean
    sigma: float = 1.0  # Laney: σz; variables: sigma of one value; 1 where the centre alone gives the limits
    points: int  # it was estimated from
    size: float = 0.0  # parts, units or defects in them


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    kind: Kind
    points: tuple[Point, ...]
    signals: tuple[Signal, ...]
    rules: tuple[Rule, ...]  # applied
    runs: dict[Rule, int]  # how many points on one side are a run, by those of the rules that say so
    baseline: Baseline
    frozen: bool  # the limits are those of a baseline that was given
    left_out: tuple[int, ...] = ()  # indices without a point: nothing was inspected
    excluded: tuple[int, ...] = ()  # drawn, but not in the estimate


def judged(
    kind: Kind,
    *,
    index: Sequence[int] | NDArray[np.int64],
    values: Floats,
    centre: ArrayLike,
    sigma: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    rules: Collection[Rule],
    run: int | None,
    baseline: Baseline,
    frozen: bool,
    left_out: Sequence[int] = (),
    excluded: Sequence[int] = (),
) -> Chart:
    """A chart of values (N,); centre, sigma, lower and upper are (N,) or one number. Indices lie in `index` (N,)."""
    signals = run_rules(values, centre=centre, sigma=sigma, rules=rules, run=run)
    columns = [np.broadcast_to(np.asarray(each, np.float64), values.shape) for each in (centre, lower, upper)]
    return Chart(
        kind=kind,
        points=tuple(
            Point(index=int(at), value=float(value), centre=float(mid), lower=float(low), upper=float(high))
            for at, value, mid, low, high in zip(index, values, *columns, strict=True)
        ),
        signals=tuple(
            Signal(rule=each.rule, index=int(index[each.index]), since=int(index[each.since])) for each in signals
        ),
        rules=tuple(rules),
        runs=run_lengths(rules, run),
        baseline=baseline,
        frozen=frozen,
        left_out=tuple(left_out),
        excluded=tuple(excluded),
    )


def in_phases(
    draw: Callable[[slice], Chart | Missing], starts: Sequence[int], *, points: int
) -> tuple[Chart | Missing, ...]:
    """A chart for each phase, with limits of its own; no run and no moving range reaches over a border.

    `starts` are the first indices of the phases, rising from 0; `draw` charts one slice of the series of `points`
    points. The indices of the charts are those of the whole series. ValueError where the starts do not rise from 0.
    """
    borders = [*starts, points]
    if not starts or starts[0] != 0 or any(a >= b for a, b in pairwise(borders)):
        raise ValueError(f"starts: {list(starts)} do not rise from 0 to less than {points}")
    return tuple(_moved(draw(slice(first, end)), first) for first, end in pairwise(borders))


def known(kind: Kind, baseline: Baseline) -> Baseline:
    """The baseline; ValueError where it is one of another chart."""
    if baseline.kind != kind:
        raise ValueError(f"baseline: it is one of a chart of kind {baseline.kind!r}, not {kind!r}")
    return baseline


def moving_range_sigma(values: Floats) -> float:
    """Mean moving range of neighbours / 1.128: what varies from one to the next, without what drifts."""
    return float(np.mean(np.abs(np.diff(values))) / D2)


def counts(values: ArrayLike, name: str) -> Floats:
    """(N,) whole numbers, none below 0; else ValueError."""
    found = measured(values, name)
    if np.any(found < 0) or np.any(found != np.floor(found)):
        raise ValueError(f"{name}: whole numbers from 0 are needed")
    return found


def measured(values: ArrayLike, name: str) -> Floats:
    """(N,) finite numbers; else ValueError."""
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not np.all(np.isfinite(found)):
        raise ValueError(f"{name}: one row of finite numbers is needed")
    return found


def _moved(chart: Chart | Missing, by: int) -> Chart | Missing:
    match chart:
        case Missing():
            return chart
        case Chart():
            return msgspec.structs.replace(
                chart,
                points=tuple(msgspec.structs.replace(point, index=point.index + by) for point in chart.points),
                signals=tuple(
                    msgspec.structs.replace(signal, index=signal.index + by, since=signal.since + by)
                    for signal in chart.signals
                ),
                left_out=tuple(at + by for at in chart.left_out),
                excluded=tuple(at + by for at in chart.excluded),
            )
