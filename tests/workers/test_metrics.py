"""Each figure of merit against numbers worked by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, jaccard_score, roc_auc_score

from workers.metrics import (
    PixelCounts,
    SizeRecall,
    add_recalls,
    auroc,
    average_precision,
    dsc,
    false_reject_rate_at_full_recall,
    image_score,
    iou,
    pixel_counts,
    region_recall,
)

RANKINGS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.5000001, 0.9, 7.0]), st.booleans()), min_size=2, max_size=40
).filter(lambda ranked: {truth for _, truth in ranked} == {True, False})


def a_counts(tp: int, fp: int, fn: int) -> PixelCounts:
    return PixelCounts(true_positive=tp, false_positive=fp, false_negative=fn)


def test_one_dice_hides_three() -> None:
    images = [a_counts(30, 10, 10), a_counts(0, 0, 20), a_counts(0, 0, 0), a_counts(0, 5, 0)]

    found = dsc(images)

    assert found.all == pytest.approx((60 / 80 + 0 + 1 + 0) / 4)
    assert found.defective == pytest.approx((60 / 80 + 0) / 2)
    assert found.pooled == pytest.approx(60 / (60 + 15 + 30))


def test_iou_three_ways() -> None:
    images = [a_counts(30, 10, 10), a_counts(0, 0, 20), a_counts(0, 0, 0)]

    found = iou(images)

    assert found.all == pytest.approx((30 / 50 + 0 + 1) / 3)
    assert found.defective == pytest.approx((30 / 50) / 2)
    assert found.pooled == pytest.approx(30 / 70)


def test_predicting_nothing_scores_the_share_of_good_images() -> None:
    nothing = [a_counts(0, 0, 500)] + 7 * [a_counts(0, 0, 0)]

    assert (dsc(nothing).all, dsc(nothing).defective, dsc(nothing).pooled) == (0.875, 0.0, 0.0)


def test_without_a_defective_image_there_is_no_figure_of_them() -> None:
    assert np.isnan(dsc([a_counts(0, 0, 0)]).defective)


def test_pixels_agree_with_scikit_learn() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    found, truth = rng.random((60, 50)) < 0.3, rng.random((60, 50)) < 0.4

    counts = pixel_counts(found, truth)

    assert counts.dsc == pytest.approx(f1_score(truth.ravel(), found.ravel()))
    assert counts.iou == pytest.approx(jaccard_score(truth.ravel(), found.ravel()))


def test_counts_pool_over_images() -> None:
    found, truth = np.array([[True, True, False, False]]), np.array([[True, False, True, False]])

    pooled = pixel_counts(found, truth) + pixel_counts(truth, truth)

    assert pooled == a_counts(3, 1, 1)
    assert pooled.dsc == pytest.approx(6 / 8)
    assert pooled.area_ratio == 1.0


@given(RANKINGS)
def test_rankings_agree_with_scikit_learn(ranked: list[tuple[float, bool]]) -> None:
    scores, defective = zip(*ranked, strict=True)

    assert average_precision(scores, defective) == pytest.approx(average_precision_score(defective, scores))
    assert auroc(scores, defective) == pytest.approx(roc_auc_score(defective, scores))


def test_a_ranking_by_hand() -> None:
    scores, defective = [9.0, 8.0, 7.0, 6.0], [True, False, True, False]

    assert average_precision(scores, defective) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert auroc(scores, defective) == pytest.approx(3 / 4)
    assert false_reject_rate_at_full_recall(scores, defective) == 0.5


@pytest.mark.parametrize("defective", [pytest.param(True, id="all-defective"), pytest.param(False, id="all-good")])
def test_a_ranking_of_one_kind_has_no_figure(defective: bool) -> None:
    assert np.isnan(auroc([1.0, 2.0], [defective] * 2))
    assert np.isnan(false_reject_rate_at_full_recall([1.0, 2.0], [defective] * 2))


def a_probability(*squares: tuple[int, int, int, float]) -> NDArray[np.float32]:
    """(40, 40); each square is y, x, side, probability."""
    found = np.full((40, 40), 0.1, np.float32)
    for y, x, side, value in squares:
        found[y : y + side, x : x + side] = value
    return found


def test_an_image_scores_by_its_largest_region_not_by_its_surest() -> None:
    found = a_probability((2, 2, 6, 0.6), (3, 3, 1, 0.7), (20, 20, 3, 0.99))

    assert image_score(found, threshold=0.5) == pytest.approx(0.7)


def test_an_image_without_a_region_scores_below_any_with_one() -> None:
    without, least = a_probability((2, 2, 3, 0.49)), a_probability((2, 2, 1, 0.5))

    assert image_score(without, threshold=0.5) == pytest.approx(0.49)
    assert image_score(without, threshold=0.5) < image_score(least, threshold=0.5)


def test_regions_are_recalled_by_size() -> None:
    truth = a_probability((0, 0, 3, 1.0), (10, 10, 10, 1.0), (30, 30, 5, 1.0)) > 0.5
    found = a_probability((2, 2, 4, 1.0), (15, 15, 1, 1.0)) > 0.5

    recalls = add_recalls([region_recall(found, truth), region_recall(found, truth)])

    assert recalls == (
        SizeRecall(from_px=0, to_px=64, regions=4, found=2),
        SizeRecall(from_px=64, to_px=256, regions=2, found=2),
    )
