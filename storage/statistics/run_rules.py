"""Run rules of control charts: which points, seen with those before them, are no work of chance.

    N1       WE1  one point beyond 3 sigma
    N2       WE4  a run on one side of the centre: 9 points (Nelson), 8 (Western Electric), or as the caller says
    N3            6 points in a row that all rise, or all fall
    N4            14 points in a row that rise and fall by turns
    N5       WE2  2 of 3 points beyond 2 sigma, on the same side
    N6       WE3  4 of 5 points beyond 1 sigma, on the same side
    N7            15 points in a row within 1 sigma
    N8            8 points in a row beyond 1 sigma, on either side

Sources: Western Electric, Statistical Quality Control Handbook (1956); Nelson, The Shewhart control chart: tests for
special causes, J. Quality Technology 16(4), 1984 (whose wording of N8 asks for points on both sides; most
tools do not). A chart of attributes takes N1 to N4 (and WE1 and WE4, which are two of them): the others count points
in zones of a symmetric distribution, which a count near 0 does not have.
"""

from collections.abc import Collection
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

Rule = Literal["N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8", "WE1", "WE2", "WE3", "WE4"]

NELSON: tuple[Rule, ...] = ("N1", "N2", "N3", "N4", "N5", "N6", "N7", "N8")
WESTERN_ELECTRIC: tuple[Rule, ...] = ("WE1", "WE2", "WE3", "WE4")
OF_ATTRIBUTES: tuple[Rule, ...] = ("N1", "N2", "N3", "N4")
BEYOND_ONLY: tuple[Rule, ...] = ("N1",)  # where each point carries the ones before it, runs prove nothing
OWN_RUN: dict[Rule, int] = {"N2": 9, "WE4": 8}
RUNS = (8, 9)  # tools differ in how long a run is, so a chart says which one it used
MAY_OF_ATTRIBUTES = frozenset({*OF_ATTRIBUTES, "WE1", "WE4"})
ROUNDING = 1e-9  # in sigma: a point on a limit is not beyond it, however its last bit was rounded


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that a point completes."""

    rule: Rule
    index: int  # of the point
    since: int  # index of the first point that the rule looked at


def of_attributes(rules: Collection[Rule]) -> None:
    """Raises ValueError where a rule is not one for attributes."""
    if wrong := sorted(set(rules) - MAY_OF_ATTRIBUTES):
        raise ValueError(f"rules {wrong}: a chart of attributes takes {sorted(MAY_OF_ATTRIBUTES)}")


def run_lengths(rules: Collection[Rule], run: int | None) -> dict[Rule, int]:
    """How many points on one side are a run, by those of the rules that say so. ValueError for a `run` not 8 or 9."""
    if run is not None and run not in RUNS:
        raise ValueError(f"run: {run} is not one of {RUNS}")
    return {rule: run or OWN_RUN[rule] for rule in rules if rule in OWN_RUN}


def run_rules(
    values: ArrayLike, *, centre: ArrayLike, sigma: ArrayLike, rules: Collection[Rule] = NELSON, run: int | None = None
) -> tuple[Signal, ...]:
    """The signals of a series, by index and then in the order of `rules`.

    values (N,) in the order of time; centre and sigma (N,) or one number, sigma > 0. `run` is the length of a run on
    one side, 8 or 9; None takes each rule's own. ValueError for another one, or for a sigma that is not above 0.
    """
    x = np.asarray(values, np.float64)
    if not x.size:
        return ()
    spread = np.broadcast_to(np.asarray(sigma, np.float64), x.shape)
    lengths = run_lengths(rules, run)
    if not np.all(spread > 0):
        raise ValueError("sigma: each point needs one above 0")
    off = x - np.asarray(centre, np.float64)
    z = off / spread
    off = np.where(np.abs(z) <= ROUNDING, 0.0, off)
    found = [
        Signal(rule=rule, index=int(at), since=int(at) - length + 1)
        for rule in rules
        for hits, length in [_completed(rule, x, off, z, lengths)]
        for at in np.flatnonzero(hits)
    ]
    return tuple(sorted(found, key=lambda signal: signal.index))


def _completed(
    rule: Rule, x: NDArray[np.float64], off: NDArray[np.float64], z: NDArray[np.float64], lengths: dict[Rule, int]
) -> tuple[NDArray[np.bool_], int]:
    """(N,): where the rule is complete, and how many points it looks at."""
    match rule:
        case "N1" | "WE1":
            return np.abs(z) > 3 + ROUNDING, 1
        case "N2" | "WE4":
            return _one_side(off, lengths[rule]), lengths[rule]
        case "N3":
            return _monotone(x, 6), 6
        case "N4":
            return _alternating(x, 14), 14
        case "N5" | "WE2":
            return _most_beyond(z, 2, of=3, sigmas=2.0), 3
        case "N6" | "WE3":
            return _most_beyond(z, 4, of=5, sigmas=1.0), 5
        case "N7":
            return _in_a_row(np.abs(z) < 1 - ROUNDING) >= 15, 15
        case "N8":
            return _in_a_row(np.abs(z) > 1 + ROUNDING) >= 8, 8


def _in_a_row(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(N,): how many points up to here are inside without a break."""
    at = np.arange(1, len(inside) + 1)
    broken = np.maximum.accumulate(np.where(inside, 0, at))
    return np.asarray(at - broken, np.int64)


def _one_side(off: NDArray[np.float64], length: int) -> NDArray[np.bool_]:
    return np.asarray((_in_a_row(off > 0) >= length) | (_in_a_row(off < 0) >= length))


def _monotone(x: NDArray[np.float64], length: int) -> NDArray[np.bool_]:
    """`length` points have one step less between them."""
    steps = np.diff(x, prepend=x[:1])
    return np.asarray((_in_a_row(steps > 0) >= length - 1) | (_in_a_row(steps < 0) >= length - 1))


def _alternating(x: NDArray[np.float64], length: int) -> NDArray[np.bool_]:
    way = np.sign(np.diff(x, prepend=x[:1]))
    turned = way * np.roll(way, 1) < 0
    turned[:2] = False  # the first step has none before it
    return np.asarray(_in_a_row(turned) >= length - 2)


def _most_beyond(z: NDArray[np.float64], least: int, *, of: int, sigmas: float) -> NDArray[np.bool_]:
    """At least so many of the last points are beyond, this one among them, all on one side."""
    hits = np.zeros(len(z), np.bool_)
    for side in (z, -z):
        beyond = side > sigmas + ROUNDING
        counts = np.convolve(beyond, np.ones(of, np.int64))[: len(z)]
        hits |= beyond & (counts >= least)
    return hits
