"""Figures are those of the threshold that was chosen, and the threshold is where the training part is best."""

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.datasets.source import Example
from workers.figures import (
    THRESHOLDS,
    judged,
    look,
    threshold_counts,
    threshold_of_best_dice,
    threshold_of_unbiased_area,
)
from workers.metrics import pixel_counts

Probability = NDArray[np.float32]


def an_example(*, defective: bool, name: str = "a") -> Example:
    mask = np.zeros((40, 30), np.bool_)
    if defective:
        mask[10:20, 5:15] = True
    return Example(name=name, pixels=mask.astype(np.uint8) * np.uint8(100), mask=mask)


def finds(value: float, *, beside: float = 0.0) -> "Finder":
    return Finder(value, beside)


class Finder:
    """A net that says `value` on the defect, and `beside` on a patch of each image."""

    def __init__(self, value: float, beside: float) -> None:
        self.value, self.beside = value, beside

    def __call__(self, pixels: NDArray[np.uint8]) -> Probability:
        found = np.where(pixels > 50, self.value, 0.01).astype(np.float32)
        found[30:35, 20:25] = max(self.beside, 0.01)
        return found


def test_a_perfect_net() -> None:
    found = judged(finds(0.9), [an_example(defective=True), an_example(defective=False)], threshold=0.5, engine="torch")

    assert (found.images, found.defective) == (2, 1)
    assert (found.dsc.all, found.dsc.defective, found.dsc.pooled, found.iou.pooled) == (1.0, 1.0, 1.0, 1.0)
    assert (found.image_ap, found.image_auroc, found.false_reject_rate_at_full_recall) == (1.0, 1.0, 0.0)
    assert [(each.regions, each.found) for each in found.region_recall] == [(1, 1)]


def test_a_false_alarm_costs_the_mean_over_all_more_than_the_pool() -> None:
    good = [an_example(defective=False, name=str(n)) for n in range(3)]

    found = judged(finds(0.9, beside=0.6), [an_example(defective=True), *good], threshold=0.5, engine="torch")

    assert found.dsc.defective == pytest.approx(200 / 225, abs=1e-4)
    assert found.dsc.all == pytest.approx(200 / 225 / 4, abs=1e-4)
    assert found.dsc.pooled == pytest.approx(200 / 300, abs=1e-4)
    assert found.image_ap == 1.0


@pytest.mark.parametrize("k", range(0, len(THRESHOLDS), 6))
def test_counts_of_all_thresholds_are_those_of_each(k: int) -> None:
    rng = np.random.Generator(np.random.PCG64(2))
    found, truth = rng.random((50, 40), np.float32), rng.random((50, 40)) < 0.2
    found[0, :5] = THRESHOLDS[k]  # ≥ counts the threshold itself

    assert threshold_counts(found, truth)[k] == pixel_counts(found >= THRESHOLDS[k], truth)


def test_the_threshold_lies_in_the_middle_of_the_best_plateau() -> None:
    examples = [an_example(defective=True), an_example(defective=False)]
    curves = [look(finds(0.81, beside=0.41), example, threshold=0.5)[0].curve for example in examples]

    chosen = threshold_of_best_dice(curves)

    assert chosen == pytest.approx(0.62)  # 0.42 to 0.80 are equally good


def test_by_pooled_dice_a_false_alarm_on_a_sound_image_costs_no_more_than_its_pixels() -> None:
    """By the mean over all images it costs the image, and a net that is rarely sure keeps quiet."""
    defective, sound = an_example(defective=True), an_example(defective=False)
    faint, alarm = finds(0.5), np.zeros(sound.mask.shape, np.float32)
    alarm[0, :3] = 0.7  # surer of three sound pixels than of the defect
    curves = [look(faint, defective, threshold=0.5)[0].curve] + [
        look(lambda _: alarm, sound, threshold=0.5)[0].curve for _ in range(9)
    ]

    assert threshold_of_best_dice(curves, by="pooled") < 0.5
    assert threshold_of_best_dice(curves, by="all") > 0.7


def test_the_threshold_at_which_areas_are_unbiased() -> None:
    probability = np.full((40, 30), 0.01, np.float32)
    probability[8:22, 3:17], probability[10:20, 5:15] = 0.4, 0.8
    curve = threshold_counts(probability, an_example(defective=True).mask)

    assert 0.4 < threshold_of_unbiased_area([curve]) <= 0.8


def test_probabilities_that_keep_their_word_have_no_error() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    said = rng.choice(np.array([0.05, 0.35, 0.95], np.float32), (400, 400))
    example = Example(name="a", pixels=np.zeros((400, 400), np.uint8), mask=rng.random((400, 400)) < said)
    honest = judged(lambda _: said, [example], threshold=0.5, engine="torch").calibration
    boastful = judged(lambda _: np.sqrt(said), [example], threshold=0.5, engine="torch").calibration

    assert honest.expected_error < 0.01
    assert boastful.expected_error > 0.1
    assert [each.observed for each in honest.bins] == pytest.approx([0.05, 0.35, 0.95], abs=0.01)
