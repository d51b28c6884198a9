"""Yields as Six Sigma tables have them, in which what was not inspected is never good."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.statistics.missing import Missing
from storage.statistics.yields import (
    Outcomes,
    SigmaLevel,
    coverage,
    defects_per_million,
    defects_per_unit,
    first_pass_yield,
    rolled_throughput_yield,
    sigma_level,
    yield_of_inspected,
)

OUTCOMES = st.builds(
    Outcomes, passed=st.integers(0, 999), rejected=st.integers(0, 99), not_inspected=st.integers(0, 99)
)


@pytest.mark.parametrize(
    ("dpmo", "shifted"),
    [(3.4, 6.0), (233, 5.0), (6_210, 4.0), (66_807, 3.0), (308_538, 2.0), (691_462, 1.0), (500_000, 1.5)],
)
def test_sigma_levels_of_the_printed_table(dpmo: float, shifted: float) -> None:
    found = sigma_level(dpmo)

    assert isinstance(found, SigmaLevel)
    assert found.shifted == pytest.approx(shifted, abs=2e-3)
    assert found.unshifted == pytest.approx(shifted - 1.5, abs=2e-3)


def test_what_was_not_inspected_is_not_good() -> None:
    shift = Outcomes(passed=90, rejected=5, not_inspected=5)

    assert first_pass_yield(shift) == pytest.approx(0.90)
    assert yield_of_inspected(shift) == pytest.approx(90 / 95)
    assert coverage(shift) == pytest.approx(0.95)
    assert first_pass_yield(shift) != 1 - shift.rejected / shift.triggers  # the broken twin: all that was not rejected


@settings(deadline=None)
@given(OUTCOMES, st.integers(1, 50))
def test_an_uninspected_part_never_lifts_a_yield(before: Outcomes, more: int) -> None:
    after = Outcomes(passed=before.passed, rejected=before.rejected, not_inspected=before.not_inspected + more)

    had, has = first_pass_yield(before), first_pass_yield(after)

    assert isinstance(has, float)
    assert isinstance(had, Missing) or has <= had
    assert before.inspected == after.inspected == 0 or yield_of_inspected(before) == yield_of_inspected(after)


@settings(deadline=None)
@given(OUTCOMES)
def test_first_pass_is_coverage_times_yield_of_inspected(outcomes: Outcomes) -> None:
    whole, seen, good = first_pass_yield(outcomes), coverage(outcomes), yield_of_inspected(outcomes)

    if isinstance(seen, float) and isinstance(good, float):
        assert whole == pytest.approx(seen * good)


def test_steps_multiply() -> None:
    steps = [Outcomes(passed=95, rejected=5, not_inspected=0), Outcomes(passed=85, rejected=5, not_inspected=10)]

    assert rolled_throughput_yield(steps) == pytest.approx(0.95 * 0.85)


def test_defects_by_units_and_opportunities() -> None:
    assert defects_per_unit(30, 200) == pytest.approx(0.15)
    assert defects_per_million(30, 200, opportunities=10) == pytest.approx(15_000)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        pytest.param(coverage(Outcomes(passed=0, rejected=0, not_inspected=0)), "no trigger", id="coverage"),
        pytest.param(first_pass_yield(Outcomes(passed=0, rejected=0, not_inspected=0)), "no trigger", id="fpy"),
        pytest.param(yield_of_inspected(Outcomes(passed=0, rejected=0, not_inspected=7)), "none of 7", id="inspected"),
        pytest.param(rolled_throughput_yield([]), "0 of 0", id="rty-no-step"),
        pytest.param(
            rolled_throughput_yield(
                [Outcomes(passed=1, rejected=0, not_inspected=0), Outcomes(passed=0, rejected=0, not_inspected=0)]
            ),
            "1 of 2",
            id="rty-silent-step",
        ),
        pytest.param(defects_per_unit(0, 0), "no unit", id="dpu"),
        pytest.param(defects_per_million(0, 0, opportunities=3), "no unit", id="dpmo"),
        pytest.param(defects_per_million(7, 2, opportunities=3), "has more of them", id="too-few-opportunities"),
        pytest.param(sigma_level(0), "take its bound", id="no-defect"),
        pytest.param(sigma_level(1e6), "take its bound", id="all-defects"),
    ],
)
def test_what_is_missing_is_said(found: float | SigmaLevel | Missing, why: str) -> None:
    assert isinstance(found, Missing)
    assert why in found.why


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        Outcomes(passed=-1, rejected=0, not_inspected=0)
    with pytest.raises(ValueError, match="defects on"):
        defects_per_unit(3, 0)
    with pytest.raises(ValueError, match="opportunities"):
        defects_per_million(3, 3, opportunities=0)
    with pytest.raises(ValueError, match="dpmo"):
        sigma_level(math.nan)
