"""One contract for every layout: what was drawn is read, and what is wrong is said with the name of the file."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from config.training import DATASETS
from tests.workers.datasets.builders import Drawn, a_dataset, write_picture
from workers.datasets import LAYOUTS
from workers.datasets.items import DatasetError, Item, Layout
from workers.datasets.pictures import read_item
from workers.datasets.split import split_items, wanted

NAMES = sorted(LAYOUTS)
COLOUR = {"kolektorsdd2": 3}
ONCE_PUBLISHED = [pytest.param(name, False, id=name) for name in NAMES]
FLAT = [pytest.param(name, True, id=f"{name}-flat") for name in ("kolektorsdd", "magnetic_tile")]


def masked(drawn: dict[str, Drawn]) -> Drawn:
    """Some image whose mask is not optional, from the middle of the set."""
    return [each for each in drawn.values() if each.mask_path and each.mask.any()][1]


def mask_of(each: Drawn) -> str:
    assert each.mask_path
    return each.mask_path


def read_all(layout: str, root: Path) -> list[Item]:
    items = LAYOUTS[layout].scan(root)
    for item in items:
        read_item(item)
    return items


def test_every_set_that_can_be_named_has_a_layout() -> None:
    assert {*LAYOUTS, "twin"} == set(DATASETS)


@pytest.mark.parametrize(("layout", "flat"), [*ONCE_PUBLISHED, *FLAT])
def test_what_was_drawn_is_read(layout: str, flat: bool, tmp_path: Path) -> None:
    drawn = a_dataset(tmp_path, layout, flat=flat)

    items = LAYOUTS[layout].scan(tmp_path)

    assert [(item.name, item.part) for item in items] == [(name, each.part) for name, each in drawn.items()]
    for item in items:
        pixels, mask = read_item(item, channels=COLOUR.get(layout, 1))
        assert np.array_equal(mask, drawn[item.name].mask), item.name
        assert pixels.shape == drawn[item.name].pixels.shape
        assert np.abs(pixels.astype(int) - drawn[item.name].pixels).mean() < 8  # JPEG


@pytest.mark.parametrize("layout", NAMES)
def test_a_fixture_is_large_enough_to_be_split(layout: str, tmp_path: Path) -> None:
    drawn = a_dataset(tmp_path, layout)

    split = split_items(LAYOUTS[layout].scan(tmp_path), tmp_path)

    assert len(drawn) >= 12
    assert sum(each.mask.any() for each in drawn.values()) >= 4
    assert [any(drawn[item.name].mask.any() for item in split[name]) for name in ("train", "val")] == [True, True]


@pytest.mark.parametrize("layout", NAMES)
def test_a_fixture_is_a_function_of_its_seed(layout: str, tmp_path: Path) -> None:
    first, again, other = (
        next(iter(a_dataset(tmp_path / str(i), layout, seed=seed).values())) for i, seed in enumerate((3, 3, 4))
    )

    assert np.array_equal(first.pixels, again.pixels)
    assert not np.array_equal(first.pixels, other.pixels)


@pytest.mark.parametrize("layout", NAMES)
def test_a_missing_mask_is_named(layout: str, tmp_path: Path) -> None:
    each = masked(a_dataset(tmp_path, layout))
    (tmp_path / mask_of(each)).unlink()

    with pytest.raises(DatasetError, match="has no mask; it should be") as caught:
        LAYOUTS[layout].scan(tmp_path)

    assert str(tmp_path / each.image_path) in str(caught.value)
    assert str(tmp_path / mask_of(each)) in str(caught.value)


@pytest.mark.parametrize("layout", NAMES)
def test_a_mask_of_another_size_is_named(layout: str, tmp_path: Path) -> None:
    each = masked(a_dataset(tmp_path, layout))
    write_picture(tmp_path / mask_of(each), np.zeros((20, 30), np.uint8))

    with pytest.raises(DatasetError, match=r"is 30×20; its image .* is 48×96") as caught:
        read_all(layout, tmp_path)

    assert str(tmp_path / mask_of(each)) in str(caught.value)


@pytest.mark.parametrize("of", ["image", "mask"])
@pytest.mark.parametrize("kept", [pytest.param(0, id="empty"), pytest.param(0.5, id="cut-short")])
@pytest.mark.parametrize("layout", NAMES)
def test_an_unreadable_file_is_named(layout: str, kept: float, of: str, tmp_path: Path) -> None:
    each = masked(a_dataset(tmp_path, layout))
    path = tmp_path / (each.image_path if of == "image" else mask_of(each))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])

    with pytest.raises(DatasetError, match="cannot be read as an image") as caught:
        read_all(layout, tmp_path)

    assert str(path) in str(caught.value)


@pytest.mark.parametrize("layout", NAMES)
def test_a_root_that_is_not_there_is_named(layout: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no folder") as caught:
        LAYOUTS[layout].scan(tmp_path / "absent")

    assert str(tmp_path / "absent") in str(caught.value)


@pytest.mark.parametrize("layout", NAMES)
def test_a_root_of_something_else_is_named(layout: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"is no folder|holds no") as caught:
        LAYOUTS[layout].scan(tmp_path)

    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("layout", NAMES)
def test_folders_without_images_are_no_set(layout: str, tmp_path: Path) -> None:
    drawn = a_dataset(tmp_path, layout)
    for each in drawn.values():
        (tmp_path / each.image_path).unlink()

    with pytest.raises(DatasetError, match="holds no"):
        LAYOUTS[layout].scan(tmp_path)


@pytest.mark.parametrize("layout", NAMES)
def test_an_empty_split_is_named(layout: str, tmp_path: Path) -> None:
    drawn = a_dataset(tmp_path, layout)
    first = next(iter(drawn))
    (tmp_path / "split.json").write_text(f'{{"train": ["{first}"]}}')
    split = split_items(LAYOUTS[layout].scan(tmp_path), tmp_path)

    with pytest.raises(DatasetError, match=r"the split 'val' is empty \(train 1, val 0, test 0\)") as caught:
        wanted(split, "val", tmp_path)

    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("layout", NAMES)
def test_files_may_be_links_to_elsewhere(layout: str, tmp_path: Path) -> None:
    drawn = a_dataset(tmp_path / "real", layout)
    for path in (tmp_path / "real").rglob("*.*"):
        link = tmp_path / "linked" / path.relative_to(tmp_path / "real")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)

    assert [item.name for item in read_all(layout, tmp_path / "linked")] == list(drawn)


@pytest.mark.parametrize("layout", NAMES)
def test_folders_may_be_links_to_elsewhere(layout: str, tmp_path: Path) -> None:
    drawn = a_dataset(tmp_path / "real", layout)
    (tmp_path / "linked").mkdir()
    for path in (tmp_path / "real").iterdir():
        (tmp_path / "linked" / path.name).symlink_to(path)

    assert [item.name for item in read_all(layout, tmp_path / "linked")] == list(drawn)


@pytest.mark.parametrize("layout", NAMES)
def test_the_order_is_not_that_of_the_file_system(layout: str, tmp_path: Path) -> None:
    drawn = a_dataset(tmp_path / "drawn", layout)
    for each in reversed(drawn.values()):
        for path in filter(None, (each.image_path, each.mask_path)):
            (tmp_path / "copied" / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tmp_path / "drawn" / path, tmp_path / "copied" / path)

    assert [item.name for item in LAYOUTS[layout].scan(tmp_path / "copied")] == list(drawn)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_a_card_says_what_must_be_said(layout: Layout) -> None:
    assert all((layout.card.title, layout.card.licence, layout.card.source))
