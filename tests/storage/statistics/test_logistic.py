"""The curve agrees with statsmodels and firthmodels, and where there is no maximum it says so."""

import numpy as np
import pytest
from firthmodels import FirthLogisticRegression
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.api import Logit, add_constant

from storage.statistics.logistic import Logistic, contour, fit, separated
from storage.statistics.missing import Missing

SEPARATED = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]), np.array([0, 0, 0, 0, 1, 1, 1, 1], bool)


def sites(seed: int, number: int = 80) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """ln mm, and hits: 50 % at 0.5 mm."""
    rng = np.random.Generator(np.random.PCG64(seed))
    x = np.log(rng.uniform(0.1, 2.0, number))
    return x, rng.random(number) < 1 / (1 + np.exp(-(2.1 + 3 * x)))


def shown(found: Logistic | Missing) -> Logistic:
    assert isinstance(found, Logistic), found
    return found


def log_likelihood(x: NDArray[np.float64], hits: NDArray[np.bool_], intercept: float, slope: float) -> float:
    p = 1 / (1 + np.exp(-(intercept + slope * x)))
    return float(np.sum(np.log(np.where(hits, p, 1 - p))))


@pytest.mark.parametrize("seed", range(6))
def test_maximum_likelihood_agrees_with_statsmodels(seed: int) -> None:
    x, hits = sites(seed)

    found = shown(fit(x, hits))

    theirs = Logit(hits.astype(float), add_constant(x)).fit(disp=0)
    assert found.method == "maximum likelihood"
    assert (found.intercept, found.slope) == pytest.approx(tuple(theirs.params), rel=1e-5)
    assert found.log_likelihood == pytest.approx(theirs.llf)


@pytest.mark.parametrize("seed", range(6))
def test_firth_agrees_with_firthmodels(seed: int) -> None:
    x, hits = sites(seed, 40)

    found = shown(fit(x, hits, method="firth"))

    theirs = FirthLogisticRegression().fit(x[:, None], hits)
    assert found.intercept == pytest.approx(theirs.intercept_, rel=1e-4)
    assert found.slope == pytest.approx(theirs.coef_[0], rel=1e-4)
    assert found.log_likelihood == pytest.approx(theirs.loglik_)


def test_firth_fits_what_is_separated() -> None:
    x, hits = SEPARATED

    found = shown(fit(x, hits))

    theirs = FirthLogisticRegression().fit(x[:, None], hits)
    assert found.method == "firth"
    assert (found.intercept, found.slope) == pytest.approx((theirs.intercept_, theirs.coef_[0]), rel=1e-4)


def test_the_likelihood_of_what_is_separated_has_no_maximum() -> None:
    """The broken twin: without the penalty each steeper curve is likelier, up to certainty."""
    x, hits = SEPARATED

    likelier = [log_likelihood(x, hits, -0.45 * slope, slope) for slope in (1, 10, 100, 400)]

    assert likelier == sorted(likelier)
    assert likelier[-1] == pytest.approx(0, abs=1e-6)
    refused = fit(x, hits, method="maximum likelihood")
    assert isinstance(refused, Missing)
    assert "no maximum" in refused.why


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("which", ["maximum likelihood", "firth"])
def test_bounds_of_the_slope_agree_with_a_profile(seed: int, which: str) -> None:
    x, hits = sites(seed, 50)
    curve = shown(fit(x, hits, method="firth" if which == "firth" else None))

    region = contour(x, hits, curve, confidence=0.95)

    low, high = region[:, 1].min(), region[:, 1].max()
    if which == "firth":
        theirs = FirthLogisticRegression().fit(x[:, None], hits).conf_int(alpha=0.1, method="pl")
        assert (low, high) == pytest.approx(tuple(theirs[0]), rel=1e-3)
        assert (region[:, 0].min(), region[:, 0].max()) == pytest.approx(tuple(theirs[-1]), rel=1e-3)
    else:
        for slope in (low, high):
            best = max(log_likelihood(x, hits, each, slope) for each in np.linspace(-2, 12, 20_001))
            assert 2 * (curve.log_likelihood - best) == pytest.approx(2.7055, abs=5e-3)


def test_bounds_of_what_is_separated_agree_with_firthmodels() -> None:
    x, hits = SEPARATED
    curve = shown(fit(x, hits))

    region = contour(x, hits, curve, confidence=0.95)

    theirs = FirthLogisticRegression().fit(x[:, None], hits).conf_int(alpha=0.1, method="pl")
    assert (region[:, 1].min(), region[:, 1].max()) == pytest.approx(tuple(theirs[0]), rel=2e-3)


@pytest.mark.parametrize(
    ("x", "hits", "apart"),
    [
        pytest.param([1, 2, 3, 4], [0, 0, 1, 1], True, id="rising"),
        pytest.param([1, 2, 3, 4], [1, 1, 0, 0], True, id="falling"),
        pytest.param([1, 2, 2, 3], [0, 0, 1, 1], True, id="one-size-has-both"),
        pytest.param([1, 2, 3, 4], [0, 1, 0, 1], False, id="overlap"),
        pytest.param([1, 2, 3], [1, 1, 1], True, id="all-hit"),
    ],
)
def test_separation_is_seen(x: list[float], hits: list[int], apart: bool) -> None:
    assert separated(x, np.array(hits, bool)) is apart


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=2, max_size=25), st.floats(0.01, 100))
def test_units_do_not_matter(rows: list[tuple[int, bool]], scale: float) -> None:
    x, hits = np.array([size for size, _ in rows], float), np.array([hit for _, hit in rows])

    one, other = fit(x, hits), fit(x * scale, hits)

    match one, other:
        case Logistic(), Logistic():
            assert one.method == other.method
            assert other.slope * scale == pytest.approx(one.slope, rel=1e-5, abs=1e-7)
            assert other.intercept == pytest.approx(one.intercept, rel=1e-5, abs=1e-6)
        case _:
            assert isinstance(one, Missing)
            assert isinstance(other, Missing)


def test_one_size_has_no_curve() -> None:
    assert isinstance(fit([2.0, 2.0], [True, False]), Missing)
    assert isinstance(fit([], []), Missing)
    with pytest.raises(ValueError, match="finite"):
        fit([np.inf, 1.0], [True, False])
