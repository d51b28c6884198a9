"""What was sampled unlike is weighted, and the bounds hold whatever the counts."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from storage.statistics.missing import Missing
from storage.statistics.proportions import Proportion, clopper_pearson
from storage.statistics.strata import Estimate, Stratum, stratified


def a_stratum(parts: int, reviewed: int, wrong: int, name: str = "clear") -> Stratum:
    return Stratum(name=name, parts=parts, reviewed=reviewed, wrong=wrong)


def shown(found: Estimate | Missing) -> Estimate:
    assert isinstance(found, Estimate), found
    return found


def test_a_stratum_counts_by_its_parts_not_by_its_reviews() -> None:
    clear, grey = a_stratum(100_000, 1_000, 1), a_stratum(500, 500, 50, "grey")

    found = shown(stratified([clear, grey]))

    assert found.wrong == pytest.approx(100_000 / 1_000 + 50)
    assert found.share == pytest.approx(150 / 100_500)
    assert found.share < 51 / 1_500 / 20  # the broken twin: all reviews in one pot


def test_one_stratum_of_many_parts_is_clopper_pearson() -> None:
    found = shown(stratified([a_stratum(10_000_000, 2_000, 3)]))

    exact = clopper_pearson(3, 2_000)
    assert isinstance(exact, Proportion)
    assert (found.share_low, found.share_high) == pytest.approx((exact.low, exact.high), rel=1e-3)


@pytest.mark.parametrize(("parts", "reviewed"), [(40, 12), (25, 24)])
def test_one_stratum_is_exact(parts: int, reviewed: int) -> None:
    """Whatever the number of wrong parts: each tail misses it at most 2.5 % of the time."""
    bounds = [shown(stratified([a_stratum(parts, reviewed, wrong)])) for wrong in range(reviewed + 1)]

    for wrong in range(parts + 1):
        chance = hypergeom(parts, wrong, reviewed).pmf
        assert sum(chance(seen) for seen, each in enumerate(bounds) if each.wrong_high < wrong) <= 0.025
        assert sum(chance(seen) for seen, each in enumerate(bounds) if each.wrong_low > wrong) <= 0.025


def test_bounds_are_as_narrow_as_the_test_allows() -> None:
    found = shown(stratified([a_stratum(1_000, 100, 2)]))

    assert hypergeom.cdf(2, 1_000, found.wrong_high, 100) > 0.025 >= hypergeom.cdf(2, 1_000, found.wrong_high + 1, 100)
    assert hypergeom.sf(1, 1_000, found.wrong_low, 100) > 0.025 >= hypergeom.sf(1, 1_000, found.wrong_low - 1, 100)


def test_two_strata_hold_together() -> None:
    sizes = ((20, 6), (12, 8))
    counts = [range(reviewed + 1) for _, reviewed in sizes]
    bounds = {
        seen: shown(
            stratified([a_stratum(*size, wrong, name=str(wrong)) for size, wrong in zip(sizes, seen, strict=True)])
        )
        for seen in product(*counts)
    }

    for true in product(*(range(parts + 1) for parts, _ in sizes)):
        chances = [hypergeom(parts, k, reviewed).pmf for (parts, reviewed), k in zip(sizes, true, strict=True)]
        held = sum(
            chances[0](seen[0]) * chances[1](seen[1])
            for seen, each in bounds.items()
            if each.wrong_low <= sum(true) <= each.wrong_high
        )
        assert held >= 0.95


def test_what_was_reviewed_whole_costs_no_confidence() -> None:
    alone = shown(stratified([a_stratum(1_000, 100, 2)]))

    beside = shown(stratified([a_stratum(1_000, 100, 2), a_stratum(70, 70, 5, "grey")]))

    assert (beside.wrong_low, beside.wrong_high) == (alone.wrong_low + 5, alone.wrong_high + 5)


def test_no_escape_found_is_not_none_at_all() -> None:
    """Where a normal approximation would have a width of 0."""
    found = shown(stratified([a_stratum(50_000, 500, 0), a_stratum(3_000, 300, 0, "grey")]))

    assert (found.wrong, found.wrong_low) == (0, 0)
    assert 50_000 * 3.6 / 500 < found.wrong_high < 50_000 * 6 / 500


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 300)] * 3).map(sorted), min_size=1, max_size=4))
def test_the_estimate_lies_within_its_bounds(triples: list[list[int]]) -> None:
    strata = [a_stratum(parts, reviewed, wrong, str(n)) for n, (wrong, reviewed, parts) in enumerate(triples)]

    match stratified(strata):
        case Missing(why=why):
            assert why
        case Estimate() as found:
            assert found.wrong_low <= found.wrong + 1e-9
            assert found.wrong <= found.wrong_high + 1e-9
            assert sum(each.wrong for each in strata) <= found.wrong_low
            assert found.wrong_high <= found.parts - sum(each.reviewed - each.wrong for each in strata)


def test_a_stratum_that_nobody_reviewed_is_named() -> None:
    found = stratified([a_stratum(10, 5, 0), a_stratum(10, 0, 0, "dark"), a_stratum(0, 0, 0, "empty")])

    assert isinstance(found, Missing)
    assert "no part of dark" in found.why
    assert isinstance(stratified([]), Missing)
    assert isinstance(stratified([a_stratum(0, 0, 0)]), Missing)


def test_more_wrong_than_reviewed_is_refused() -> None:
    with pytest.raises(ValueError, match="clear: 4 wrong of 3"):
        stratified([a_stratum(10, 3, 4)])
