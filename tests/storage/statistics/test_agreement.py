"""Kappas agree with scikit-learn, statsmodels, irrCAC and published tables; bounds stay bounds where all agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss

from storage.statistics.agreement import Agreement, cohen_kappa, cohen_kappa_of_table, fleiss_kappa, gwet_ac1, pabak
from storage.statistics.missing import Missing

PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=60)
# AIAG, Measurement Systems Analysis, 4th ed., ch. III-C: 150 decisions of two appraisers, or of one and the reference
AIAG = [
    pytest.param([[44, 6], [3, 97]], 0.86, id="A-B"),
    pytest.param([[43, 7], [8, 92]], 0.78, id="A-C"),
    pytest.param([[42, 5], [9, 94]], 0.79, id="B-C"),
    pytest.param([[45, 5], [3, 97]], 0.88, id="A-reference"),
    pytest.param([[45, 2], [3, 100]], 0.92, id="B-reference"),
    pytest.param([[42, 9], [6, 93]], 0.77, id="C-reference"),
]
# seed, (parts, judges, categories, share of defects): Fleiss' kappa and its error, AC1 and its error, from irrCAC 0.4.4
IRR_CAC = [
    (0, (40, 3, 2, 0.1), (0.4599018003, 0.1514858613), (0.7224558452, 0.0814212915)),
    (1, (30, 5, 3, 0.5), (0.8146368255, 0.0537758393), (0.8225668660, 0.0502190868)),
    (2, (60, 2, 2, 0.03), (-0.0810810811, 0.0271653700), (0.8258345428, 0.0619665209)),
    (3, (25, 4, 4, 0.3), (0.8549147624, 0.0675947521), (0.9019848076, 0.0466765068)),
]


def shown(found: Agreement | Missing) -> Agreement:
    assert isinstance(found, Agreement), found
    return found


def ratings(seed: int, parts: int, judges: int, categories: int, share: float) -> NDArray[np.int64]:
    rng = np.random.Generator(np.random.PCG64(seed))
    defective = rng.random(parts) < share
    truth = np.where(defective, rng.integers(1, categories, parts) if categories > 2 else 1, 0)
    wrong = rng.random((parts, judges)) < 0.12
    return np.where(wrong, rng.integers(0, categories, (parts, judges)), truth[:, None])


@pytest.mark.parametrize(("table", "kappa"), AIAG)
def test_cohen_of_the_aiag_study(table: list[list[int]], kappa: float) -> None:
    assert shown(cohen_kappa_of_table(table)).value == pytest.approx(kappa, abs=5e-3)


@settings(deadline=None)
@given(PAIRS)
def test_cohen_agrees_with_scikit_learn_and_statsmodels(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)

    match cohen_kappa(first, second):
        case Missing():
            assert len({*first, *second}) == 1
        case Agreement() as found:
            table = np.zeros((3, 3))
            np.add.at(table, (first, second), 1)
            with np.errstate(all="ignore"):
                theirs = cohens_kappa(table)
            assert found.value == pytest.approx(cohen_kappa_score(first, second))
            assert found.value == pytest.approx(theirs.kappa)
            assert found.standard_error == pytest.approx(np.nan_to_num(theirs.std_kappa), abs=1e-7)
            assert found.low <= found.value <= found.high


@pytest.mark.parametrize(("seed", "shape", "fleiss", "gwet"), IRR_CAC)
def test_fleiss_and_gwet_agree_with_irr_cac(
    seed: int, shape: tuple[int, int, int, float], fleiss: tuple[float, float], gwet: tuple[float, float]
) -> None:
    rated = ratings(seed, *shape)

    kappa, ac1 = shown(fleiss_kappa(rated)), shown(gwet_ac1(rated))

    assert (kappa.value, kappa.standard_error) == pytest.approx(fleiss, abs=1e-9)
    assert (ac1.value, ac1.standard_error) == pytest.approx(gwet, abs=1e-9)
    assert kappa.value == pytest.approx(statsmodels_fleiss(aggregate_raters(rated)[0]))


def test_kappa_falls_where_nearly_all_is_good_and_ac1_does_not() -> None:
    """Feinstein and Cicchetti's paradox: 90 of 100 alike, and kappa says chance."""
    first, second = [0] * 90 + [1] * 5 + [0] * 5, [0] * 95 + [1] * 5

    kappa, ac1 = shown(cohen_kappa(first, second)), shown(gwet_ac1(np.transpose([first, second])))

    assert kappa.observed == pytest.approx(0.9)
    assert kappa.value == pytest.approx(-0.0526, abs=1e-4)
    assert ac1.value == pytest.approx(0.8895, abs=1e-4)
    assert shown(pabak(first, second)).value == pytest.approx(0.8)


def test_gwet_and_pabak_count_the_categories_that_there_are() -> None:
    first, second = [0, 0, 1, 1, 0, 0], [0, 0, 1, 0, 0, 0]

    assert shown(pabak(first, second, categories=4)).value == pytest.approx((4 * 5 / 6 - 1) / 3)
    assert (
        shown(gwet_ac1(np.transpose([first, second]), categories=4)).expected
        < shown(gwet_ac1(np.transpose([first, second]))).expected
    )
    with pytest.raises(ValueError, match="categories"):
        pabak([0, 1, 2], [0, 1, 2], categories=2)


def test_a_few_parts_on_which_all_agree_prove_little() -> None:
    """The broken twin would be the value ± 0."""
    first = [0, 1, 0, 1, 0, 1]

    for found in (
        cohen_kappa(first, first),
        fleiss_kappa(np.transpose([first] * 3)),
        gwet_ac1(np.transpose([first] * 3)),
    ):
        assert (shown(found).value, shown(found).standard_error) == pytest.approx((1, 0), abs=1e-9)
        assert shown(found).low == pytest.approx((0.025 ** (1 / 6) - 0.5) / 0.5)


@pytest.mark.parametrize("share", [0.3, 0.1])
def test_bounds_hold_as_often_as_they_say(share: float) -> None:
    rng = np.random.Generator(np.random.PCG64(8))
    truth, wrong = rng.random((2000, 150)) < share, rng.random((2, 2000, 150)) < 0.05
    first, second = truth ^ wrong[0], truth ^ wrong[1]
    true_kappa = shown(cohen_kappa(first.ravel(), second.ravel())).value

    held = [shown(cohen_kappa(a, b)) for a, b in zip(first, second, strict=True)]

    assert np.mean([each.low <= true_kappa <= each.high for each in held]) == pytest.approx(0.95, abs=0.035)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(cohen_kappa([], []), id="no-part"),
        pytest.param(cohen_kappa([1, 1], [1, 1]), id="one-category"),
        pytest.param(cohen_kappa_of_table([[0, 0], [0, 0]]), id="empty-table"),
        pytest.param(fleiss_kappa([[1, 1], [1, 1]]), id="fleiss-one-category"),
        pytest.param(fleiss_kappa([[1, 0]]), id="one-part"),
        pytest.param(gwet_ac1([[1], [0]]), id="one-judge"),
        pytest.param(pabak([], []), id="pabak-no-part"),
    ],
)
def test_what_is_missing_is_said(found: Agreement | Missing) -> None:
    assert isinstance(found, Missing)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="the same parts"):
        cohen_kappa([1], [1, 2])
    with pytest.raises(ValueError, match="no square"):
        cohen_kappa_of_table([[1, 2]])
    with pytest.raises(ValueError, match="parts, judgements"):
        fleiss_kappa([1, 2])
