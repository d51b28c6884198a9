"""The ratio of two rates against an independent package, and its edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from storage.statistics.missing import Missing
from storage.statistics.rates import rate_ratio


@given(st.integers(1, 500), st.integers(1, 10**6), st.integers(1, 500), st.integers(1, 10**6))
def test_against_scipys_exact_interval_of_the_share(before: int, of: int, after: int, of_after: int) -> None:
    found = rate_ratio(before, of, after, of_after)

    assert not isinstance(found, Missing)
    assert found.ratio == pytest.approx((after / of_after) / (before / of))
    oracle = binomtest(after, before + after).proportion_ci(0.95, method="exact")
    bounds = [share / (1 - share) * of / of_after for share in (oracle.low, oracle.high)]
    assert [found.low, found.high] == pytest.approx(bounds)


def test_a_change_is_told_only_where_the_bounds_leave_out_one() -> None:
    clear, unclear = rate_ratio(10, 1000, 40, 1000), rate_ratio(10, 1000, 14, 1000)

    assert not isinstance(clear, Missing)
    assert not isinstance(unclear, Missing)
    assert clear.is_higher
    assert not clear.is_lower
    assert not unclear.is_higher
    assert not unclear.is_lower


def test_none_before_has_a_lower_bound_alone() -> None:
    found = rate_ratio(0, 1000, 8, 1000)

    assert not isinstance(found, Missing)
    assert (found.ratio, found.high) == (None, None)
    assert found.low == pytest.approx(0.025 ** (1 / 8) / (1 - 0.025 ** (1 / 8)))
    assert found.is_higher


def test_none_after() -> None:
    found = rate_ratio(8, 1000, 0, 1000)

    assert not isinstance(found, Missing)
    assert (found.ratio, found.low) == (0.0, 0.0)
    assert found.is_lower


@pytest.mark.parametrize("counts", [(0, 10, 0, 10), (3, 0, 1, 10), (3, 10, 1, 0)])
def test_nothing_to_compare_is_said(counts: tuple[int, int, int, int]) -> None:
    assert isinstance(rate_ratio(*counts), Missing)


def test_a_count_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="counts from 0"):
        rate_ratio(-1, 10, 1, 10)
