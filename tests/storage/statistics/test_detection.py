"""a90 and its bound against a brute-force likelihood, and what a trial lacks is said."""

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.statistics.detection import Pod, false_calls, probability_of_detection
from storage.statistics.missing import Missing
from storage.statistics.proportions import Proportion

LOGIT_90 = np.log(9)


def a_trial(seed: int, number: int = 120, slope: float = 3.0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Sizes in mm and hits; true a50 is 0.5 mm, a90 is 0.5 · 9^(1/slope)."""
    rng = np.random.Generator(np.random.PCG64(seed))
    sizes = np.exp(rng.uniform(np.log(0.08), np.log(3), number))
    return sizes, rng.random(number) < 1 / (1 + (sizes / 0.5) ** -slope)


def shown(found: Pod | Missing) -> Pod:
    assert isinstance(found, Pod), found
    return found


def brute_force(sizes: NDArray[np.float64], hits: NDArray[np.bool_]) -> tuple[float, float]:
    """a90 and a90/95 from all curves of a grid of a90 and slope."""
    x = np.log(sizes)
    a90s, slopes = np.linspace(np.log(0.2), np.log(8), 1_200), np.geomspace(0.2, 15, 600)
    profile = np.full(len(a90s), -np.inf)
    for n, a90 in enumerate(a90s):
        eta = LOGIT_90 + slopes[:, None] * (x - a90)
        profile[n] = np.max(np.where(hits, eta, 0).sum(axis=1) - np.logaddexp(0, eta).sum(axis=1))
    within = 2 * (profile.max() - profile) <= 2.7055
    return float(np.exp(a90s[np.argmax(profile)])), float(np.exp(a90s[within].max()))


@pytest.mark.parametrize("seed", range(3))
def test_a90_and_its_bound_agree_with_brute_force(seed: int) -> None:
    sizes, hits = a_trial(seed)

    found = shown(probability_of_detection(sizes, hits))

    assert (found.a90_mm, found.a90_bound_mm) == pytest.approx(brute_force(sizes, hits), rel=4e-3)
    assert found.a50_mm == pytest.approx(found.a90_mm / 9 ** (1 / found.slope))
    assert found.shortcomings == ()


def test_the_bound_holds_as_often_as_it_says() -> None:
    true_a90 = 0.5 * 9 ** (1 / 3)
    found = [shown(probability_of_detection(*a_trial(seed, 80), at_mm=[1.0])) for seed in range(200)]

    held = [isinstance(each.a90_bound_mm, Missing) or each.a90_bound_mm >= true_a90 for each in found]

    assert 0.90 <= np.mean(held) <= 0.99  # 95 %, and three standard errors of 200 trials
    assert np.mean([each.a90_mm >= true_a90 for each in found]) < 0.65  # the broken twin: a90 itself


def test_the_drawn_curve_and_its_bound_meet_the_figures() -> None:
    sizes, hits = a_trial(1)
    found = shown(probability_of_detection(sizes, hits))
    assert isinstance(found.a90_bound_mm, float)

    middle, bound = shown(probability_of_detection(sizes, hits, at_mm=[found.a90_mm, found.a90_bound_mm])).curve

    assert middle.pod == pytest.approx(0.9)
    assert bound.low == pytest.approx(0.9, abs=1e-4)
    assert all(each.low < each.pod for each in found.curve)
    assert (found.curve[0].size_mm, found.curve[-1].size_mm) == pytest.approx((sizes.min(), sizes.max()))


def test_separated_sites_are_fitted_and_said_to_be() -> None:
    sizes = np.geomspace(0.1, 3, 64)

    found = shown(probability_of_detection(sizes, sizes > 0.55))

    assert found.method == "firth"
    assert found.a50_mm == pytest.approx(0.55, rel=0.1)
    assert isinstance(found.a90_bound_mm, float)
    assert 0.55 < found.a90_mm < found.a90_bound_mm < 1
    assert any("do not overlap" in told for told in found.shortcomings)


def test_too_few_sites_of_one_end_are_told() -> None:
    sizes, hits = a_trial(2, 30)
    large = sizes > 0.4

    found = shown(probability_of_detection(sizes[large], hits[large]))

    assert any("at least 60" in told for told in found.shortcomings)
    assert any(told.startswith("the smallest site") for told in found.shortcomings)


def test_small_sites_only_are_told() -> None:
    sizes, hits = a_trial(3, 200)
    small = sizes < 0.5

    found = shown(probability_of_detection(sizes[small], hits[small]))

    assert any(told.startswith("the largest site") for told in found.shortcomings)


def test_where_size_hardly_matters_there_is_no_bound() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    sizes = rng.uniform(0.1, 2, 60)

    found = probability_of_detection(sizes, rng.random(60) < 0.3 + 0.1 * sizes)

    assert isinstance(shown(found).a90_bound_mm, Missing)


@pytest.mark.parametrize(
    ("sizes", "hits", "why"),
    [
        pytest.param([], [], "0 of 0", id="no-site"),
        pytest.param([1.0, 2.0], [True, True], "2 of 2", id="all-hit"),
        pytest.param([1.0, 2.0], [False, False], "0 of 2", id="all-missed"),
        pytest.param([1.0, 1.0], [True, False], "two sizes", id="one-size"),
        pytest.param([1.0, 2.0, 3.0, 4.0], [True, True, False, False], "does not rise", id="falling"),
    ],
)
def test_what_is_missing_is_said(sizes: list[float], hits: list[bool], why: str) -> None:
    found = probability_of_detection(sizes, hits)

    assert isinstance(found, Missing)
    assert why in found.why


def test_no_size_is_0_mm() -> None:
    with pytest.raises(ValueError, match="above 0"):
        probability_of_detection([0.0, 1.0], [False, True])
    with pytest.raises(ValueError, match="at_mm"):
        probability_of_detection(*a_trial(1), at_mm=[0.0])


def test_false_calls_of_clean_sites() -> None:
    found = false_calls(0, 300)

    assert isinstance(found, Proportion)
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 300))
    assert isinstance(false_calls(0, 0), Missing)
