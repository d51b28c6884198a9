"""Whatever the size of an image, the net's answer lies where the image was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.fit import Fit, padded, placed_scale, reduced, reduced_mask, restored, shown
from workers.normalisation import standardise

SIDES = st.integers(min_value=8, max_value=90)


@given(high=SIDES, wide=SIDES, fit=st.sampled_from(["stretch", "pad"]))
def test_an_answer_comes_back_at_the_images_own_size(high: int, wide: int, fit: Fit) -> None:
    pixels = np.tile(np.arange(wide, dtype=np.uint8) * 2, (high, 1))

    image, scale = shown(pixels, (48, 40), fit)

    assert image.shape == (48, 40)
    assert restored(image, scale, (high, wide)).shape == (high, wide)


@pytest.mark.parametrize("fit", [pytest.param("stretch", id="stretch"), pytest.param("pad", id="pad")])
def test_what_is_bright_stays_where_it_is(fit: Fit) -> None:
    pixels = np.full((60, 30), 40, np.uint8)
    pixels[40:50, 10:20] = 220

    image, scale = shown(pixels, (96, 64), fit)

    assert np.array_equal(restored(image, scale, (60, 30)) > 1, pixels > 100)


def test_a_padded_image_keeps_its_scale_unless_it_is_too_large() -> None:
    assert placed_scale((60, 30), (96, 64), "pad") == (60, 30)
    assert placed_scale((192, 64), (96, 64), "pad") == (96, 32)
    assert placed_scale((60, 30), (96, 64), "stretch") == (96, 64)


def test_padding_mirrors_the_image_and_does_not_move_its_mean() -> None:
    image = standardise(np.arange(60, dtype=np.uint8).reshape(6, 10) * 4)

    found = padded(image, (9, 12))

    assert np.array_equal(found[:6, :10], image)
    assert np.array_equal(found[6:8, :10], image[4:2:-1])


def test_a_thin_line_is_not_stepped_over() -> None:
    pixels, mask = np.full((512, 512), 200, np.uint8), np.zeros((512, 512), np.bool_)
    pixels[:, 101], mask[:, 101] = 0, True

    small, share = reduced(pixels, (128, 128)), reduced_mask(mask, (128, 128))

    assert small[:, 25].max() == 150
    assert share.sum() * 16 == pytest.approx(mask.sum())


def test_a_thin_line_is_averaged_where_its_axis_shrinks_though_the_other_grows() -> None:
    pixels, mask = np.full((400, 50), 200, np.uint8), np.zeros((400, 50), np.bool_)
    pixels[101], mask[101] = 0, True

    small, share = reduced(pixels, (100, 256)), reduced_mask(mask, (100, 256))

    assert set(small[25]) == {150}
    assert set(share[25]) == {0.25}


def test_colour_keeps_its_channels() -> None:
    pixels = np.zeros((30, 20, 3), np.uint8)
    pixels[..., 1] = 255

    image, scale = shown(pixels, (40, 40), "pad")

    assert (image.shape, scale) == ((40, 40, 3), (30, 20))


def test_one_channel_is_standardised_alone() -> None:
    pixels = np.random.Generator(np.random.PCG64(1)).integers(0, 255, (40, 30, 3), np.uint8)

    by_channel = standardise(pixels)

    assert np.array_equal(by_channel[..., 2], standardise(np.ascontiguousarray(pixels[..., 2])))
