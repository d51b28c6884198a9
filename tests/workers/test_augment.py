"""Image and truth move together, and where a sample lies is drawn within the image."""

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.augment import augmented, cropped, pasted

HIGH, WIDE = 120, 80


def a_rng(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def a_pair() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """An image whose defect is very dark, and its truth."""
    image, truth = np.ones((HIGH, WIDE), np.float32), np.zeros((HIGH, WIDE), np.float32)
    image[30:60, 20:50], truth[30:60, 20:50] = -6.0, 1.0
    return image, truth


def agreement(image: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    dark, marked = image < -2.5, truth > 0.5
    return 2 * np.count_nonzero(dark & marked) / (np.count_nonzero(dark) + np.count_nonzero(marked))


def test_image_and_truth_move_together() -> None:
    image, truth = a_pair()

    found = [
        augmented(image, truth, a_rng(seed), size=(64, 64), around=(45.0, 35.0), rotation_deg=6.0) for seed in range(40)
    ]

    assert all(agreement(each.image, each.truth) > 0.93 for each in found)


def test_a_truth_that_did_not_move_along_would_be_seen() -> None:
    image, truth = a_pair()

    placed = augmented(image, truth, a_rng(3), size=(HIGH, WIDE), around=None, rotation_deg=6.0)

    assert agreement(placed.image, truth) < 0.93


def test_a_sample_shows_the_point_it_was_drawn_around() -> None:
    image, truth = np.zeros((HIGH, WIDE), np.float32), np.zeros((HIGH, WIDE), np.float32)
    truth[100:104, 10:14] = 1.0

    found = [
        augmented(image, truth, a_rng(seed), size=(48, 40), around=(102.0, 12.0), rotation_deg=6.0)
        for seed in range(40)
    ]

    assert all(each.truth.max() > 0.4 for each in found)


def test_a_sample_turned_far_still_shows_the_point_it_was_drawn_around() -> None:
    image, truth = np.zeros((HIGH, WIDE), np.float32), np.zeros((HIGH, WIDE), np.float32)
    truth[4:8, 38:42] = 1.0  # a whole image turned upon its side shows its middle alone

    found = [
        augmented(image, truth, a_rng(seed), size=(HIGH, WIDE), around=(6.0, 40.0), rotation_deg=90.0)
        for seed in range(40)
    ]

    assert all(each.truth.max() > 0.4 for each in found)


def test_a_sample_is_a_function_of_its_generator() -> None:
    image, truth = a_pair()
    one, again, other = (
        augmented(image, truth, a_rng(seed), size=(64, 48), around=None, rotation_deg=6.0) for seed in (1, 1, 2)
    )

    assert np.array_equal(one.image, again.image)
    assert not np.array_equal(one.image, other.image)


@pytest.mark.parametrize("size", [pytest.param((48, 40), id="crop"), pytest.param((160, 100), id="larger-than-image")])
def test_a_sample_has_its_size_and_a_truth_between_0_and_1(size: tuple[int, int]) -> None:
    image, truth = a_pair()

    for seed in range(10):
        placed = augmented(image, truth, a_rng(seed), size=size, around=None, rotation_deg=6.0)

        assert placed.image.shape == placed.truth.shape == size
        assert placed.image.dtype == np.float32
        assert 0 <= placed.truth.min() <= placed.truth.max() <= 1


def test_without_augmentation_a_sample_is_a_piece_of_the_image() -> None:
    image = np.arange(HIGH * WIDE, dtype=np.float32).reshape(HIGH, WIDE)

    placed = cropped(image, np.zeros_like(image), a_rng(4), size=(32, 24), around=None)

    y, x = divmod(int(placed.image[0, 0]), WIDE)
    assert np.array_equal(placed.image, image[y : y + 32, x : x + 24])


def test_colour_is_augmented_too() -> None:
    placed = augmented(
        np.zeros((HIGH, WIDE, 3), np.float32),
        np.zeros((HIGH, WIDE), np.float32),
        a_rng(0),
        size=(64, 64),
        around=None,
        rotation_deg=6.0,
    )

    assert placed.image.shape == (64, 64, 3)


def test_a_pasted_defect_keeps_its_contrast_and_takes_the_level_of_where_it_lies() -> None:
    donor, truth = a_pair()
    sound = np.full((HIGH, WIDE), 3.0, np.float32)

    for seed in range(20):
        made = pasted(sound, donor + 1.5, truth, a_rng(seed))

        assert made is not None
        image, marked, (y, x) = made
        assert marked[int(y), int(x)] == 1.0
        assert image[marked > 0.5] == pytest.approx(3.0 - 7.0)
        assert np.count_nonzero(marked) == 900
        assert image[marked == 0].max() == pytest.approx(3.0)


def test_a_defect_larger_than_the_image_is_cut_to_it() -> None:
    donor, truth = a_pair()

    made = pasted(np.zeros((40, 25), np.float32), donor, truth, a_rng(0))

    assert made is not None
    assert made[0].shape == made[1].shape == (40, 25)


def test_a_defect_without_ground_around_it_is_not_pasted() -> None:
    whole = np.ones((20, 20), np.float32)

    assert pasted(np.zeros((HIGH, WIDE), np.float32), -6 * whole, whole, a_rng(0)) is None


def test_colour_is_pasted_channel_by_channel() -> None:
    donor, truth = a_pair()
    sound = np.stack([np.full((HIGH, WIDE), level, np.float32) for level in (1.0, 2.0, 3.0)], axis=2)

    made = pasted(sound, np.stack([donor] * 3, axis=2), truth, a_rng(0))

    assert made is not None
    assert made[0][made[1] > 0.5][0].tolist() == pytest.approx([-6.0, -5.0, -4.0])
