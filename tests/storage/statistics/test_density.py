"""A cell counts what lies in it, by its own area, and what lies off the part is counted apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.statistics.density import Density, density
from storage.statistics.missing import Missing

POINTS = st.lists(st.tuples(st.floats(-10, 120), st.floats(-10, 80)), max_size=60)


def shown(found: Density | Missing) -> Density:
    assert isinstance(found, Density), found
    return found


def test_a_defect_is_counted_in_its_cell() -> None:
    found = shown(density([5, 15, 99, 100], [5, 5, 45, 50], width_mm=100, length_mm=50, cell_mm=10, parts=2))

    assert found.counts.shape == (5, 10)
    assert (found.counts[0, 0], found.counts[0, 1], found.counts[4, 9]) == (1, 1, 2)
    assert found.per_m2[0, 0] == pytest.approx(1 / (1e-4 * 2))


def test_a_narrow_last_cell_has_its_own_area() -> None:
    found = shown(density([95.0], [5.0], width_mm=97, length_mm=10, cell_mm=30, parts=1))

    assert list(found.x_edges_mm) == [0, 30, 60, 90, 97]
    assert list(found.y_edges_mm) == [0, 10]
    assert found.per_m2[0, 3] == pytest.approx(1e6 / 70)
    assert found.per_m2[0, 3] > 1e6 / 900  # the broken twin: cells of one area


@settings(deadline=None)
@given(POINTS, st.sampled_from([7.0, 10.0, 33.0]))
def test_each_defect_is_counted_once(points: list[tuple[float, float]], cell_mm: float) -> None:
    x, y = [x for x, _ in points], [y for _, y in points]

    found = shown(density(x, y, width_mm=100, length_mm=60, cell_mm=cell_mm, parts=3))

    assert found.counts.sum() + found.outside == len(points)
    areas_m2 = np.outer(np.diff(found.y_edges_mm), np.diff(found.x_edges_mm)) / 1e6
    assert areas_m2.sum() == pytest.approx(0.006)
    assert (found.per_m2 * areas_m2 * 3).sum() == pytest.approx(found.counts.sum())


def test_no_defect_is_a_map_of_zeros_and_no_part_is_none() -> None:
    assert shown(density([], [], width_mm=10, length_mm=10, cell_mm=5, parts=4)).counts.sum() == 0
    assert isinstance(density([], [], width_mm=10, length_mm=10, cell_mm=5, parts=0), Missing)


@pytest.mark.parametrize(
    ("x", "cell_mm", "what"),
    [
        pytest.param([1.0, 2.0], 5, "a finite pair", id="unlike"),
        pytest.param([np.nan], 5, "a finite pair", id="nan"),
        pytest.param([1.0], 0, "above 0", id="no-cell"),
        pytest.param([1.0], 1e-4, "cells", id="mistaken-unit"),
    ],
)
def test_what_cannot_be_is_refused(x: list[float], cell_mm: float, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        density(x, [1.0], width_mm=10, length_mm=10, cell_mm=cell_mm, parts=1)
