"""Bounds of a share agree with statsmodels, and hold as often as they promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from storage.statistics.missing import Missing
from storage.statistics.proportions import Proportion, clopper_pearson, lower_bound, upper_bound, wilson

COUNTS = st.tuples(st.integers(0, 400), st.integers(1, 400)).map(lambda pair: (min(pair), max(*pair, 1)))


def shown(found: Proportion | Missing) -> Proportion:
    assert isinstance(found, Proportion), found
    return found


@settings(deadline=None)
@given(COUNTS, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_bounds_agree_with_statsmodels(counts: tuple[int, int], confidence: float) -> None:
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "beta")):
        found = shown(ours(*counts, confidence=confidence))

        low, high = proportion_confint(*counts, alpha=1 - confidence, method=method)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
        assert 0 <= found.low <= found.estimate <= found.high <= 1


def test_none_of_n_leaves_the_rule_of_three() -> None:
    assert upper_bound(0, 60) == pytest.approx(1 - 0.05 ** (1 / 60))
    assert upper_bound(0, 1_000_000) == pytest.approx(3e-6, rel=2e-3)


def test_29_of_29_show_90_percent_and_28_do_not() -> None:
    assert lower_bound(29, 29) == pytest.approx(0.9019, abs=5e-5)
    assert isinstance(least := lower_bound(28, 28), float)
    assert least < 0.9
    assert isinstance(one_missed := lower_bound(45, 46), float)
    assert one_missed > 0.9  # the next plan of the table: 46 with one miss


@settings(deadline=None)
@given(COUNTS)
def test_a_one_sided_bound_is_the_side_of_an_interval(counts: tuple[int, int]) -> None:
    both = shown(clopper_pearson(*counts, confidence=0.9))

    assert (lower_bound(*counts), upper_bound(*counts)) == pytest.approx((both.low, both.high))


@pytest.mark.parametrize("of", [5, 29, 120])
def test_clopper_pearson_never_holds_less_often_than_it_says(of: int) -> None:
    shares = np.linspace(0.001, 0.999, 400)
    bounds = [shown(clopper_pearson(hits, of)) for hits in range(of + 1)]

    held = [
        sum(binom.pmf(hits, of, share) for hits, each in enumerate(bounds) if each.low <= share <= each.high)
        for share in shares
    ]

    assert min(held) >= 0.95
    walds = [(hits / of, 1.96 * np.sqrt(hits / of * (1 - hits / of) / of)) for hits in range(of + 1)]
    broken = [
        sum(binom.pmf(hits, of, share) for hits, (mid, reach) in enumerate(walds) if abs(mid - share) <= reach)
        for share in shares
    ]
    assert min(broken) < 0.2  # the twin: mean ± 1.96 standard errors


def test_no_part_has_no_share() -> None:
    for found in (wilson(0, 0), clopper_pearson(0, 0), upper_bound(0, 0), lower_bound(0, 0)):
        assert isinstance(found, Missing)


@pytest.mark.parametrize(("hits", "of"), [(-1, 3), (4, 3)])
def test_what_cannot_be_is_refused(hits: int, of: int) -> None:
    with pytest.raises(ValueError, match=f"{hits} of {of}"):
        wilson(hits, of)
