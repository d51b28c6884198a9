"""The vital few stand first, equal ones in the order given, and "other" last."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.statistics.missing import Missing
from storage.statistics.pareto import OTHER, Pareto, pareto

AMOUNTS = st.dictionaries(st.sampled_from([*"abcdefghijkl", OTHER]), st.integers(0, 20), max_size=13)


def shown(found: Pareto | Missing) -> Pareto:
    assert isinstance(found, Pareto), found
    return found


def test_rows_fall_and_other_is_last() -> None:
    found = shown(pareto({"scratch": 5, OTHER: 40, "pit": 30, "dent": 25}))

    assert [row.kind for row in found.rows] == ["pit", "dent", "scratch", OTHER]
    assert [row.cumulative for row in found.rows] == pytest.approx([0.30, 0.55, 0.60, 1.0])
    assert [row.vital for row in found.rows] == [True, True, True, False]
    assert not found.reached


def test_the_vital_few_are_as_few_as_reach_the_line() -> None:
    found = shown(pareto({"pit": 50, "dent": 30, "scratch": 15, "stain": 5}))

    assert [row.kind for row in found.rows if row.vital] == ["pit", "dent"]
    assert found.reached


def test_equal_kinds_keep_their_order() -> None:
    kinds = ["mill", "anneal", "zinc", "bend"]

    assert [row.kind for row in shown(pareto(dict.fromkeys(kinds, 3))).rows] == kinds


def test_kinds_beyond_the_most_are_counted_under_other() -> None:
    found = shown(pareto({"a": 9, "b": 8, "c": 2, OTHER: 1, "d": 1}, most=2))

    assert [(row.kind, row.amount) for row in found.rows] == [("a", 9), ("b", 8), (OTHER, 4)]
    assert found.merged == 2


@settings(deadline=None)
@given(AMOUNTS, st.integers(1, 12), st.sampled_from([0.5, 0.8, 1.0]))
def test_nothing_is_lost(amounts: dict[str, int], most: int, line: float) -> None:
    match pareto(amounts, most=most, line=line):
        case Missing():
            assert not sum(amounts.values())
        case Pareto() as found:
            kept = [row.amount for row in found.rows if row.kind != OTHER]
            assert sum(row.amount for row in found.rows) == found.total == sum(amounts.values())
            assert found.rows[-1].cumulative == pytest.approx(1)
            assert kept == sorted(kept, reverse=True)
            vital = [row for row in found.rows if row.vital]
            assert not found.reached or vital[-1].cumulative >= line - 1e-9
            assert all(row.cumulative < line for row in vital[:-1])


def test_a_negative_amount_is_refused_and_nothing_is_missing() -> None:
    with pytest.raises(ValueError, match="pit"):
        pareto({"pit": -1})
    with pytest.raises(ValueError, match="line"):
        pareto({"pit": 1}, line=0)
    assert isinstance(pareto({"pit": 0}), Missing)
