"""Charts of what lies between rare defects hold their probability, and see when defects become denser."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import expon, geom

from storage.statistics.charts import Baseline, Chart
from storage.statistics.missing import Missing
from storage.statistics.rare_event_charts import TAIL, g_chart, t_chart

# Montgomery, Introduction to Statistical Quality Control: hours between failures of a valve, and t^0.2777 of them
HOURS = [286, 948, 536, 124, 816, 729, 4, 143, 431, 8, 2837, 596, 81, 227, 603, 492, 1199, 1214, 2831, 96]
TRANSFORMED = [4.80986, 6.70903, 5.72650, 3.81367, 6.43541, 6.23705, 1.46958, 3.96768, 5.39007, 1.78151]
TRANSFORMED += [9.09619, 5.89774, 3.38833, 4.51095, 5.91690, 5.59189, 7.16124, 7.18601, 9.09083, 3.55203]


def drawn(chart: Chart | Missing) -> Chart:
    assert isinstance(chart, Chart), chart
    return chart


def gaps(chance: float, number: int, seed: int = 0) -> NDArray[np.int64]:
    return np.random.Generator(np.random.PCG64(seed)).geometric(chance, number) - 1


@settings(deadline=None)
@given(st.floats(1e-6, 0.45))
def test_limits_of_g_are_quantiles_of_the_geometric_distribution(chance: float) -> None:
    kept = Baseline(kind="g", centre=chance, points=50)

    point = drawn(g_chart([3], baseline=kept)).points[0]

    good = geom(chance, loc=-1)  # good parts before a defect
    assert good.cdf(point.lower - 1) <= TAIL * (1 + 1e-9) < good.cdf(point.lower) * (1 + 1e-9)
    assert good.sf(point.upper) <= TAIL * (1 + 1e-6)
    assert point.upper == 0 or good.sf(point.upper - 1) > TAIL * (1 - 1e-6)
    assert point.centre == pytest.approx(good.ppf(0.5), abs=1)


def test_the_chance_of_a_defect_is_estimated_without_bias() -> None:
    few = [drawn(g_chart(gaps(0.02, 5, seed))).baseline.centre for seed in range(4000)]
    plain = [5 / (gaps(0.02, 5, seed).sum() + 5) for seed in range(4000)]

    assert np.mean(few) == pytest.approx(0.02, rel=0.03)
    assert np.mean(plain) > 0.02 * 1.15  # the broken twin: defects over parts


def test_g_signals_by_chance_as_seldom_as_three_sigma() -> None:
    kept = Baseline(kind="g", centre=0.0005, points=50)

    found = drawn(g_chart(gaps(0.0005, 100_000), baseline=kept, rules=["N1"])).signals

    assert len(found) / 100_000 == pytest.approx(2 * TAIL, rel=0.25)


def test_g_sees_that_defects_have_become_denser() -> None:
    kept = drawn(g_chart(gaps(0.0005, 200))).baseline

    assert not drawn(g_chart(gaps(0.0005, 15, 7), baseline=kept)).signals
    assert {signal.rule for signal in drawn(g_chart(gaps(0.005, 15, 7), baseline=kept)).signals} >= {"N2"}
    assert [each.rule for each in drawn(g_chart([0], baseline=kept)).signals] == ["N1"]


def test_three_sigma_limits_could_not_see_it() -> None:
    """Kaminsky's lower limit is below 0 for every chance of a defect: no point can lie under it."""
    for chance in (0.5, 0.01, 1e-5):
        good = (1 - chance) / chance

        assert good - 3 * np.sqrt(good * (good + 1)) < 0


def test_t_holds_its_probability() -> None:
    times = np.random.Generator(np.random.PCG64(5)).exponential(40.0, 200_000)

    chart = drawn(t_chart(times, rules=["N1"]))

    point, theirs = chart.points[0], expon(scale=times.mean())
    assert (point.lower, point.centre, point.upper) == pytest.approx(
        (theirs.ppf(TAIL), theirs.ppf(0.5), theirs.isf(TAIL))
    )
    assert len(chart.signals) / len(times) == pytest.approx(2 * TAIL, rel=0.15)


def test_t_by_nelsons_transform() -> None:
    mean, spread = np.mean(TRANSFORMED), np.mean(np.abs(np.diff(TRANSFORMED))) / 1.128379

    chart = drawn(t_chart(HOURS, nelson=True))

    assert chart.baseline.centre == pytest.approx(mean, rel=1e-3)
    assert chart.baseline.sigma == pytest.approx(spread, rel=2e-3)
    point = chart.points[0]
    assert (point.lower, point.upper) == pytest.approx((0, (mean + 3 * spread) ** 3.6), rel=1e-2)
    assert chart.signals == ()


def test_bursts_are_signals_by_the_exponential() -> None:
    """Defects one second apart in a line that has one in ten hours."""
    kept = drawn(t_chart(np.random.Generator(np.random.PCG64(5)).exponential(10.0, 50))).baseline

    assert [each.rule for each in drawn(t_chart([1 / 3600], baseline=kept)).signals] == ["N1"]


@pytest.mark.parametrize(
    ("chart", "why"),
    [
        pytest.param(g_chart([]), "there are 0", id="g-nothing"),
        pytest.param(g_chart([400]), "there are 1", id="g-one"),
        pytest.param(g_chart([0, 0, 1]), "not rare", id="g-not-rare"),
        pytest.param(t_chart([4.0]), "there are 1", id="t-one"),
        pytest.param(t_chart([0.0, 0.0]), "are 0", id="t-all-at-once"),
        pytest.param(t_chart([2.0, 2.0], nelson=True), "the same", id="t-equal"),
        pytest.param(t_chart([], baseline=Baseline(kind="t", centre=2, points=9)), "needs 1", id="t-no-new"),
    ],
)
def test_what_is_missing_is_said(chart: Chart | Missing, why: str) -> None:
    assert isinstance(chart, Missing)
    assert why in chart.why


def test_no_time_runs_backward() -> None:
    with pytest.raises(ValueError, match="below 0"):
        t_chart([1.0, -1.0])
