"""A quantile is a latency that was had; a histogram gives the edges between which it lies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.statistics.missing import Missing
from storage.statistics.quantiles import SHARES, Latency, latency, latency_of_counts

VALUES = st.lists(st.floats(0, 99.9), min_size=1, max_size=300)
EDGES = [0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, np.inf]


def shown(found: Latency | Missing) -> Latency:
    assert isinstance(found, Latency), found
    return found


@settings(deadline=None)
@given(VALUES)
def test_values_agree_with_numpy(values: list[float]) -> None:
    found = shown(latency(values))

    theirs = np.quantile(values, SHARES, method="inverted_cdf")
    assert [each.value for each in found.quantiles] == list(theirs)
    assert found.largest == max(values)


@settings(deadline=None)
@given(VALUES)
def test_a_histogram_brackets_what_the_values_have(values: list[float]) -> None:
    counts = np.histogram(values, EDGES)[0]

    exact, binned = shown(latency(values)), shown(latency_of_counts(EDGES, counts, largest=max(values)))

    assert binned.count == exact.count
    for one, other in zip(binned.quantiles, exact.quantiles, strict=True):
        assert one.at_least <= other.value <= one.value <= exact.largest


@settings(deadline=None)
@given(VALUES, VALUES)
def test_histograms_add_up(early: list[float], late: list[float]) -> None:
    added = np.histogram(early, EDGES)[0] + np.histogram(late, EDGES)[0]

    assert latency_of_counts(EDGES, added) == latency_of_counts(EDGES, np.histogram(early + late, EDGES)[0])


def test_a_rank_is_not_lost_to_rounding() -> None:
    values = np.arange(1, 1001)

    assert [each.value for each in shown(latency(values)).quantiles] == [500, 990, 999]


def test_an_interpolated_quantile_would_lie_below_the_largest() -> None:
    values = [1.0] * 499 + [100.0]

    found = shown(latency(values)).quantiles[-1]

    assert found.value == 100
    assert not found.resolved
    assert np.quantile(values, 0.999) < 60  # the broken twin
    assert shown(latency(np.arange(1000))).quantiles[-1].resolved


def test_above_the_last_edge_there_is_no_bound_but_the_largest() -> None:
    counts = [0, 0, 0, 0, 0, 1, 3]

    assert shown(latency_of_counts(EDGES, counts)).quantiles[0].value == np.inf
    assert shown(latency_of_counts(EDGES, counts, largest=73.0)).quantiles[0].value == 73
    with pytest.raises(ValueError, match="largest"):
        latency_of_counts(EDGES, counts, largest=3.0)


def test_nothing_has_no_quantile() -> None:
    assert isinstance(latency([]), Missing)
    assert isinstance(latency_of_counts([0, 1], [0]), Missing)
    with pytest.raises(ValueError, match="finite"):
        latency([float("nan")])
    with pytest.raises(ValueError, match="rise"):
        latency_of_counts([0, 0, 1], [1, 1])
    with pytest.raises(ValueError, match="share"):
        latency([1.0], (1.0,))
