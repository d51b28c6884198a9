"""Limits of p, np, c, u and of Laney's charts, against published tables and another implementation."""

import numpy as np
import pytest
import shewhart
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from storage.statistics.attribute_charts import c_chart, np_chart, p_chart, u_chart
from storage.statistics.charts import Baseline, Chart, in_phases
from storage.statistics.missing import Missing

# NIST/SEMATECH e-Handbook 6.3.3.2: fraction defective in 30 samples of 50
NIST_P = [12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6]
# NIST/SEMATECH e-Handbook 6.3.3.1: defects on 25 wafers
NIST_C = [16, 14, 28, 16, 12, 20, 10, 12, 10, 17, 19, 17, 14, 16, 15, 13, 14, 16, 11, 20, 11, 19, 16, 31, 13]
# Montgomery, Introduction to Statistical Quality Control: nonconforming assemblies in 20 samples of 100
MONTGOMERY = [7, 4, 1, 3, 6, 8, 10, 5, 2, 7, 6, 15, 0, 9, 5, 1, 4, 5, 7, 12]


def drawn(chart: Chart | Missing) -> Chart:
    assert isinstance(chart, Chart), chart
    return chart


def missing(chart: Chart | Missing) -> str:
    assert isinstance(chart, Missing)
    return chart.why


def beyond(chart: Chart | Missing) -> list[int]:
    return [signal.index for signal in drawn(chart).signals if signal.rule == "N1"]


def limits(chart: Chart | Missing) -> NDArray[np.float64]:
    """(N, 4): value, centre, lower, upper."""
    return np.array([(point.value, point.centre, point.lower, point.upper) for point in drawn(chart).points])


