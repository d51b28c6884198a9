"""A mask is 0/255 or 0/1, an image has 8 bits a channel, and anything else is said rather than read wrongly."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.workers.datasets.builders import a_picture, write_picture
from workers.datasets import pictures
from workers.datasets.items import DatasetError, Item
from workers.datasets.pictures import read_item, read_mask, read_pixels


@pytest.mark.parametrize(
    ("suffix", "white"),
    [(".png", 255), (".png", 1), (".png", 200), (".bmp", 255), (".bmp", 1), (".tif", 255), (".jpg", 255)],
)
def test_a_mask_is_read_as_it_was_drawn(suffix: str, white: int, tmp_path: Path) -> None:
    path, mask = tmp_path / f"mask{suffix}", a_picture()[1]
    write_picture(path, mask.astype(np.uint8) * np.uint8(white))

    assert np.array_equal(read_mask(path), mask)


def test_one_bit_a_pixel_is_a_mask(tmp_path: Path) -> None:
    path, mask = tmp_path / "mask.png", a_picture()[1]
    Image.fromarray(mask).save(path)

    assert np.array_equal(read_mask(path), mask)


def test_dark_greys_of_a_jpeg_mask_are_no_defect(tmp_path: Path) -> None:
    path = tmp_path / "mask.jpg"
    write_picture(path, np.full((16, 16), 1, np.uint8))

    assert not read_mask(path).any()


def test_a_mask_of_class_numbers_is_not_read_as_empty(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    write_picture(path, a_picture()[1].astype(np.uint8) * np.uint8(5))

    with pytest.raises(DatasetError, match="is at most 5 bright; a mask is 0/255 or 0/1"):
        read_mask(path)


def test_an_image_without_a_mask_has_no_defect(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", a_picture()[0])

    _, mask = read_item(Item(name="a", image=tmp_path / "a.png", mask=None, part="a"))

    assert mask.shape == (96, 48)
    assert not mask.any()


@pytest.mark.parametrize("drawn", [1, 3])
@pytest.mark.parametrize(("channels", "shape"), [(1, (96, 48)), (3, (96, 48, 3))])
def test_channels_are_those_asked_for(channels: int, shape: tuple[int, ...], drawn: int, tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", a_picture(channels=drawn)[0])

    pixels = read_pixels(tmp_path / "a.png", channels=channels)

    assert pixels.shape == shape
    assert pixels.dtype == np.uint8


def test_sixteen_bits_are_not_cut_off_at_eight(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 4000, np.uint16)).save(tmp_path / "a.png")

    with pytest.raises(DatasetError, match=r"a\.png: has pixels of kind I.*; 8 bits a channel are read"):
        read_pixels(tmp_path / "a.png", channels=1)


def test_an_image_past_all_bounds_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "PIXELS_MOST", 48 * 96 - 1)
    write_picture(tmp_path / "a.png", a_picture()[0])

    with pytest.raises(DatasetError, match=r"a\.png: has 48×96 px; at most 4607 are read"):
        read_pixels(tmp_path / "a.png", channels=1)


def test_a_format_that_is_not_read_is_named(tmp_path: Path) -> None:
    Image.fromarray(a_picture()[0]).save(tmp_path / "a.gif")

    with pytest.raises(DatasetError, match=r"a\.gif: cannot be read as an image"):
        read_pixels(tmp_path / "a.gif", channels=1)
