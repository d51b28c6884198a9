"""XmR and EWMA against published examples and another implementation."""

import numpy as np
import pytest
from capstat_core.control_charts import i_mr_chart
from capstat_core.time_weighted import ewma_chart as capstat_ewma
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.statistics.charts import Baseline, Chart
from storage.statistics.missing import Missing
from storage.statistics.variable_charts import Xmr, ewma_chart, xmr_charts

# Montgomery, Introduction to Statistical Quality Control, ch. 9: mean 10 and sigma 1, and 11 from the 21st on
MONTGOMERY = [9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.2, 10.34, 9.03, 11.47, 10.51, 9.4, 10.08]
MONTGOMERY += [9.37, 10.62, 10.31, 8.52, 10.84, 10.9, 9.33, 12.29, 11.5, 10.6, 11.08, 10.38, 11.62, 11.31, 10.52]
# NIST/SEMATECH e-Handbook 6.3.2.4: target 50, s 2.0539, weight 0.3
NIST = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5]
NIST += [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
NIST_EWMA = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33]
NIST_EWMA += [50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99]


def drawn(chart: Chart | Missing) -> Chart:
    assert isinstance(chart, Chart), chart
    return chart


def both(charts: Xmr | Missing) -> tuple[Chart, Chart]:
    assert isinstance(charts, Xmr), charts
    return charts.individuals, drawn(charts.ranges)


@pytest.mark.parametrize("seed", range(4))
def test_xmr_agrees_with_capstat(seed: int) -> None:
    values = np.random.Generator(np.random.PCG64(seed)).normal(7, 2, 50)

    ours, ranges = both(xmr_charts(values))

    theirs = i_mr_chart(values)
    for chart, other in ((ours, theirs.location), (ranges, theirs.dispersion)):
        point = chart.points[0]
        assert (point.centre, point.lower, point.upper) == pytest.approx(
            (other.limits.center, other.limits.lower, other.limits.upper)
        )
        assert [each.value for each in chart.points] == pytest.approx(other.points)


def test_the_ranges_of_a_shift_and_an_outlier_are_seen() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    values = np.concatenate([rng.normal(0, 1, 40), rng.normal(3, 1, 20)])
    values[10] = 9

    ours, ranges = both(xmr_charts(values, exclude=[10]))

    assert "N1" in {each.rule for each in ours.signals if each.index == 10}
    assert {each.rule for each in ours.signals if each.index >= 48} >= {"N2"}
    assert {10, 11} <= {each.index for each in ranges.signals}
    assert ours.excluded == (10,)


def test_an_excluded_value_has_no_range_in_the_estimate() -> None:
    ours, _ = both(xmr_charts([1, 2, 100, 4, 5, 6], exclude=[2]))

    assert ours.baseline.centre == pytest.approx(18 / 5)
    assert ours.baseline.sigma == pytest.approx(1 / 1.128379)


def test_a_standard_deviation_would_let_a_shift_widen_its_own_limits() -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    values = np.concatenate([rng.normal(0, 1, 40), rng.normal(6, 1, 40)])

    ours, _ = both(xmr_charts(values))

    assert ours.baseline.sigma == pytest.approx(1, rel=0.2)
    assert any(each.rule == "N1" for each in ours.signals)
    assert np.max(np.abs(values - values.mean())) < 3 * values.std()  # the broken twin sees nothing


def test_ewma_of_montgomery() -> None:
    kept = Baseline(kind="ewma", centre=10, sigma=1, points=100)

    chart = drawn(ewma_chart(MONTGOMERY, weight=0.1, width=2.7, baseline=kept))

    first, last = chart.points[0], chart.points[-1]
    assert (first.value, first.lower, first.upper) == pytest.approx((9.945, 9.73, 10.27), abs=5e-3)
    assert (last.lower, last.upper) == pytest.approx((9.38, 10.62), abs=5e-3)
    assert [chart.points[n].value for n in (1, 2, 3)] == pytest.approx([9.7495, 9.70355, 9.8992], abs=1e-4)
    assert [each.index for each in chart.signals] == [28, 29]  # a shift of one sigma, ten points after it began
    assert max(MONTGOMERY) < 13


def test_ewma_of_the_nist_handbook() -> None:
    kept = Baseline(kind="ewma", centre=50, sigma=2.0539, points=100)

    chart = drawn(ewma_chart(NIST, weight=0.3, baseline=kept))

    assert [each.value for each in chart.points] == pytest.approx(NIST_EWMA, abs=6e-3)
    assert (chart.points[-1].lower, chart.points[-1].upper) == pytest.approx((47.4115, 52.5884), abs=3e-3)


@settings(deadline=None)
@given(st.floats(0.05, 1), st.integers(0, 50))
def test_ewma_agrees_with_capstat(weight: float, seed: int) -> None:
    values = np.random.Generator(np.random.PCG64(seed)).normal(7, 2, 30)

    chart = drawn(ewma_chart(values, weight=weight))

    theirs = capstat_ewma(values, lmbda=weight)
    assert [each.value for each in chart.points] == pytest.approx(theirs.points)
    assert [each.upper for each in chart.points] == pytest.approx(theirs.upper)
    assert [each.index for each in chart.signals] == list(theirs.violations)


def test_limits_that_do_not_vary_would_miss_a_shift_at_the_start() -> None:
    kept = Baseline(kind="ewma", centre=0, sigma=1, points=100)

    chart = drawn(ewma_chart([3.2, 0.0, 0.0], weight=0.1, baseline=kept))

    assert [each.index for each in chart.signals] == [0]
    assert chart.points[0].value < 3 * np.sqrt(0.1 / 1.9)


def test_a_frozen_baseline_judges_one_new_value() -> None:
    ours, _ = both(xmr_charts([1, 2, 1, 3, 2, 1, 2]))

    new = xmr_charts([9.0], baseline=ours.baseline)

    assert isinstance(new, Xmr)
    assert new.individuals.frozen
    assert [each.rule for each in new.individuals.signals] == ["N1"]
    assert isinstance(new.ranges, Missing)


@pytest.mark.parametrize(
    ("charts", "why"),
    [
        pytest.param(xmr_charts([]), "there are 0 values", id="nothing"),
        pytest.param(xmr_charts([4.0]), "there are 1 values", id="one"),
        pytest.param(xmr_charts([4.0, 4.0]), "the same", id="equal"),
        pytest.param(ewma_chart([4.0]), "there are 1 values", id="ewma-one"),
        pytest.param(
            ewma_chart([], baseline=Baseline(kind="ewma", centre=1, points=9)), "there is none", id="ewma-none"
        ),
    ],
)
def test_what_is_missing_is_said(charts: Xmr | Chart | Missing, why: str) -> None:
    assert isinstance(charts, Missing)
    assert why in charts.why


def test_a_value_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        xmr_charts([1.0, float("nan")])
