"""Each rule fires at the point that completes it, there alone, and says which rule it is."""

import numpy as np
import pytest
from capstat_core.control_charts import ControlChart, ControlLimits
from capstat_core.rules import nelson_rules, western_electric_rules
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from shewhart._rules import RULES, apply_rules

from storage.statistics.run_rules import NELSON, WESTERN_ELECTRIC, Rule, Signal, of_attributes, run_rules

SERIES = st.lists(st.floats(-4, 4).map(lambda value: round(value, 3)), min_size=20, max_size=60)

PATTERNS: list[tuple[Rule, list[float], int]] = [
    ("N1", [0.1, -0.1, 3.2], 1),
    ("N2", [-0.1] + 9 * [0.3], 9),
    ("N3", [0.2, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35], 6),
    ("N4", [0.1 * (-1) ** n for n in range(14)], 14),
    ("N5", [0.1, -0.1, 2.2, 0.1, 2.1], 3),
    ("N6", [0.1, 1.2, 1.2, -0.3, 1.2, 1.2], 5),
    ("N7", [1.5] + 15 * [0.5], 15),
    ("N8", [0.5, 1.5, -1.5, 1.2, 1.3, -1.2, 1.1, -1.3, 1.4], 8),
    ("WE1", [0.1, -0.1, -3.2], 1),
    ("WE2", [0.1, -0.1, -2.2, 0.1, -2.1], 3),
    ("WE3", [0.1, -1.2, -1.2, 0.3, -1.2, -1.2], 5),
    ("WE4", [-0.1] + 8 * [0.3], 8),
]


def a_process(seed: int, length: int = 400) -> NDArray[np.float64]:
    """With a shift and a drift in it, so that every rule has work."""
    rng = np.random.Generator(np.random.PCG64(seed))
    shifts = np.repeat([0.0, 1.5, 0.0, -0.5], length // 4)
    return np.asarray(rng.normal(size=length) + shifts + np.linspace(0, 1, length))


@pytest.mark.parametrize(("rule", "values", "length"), [pytest.param(*each, id=each[0]) for each in PATTERNS])
def test_a_pattern_is_seen_at_its_last_point(rule: Rule, values: list[float], length: int) -> None:
    last = len(values) - 1

    assert run_rules(values, centre=0, sigma=1, rules=[rule]) == (
        Signal(rule=rule, index=last, since=last - length + 1),
    )
    assert run_rules(values[:-1], centre=0, sigma=1, rules=[rule]) == ()


@pytest.mark.parametrize("seed", range(6))
def test_nelson_agrees_with_capstat(seed: int) -> None:
    values = a_process(seed)
    chart = ControlChart("x", tuple(values), ControlLimits(center=0.0, upper=3.0, lower=-3.0), ())

    ours = {(int(signal.rule[1:]), signal.index) for signal in run_rules(values, centre=0, sigma=1)}

    theirs = {(each.rule, each.point) for each in nelson_rules(chart)}
    assert {each for each in ours if each[0] < 8} == {each for each in theirs if each[0] < 8}
    assert {each for each in theirs if each[0] == 8} <= ours  # there, N8 asks for points on both sides


@pytest.mark.parametrize("seed", range(6))
def test_western_electric_agrees_with_capstat(seed: int) -> None:
    values = a_process(seed)
    chart = ControlChart("x", tuple(values), ControlLimits(center=0.0, upper=3.0, lower=-3.0), ())

    found = run_rules(values, centre=0, sigma=1, rules=WESTERN_ELECTRIC)

    assert {(int(signal.rule[2:]), signal.index) for signal in found} == {
        (each.rule, each.point) for each in western_electric_rules(chart)
    }


@pytest.mark.parametrize("seed", range(6))
def test_the_first_point_of_each_run_agrees_with_shewhart(seed: int) -> None:
    """Shewhart reports a run whole; its points from the completing one on are our signals."""
    values = a_process(seed)
    lengths = {"nelson_2": 9, "nelson_3": 6, "nelson_4": 14, "nelson_7": 15, "nelson_8": 8}

    theirs = {
        (f"N{key[-1]}", point)
        for key, _, points in apply_rules(values, [key for key in RULES if key in lengths])
        for point in points[lengths[key] - 1 :]
    }

    ours = run_rules(values, centre=0, sigma=1, rules=["N2", "N3", "N4", "N7", "N8"])
    assert {(signal.rule, signal.index) for signal in ours} == theirs


@settings(deadline=None)
@given(SERIES)
def test_what_is_turned_upside_down_signals_the_same(values: list[float]) -> None:
    flipped = [-value for value in values]

    assert run_rules(values, centre=0, sigma=1) == run_rules(flipped, centre=0, sigma=1)


@settings(deadline=None)
@given(SERIES, st.integers(1, 19))
def test_no_later_point_takes_a_signal_back(values: list[float], kept: int) -> None:
    whole = run_rules(values, centre=0, sigma=1)

    assert run_rules(values[:kept], centre=0, sigma=1) == tuple(each for each in whole if each.index < kept)


def test_a_run_is_as_long_as_the_caller_says() -> None:
    eight = 8 * [0.5]

    assert run_rules(eight, centre=0, sigma=1, rules=["N2"]) == ()
    assert [each.index for each in run_rules(eight, centre=0, sigma=1, rules=["N2"], run=8)] == [7]
    with pytest.raises(ValueError, match="7 is not one of"):
        run_rules(eight, centre=0, sigma=1, run=7)


def test_a_point_on_a_limit_is_not_beyond_it_and_one_on_the_centre_breaks_a_run() -> None:
    assert run_rules([0.1 + 3 * 0.1], centre=0.1, sigma=0.1, rules=["N1"]) == ()
    assert run_rules(8 * [0.5] + [0.0] + 8 * [0.5], centre=0, sigma=1, rules=["N2"]) == ()


def test_a_run_looks_across_points_of_unlike_sigma() -> None:
    assert [each.index for each in run_rules([4.0, 4.0, 0.0], centre=0, sigma=[1.0, 2.0, 1.0], rules=["N1"])] == [0]


@pytest.mark.parametrize("rule", ["N5", "N6", "N7", "N8", "WE2", "WE3"])
def test_attributes_have_no_zones(rule: Rule) -> None:
    with pytest.raises(ValueError, match=rule):
        of_attributes([rule])


def test_a_signal_of_chance_is_as_rare_as_nelson_says() -> None:
    """All rules together signal once in 40 to 50 points of a normal process; N1 alone once in 370."""
    values = np.random.Generator(np.random.PCG64(1)).normal(size=200_000)

    alone = run_rules(values, centre=0, sigma=1, rules=["N1"])

    assert len(alone) / len(values) == pytest.approx(0.0027, rel=0.15)
    assert len({each.index for each in run_rules(values, centre=0, sigma=1)}) > 5 * len(alone)
    assert set(NELSON) == {each.rule for each in run_rules(values[:20_000], centre=0, sigma=1)}


def test_sigma_is_needed() -> None:
    with pytest.raises(ValueError, match="above 0"):
        run_rules([1.0, 2.0], centre=0, sigma=0)
    assert run_rules([], centre=0, sigma=1) == ()