def lots(seed: int, lots: int = 40) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Parts by the thousand whose true share wanders from lot to lot: what automatic inspection sees."""
    rng = np.random.Generator(np.random.PCG64(seed))
    sizes = rng.integers(2_000, 9_000, lots)
    return rng.binomial(sizes, rng.beta(20, 980, lots)), sizes


def test_p_chart_of_the_nist_handbook() -> None:
    chart = p_chart(NIST_P, 30 * [50])

    first = drawn(chart).points[0]
    assert (first.centre, first.upper, first.lower) == pytest.approx((0.2313, 0.4102, 0.0524), abs=5e-5)
    assert beyond(chart) == [14, 22]


def test_c_chart_of_the_nist_handbook() -> None:
    chart = c_chart(NIST_C)

    first = drawn(chart).points[0]
    assert (first.centre, first.upper, first.lower) == (16, 28, 4)
    assert beyond(chart) == [23]  # 28 lies on the limit


def test_p_chart_of_montgomery_with_and_without_the_point_above_its_limit() -> None:
    first, second = p_chart(MONTGOMERY, 20 * [100]), p_chart(MONTGOMERY, 20 * [100], exclude=[11])

    assert limits(first)[0, 1:] == pytest.approx([0.0585, 0, 0.1289], abs=5e-5)
    assert limits(second)[0, 1:] == pytest.approx([0.0537, 0, 0.1213], abs=5e-5)
    assert (beyond(first), beyond(second)) == ([11], [11])
    assert drawn(second).excluded == (11,)
    assert len(drawn(second).points) == 20


@pytest.mark.parametrize("seed", range(4))
def test_limits_agree_with_shewhart(seed: int) -> None:
    bad, sizes = lots(seed)
    found, units = bad.tolist(), sizes / 1000

    pairs = [
        (p_chart(bad, sizes), shewhart.p_chart(found, size=sizes), "proportion"),
        (p_chart(bad, sizes, laney=True), shewhart.laney_p(found, size=sizes), "proportion"),
        (u_chart(bad, units), shewhart.u_chart(found, size=units), "per_unit"),
        (u_chart(bad, units, laney=True), shewhart.laney_u(found, size=units), "per_unit"),
        (c_chart(bad), shewhart.c_chart(found), "defects"),
        (np_chart(bad % 50, 40 * [2000]), shewhart.np_chart((bad % 50).tolist(), size=2000), "defectives"),
    ]

    for ours, theirs, column in pairs:
        table = theirs.table
        assert limits(ours)[:, 2:] == pytest.approx(table[["lcl", "ucl"]].to_numpy()), column
        assert beyond(ours) == sorted(s.points[0] for s in theirs.signals if s.rule == "nelson_1")
        for rule, length in (("2", 9), ("3", 6), ("4", 14)):
            runs = [s.points[length - 1 :] for s in theirs.signals if s.rule == f"nelson_{rule}"]
            assert [s.index for s in drawn(ours).signals if s.rule == f"N{rule}"] == sorted(sum(runs, ()))


def test_laney_keeps_limits_that_thousands_of_parts_close_in() -> None:
    bad, sizes = lots(3)

    assert len(beyond(p_chart(bad, sizes))) > 10
    assert beyond(p_chart(bad, sizes, laney=True)) == []


def test_the_standard_deviation_of_z_would_hide_a_drift() -> None:
    """A broken twin of σz: over a slow drift it is three times too large."""
    rng = np.random.Generator(np.random.PCG64(2))
    sizes = np.full(60, 5_000)
    bad = rng.binomial(sizes, np.linspace(0.01, 0.03, 60))
    share = bad.sum() / sizes.sum()
    z = (bad / sizes - share) / np.sqrt(share * (1 - share) / sizes)

    theirs = shewhart.laney_p(bad.tolist(), size=sizes).stats["sigma_z"]

    assert drawn(p_chart(bad, sizes, laney=True)).baseline.sigma == pytest.approx(theirs)
    assert np.std(z, ddof=1) > 2.5 * theirs


def test_np_is_p_by_the_part() -> None:
    share, count = limits(p_chart(NIST_P, 30 * [50])), limits(np_chart(NIST_P, 30 * [50]))

    assert count == pytest.approx(50 * share)


def test_a_frozen_baseline_judges_new_points_with_limits_of_their_own_size() -> None:
    kept = drawn(p_chart(NIST_P, 30 * [50])).baseline

    chart = drawn(p_chart([40, 30], [100, 50], baseline=kept))

    assert chart.frozen
    assert chart.baseline == kept
    p = 347 / 1500
    assert chart.points[0].upper == pytest.approx(p + 3 * np.sqrt(p * (1 - p) / 100))
    assert beyond(chart) == [0, 1]
    assert beyond(p_chart([30], [50], baseline=kept)) == [0]


def test_a_baseline_of_another_chart_is_refused() -> None:
    kept = drawn(c_chart(NIST_C)).baseline

    with pytest.raises(ValueError, match="kind 'c', not 'p'"):
        p_chart([1], [10], baseline=kept)


def test_a_phase_has_limits_of_its_own_and_no_run_across_its_border() -> None:
    defects = 4 * [5, 7, 6] + 4 * [1, 3, 2]

    before, after = in_phases(lambda part: c_chart(defects[part]), [0, 12], points=24)

    assert (drawn(before).baseline.centre, drawn(after).baseline.centre) == (6, 2)
    assert (drawn(before).signals, drawn(after).signals) == ((), ())
    assert [point.index for point in drawn(after).points] == list(range(12, 24))
    assert {signal.rule for signal in drawn(c_chart(defects)).signals} == {"N2"}


def test_a_phase_that_has_just_begun_says_so_beside_the_others() -> None:
    _, after = in_phases(lambda part: c_chart([5, 7, 6, 1][part]), [0, 3], points=4)

    assert "there are 1" in missing(after)
    with pytest.raises(ValueError, match="do not rise"):
        in_phases(lambda part: c_chart([5, 7][part]), [1], points=2)


def test_a_subgroup_without_parts_has_no_point() -> None:
    chart = drawn(p_chart([3, 0, 5], [100, 0, 100]))

    assert chart.left_out == (1,)
    assert [point.index for point in chart.points] == [0, 2]


@pytest.mark.parametrize(
    ("chart", "why"),
    [
        pytest.param(p_chart([], []), "none of 0 subgroups", id="nothing"),
        pytest.param(p_chart([0, 0], [0, 0]), "none of 2 subgroups", id="no-parts"),
        pytest.param(p_chart([3], [100]), "need 2 subgroups", id="one-point"),
        pytest.param(p_chart([0, 0], [100, 100]), "no defect in 200 parts", id="no-defect"),
        pytest.param(p_chart([9, 9], [9, 9]), "all of 18 parts", id="all-defective"),
        pytest.param(p_chart([3, 3], [9, 9], laney=True), "the same share", id="laney-of-equals"),
        pytest.param(p_chart([3, 3], [9, 9], exclude=[0, 1]), "there are 0", id="all-excluded"),
        pytest.param(u_chart([0, 0], [1.5, 2]), "no defect in 3.5 units", id="u-no-defect"),
        pytest.param(c_chart([0, 0]), "no defect", id="c-no-defect"),
    ],
)
def test_what_is_missing_is_said(chart: Chart | Missing, why: str) -> None:
    assert why in missing(chart)


@pytest.mark.parametrize(
    ("defective", "inspected"),
    [
        pytest.param([5], [3], id="more-bad-than-parts"),
        pytest.param([1, 2], [3], id="unlike-lengths"),
        pytest.param([-1], [3], id="below-0"),
        pytest.param([1.5], [3], id="half-a-part"),
        pytest.param([float("nan")], [3], id="nan"),
    ],
)
def test_what_cannot_be_is_refused(defective: list[float], inspected: list[float]) -> None:
    with pytest.raises(ValueError, match="defective"):
        p_chart(defective, inspected)


def test_u_refuses_a_defect_on_no_unit() -> None:
    with pytest.raises(ValueError, match="units"):
        u_chart([1, 1], [0, 2])


def test_how_long_a_run_is_travels_with_the_chart() -> None:
    defects = [5, 5, 4, 4, 4, 5, 5, 4, 1, 0, 1, 0, 1, 1, 0, 1]

    nine, eight = drawn(c_chart(defects)), drawn(c_chart(defects, run=8))

    assert (nine.runs, eight.runs) == ({"N2": 9}, {"N2": 8})
    assert [signal.index for signal in nine.signals] == []
    assert [signal.index for signal in eight.signals if signal.rule == "N2"] == [7, 15]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3_000)), min_size=1, max_size=30), st.booleans())
def test_limits_are_finite_and_hold_the_centre(rows: list[tuple[int, int]], laney: bool) -> None:
    bad, sizes = np.array([(min(bad, size), size) for bad, size in rows]).T

    match p_chart(bad, sizes, laney=laney):
        case Missing(why=why):
            assert why
        case Chart() as chart:
            found = limits(chart)
            assert np.all(np.isfinite(found))
            assert np.all((found[:, 2] >= 0) & (found[:, 2] <= found[:, 1]) & (found[:, 1] <= found[:, 3]))
            assert np.all(found[:, 3] <= 1)
            assert chart.baseline.size == sizes.sum()


def test_a_baseline_is_plain() -> None:
    kept = Baseline(kind="u", centre=2.5, points=30, size=120)

    assert limits(u_chart([10], [4], baseline=kept))[0] == pytest.approx(
        [2.5, 2.5, 2.5 - 3 * np.sqrt(2.5 / 4), 2.5 + 3 * np.sqrt(2.5 / 4)]
    )
