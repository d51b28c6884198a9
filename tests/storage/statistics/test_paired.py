"""McNemar's test agrees with statsmodels and with the published mid-p."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from storage.statistics.missing import Missing
from storage.statistics.paired import McNemar, mcnemar, mcnemar_counts


def shown(found: McNemar | Missing) -> McNemar:
    assert isinstance(found, McNemar), found
    return found


def test_airway_hyper_responsiveness() -> None:
    """Fagerland, Lydersen and Laake 2013, table 1: exact 0.0703, mid-p 0.0391."""
    found = shown(mcnemar_counts(both=1, only_first=1, only_second=7, neither=12))

    assert (found.p_exact, found.p_mid) == pytest.approx((0.0703, 0.0391), abs=5e-5)
    assert found.difference == pytest.approx(6 / 21)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_exact_agrees_with_statsmodels(first: int, second: int) -> None:
    found = shown(mcnemar_counts(both=5, only_first=first, only_second=second, neither=3))

    theirs = statsmodels_mcnemar([[5, first], [second, 3]], exact=True).pvalue if first + second else 1.0
    assert found.p_exact == pytest.approx(theirs)


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mid_p_counts_half_of_what_is_as_far(first: int, second: int) -> None:
    found = shown(mcnemar_counts(both=5, only_first=first, only_second=second, neither=3))

    n, seen = first + second, abs(first - second)
    chances = [(abs(2 * k - n), binom.pmf(k, n, 0.5)) for k in range(n + 1)]
    by_hand = sum(p if far > seen else p / 2 if far == seen else 0 for far, p in chances)
    assert found.p_mid == pytest.approx(by_hand if n else 1.0)
    assert found.p_mid <= found.p_exact


def test_parts_are_paired_not_pooled() -> None:
    """300 parts, of which one judge misses 3 and the other those and 8 more: unpaired shares would not tell."""
    first, second = np.ones(300, bool), np.ones(300, bool)
    first[:11], second[:3] = False, False

    found = shown(mcnemar(first, second))

    assert (found.both, found.only_first, found.only_second, found.neither) == (289, 0, 8, 3)
    assert found.p_exact == pytest.approx(2 / 2**8)
    assert found.parts == 300


def test_nothing_to_compare() -> None:
    assert isinstance(mcnemar([], []), Missing)
    same = shown(mcnemar([True, False], [True, False]))
    assert (same.p_exact, same.p_mid, same.difference) == (1, 1, 0)
    with pytest.raises(ValueError, match="the same parts"):
        mcnemar([True], [True, False])
    with pytest.raises(ValueError, match="0 or more"):
        mcnemar_counts(both=-1, only_first=0, only_second=0, neither=3)
