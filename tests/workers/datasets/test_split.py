"""A split never separates a part, holds 7:2:1, and is a function of its seed; `split.json` wins where it stands."""

import json
from itertools import groupby
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.datasets.builders import a_dataset, a_picture, write_picture
from workers.datasets import LAYOUTS
from workers.datasets.items import DatasetError, Item
from workers.datasets.split import SPLITS, Split, split_items, wanted

NOWHERE = Path("nowhere")  # holds no split.json
SEVERAL_TO_A_PART = ["folder", "kolektorsdd", "magnetic_tile"]


def an_item(name: str, part: str) -> Item:
    return Item(name=name, image=NOWHERE / f"{name}.png", mask=None, part=part)


def items_of(*sizes: int) -> list[Item]:
    """As many parts, of as many images each."""
    return [an_item(f"p{part}/{i}", f"p{part}") for part, size in enumerate(sizes) for i in range(size)]


def separated(split: Split, part_of: dict[str, str]) -> set[str]:
    """Parts of which two splits hold images."""
    held = [{part_of[item.name] for item in split[name]} for name in SPLITS]
    return (held[0] & held[1]) | (held[0] & held[2]) | (held[1] & held[2])


def parts_by_name(items: list[Item]) -> dict[str, str]:
    return {item.name: item.part for item in items}


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Item]]:
    found = {}
    for name, layout in LAYOUTS.items():
        root = tmp_path_factory.mktemp(name)
        a_dataset(root, name)
        found[name] = layout.scan(root)
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_part_is_never_separated(layout: str, seed: int, scanned: dict[str, list[Item]]) -> None:
    items = scanned[layout]

    split = split_items(items, NOWHERE, seed=seed)

    assert separated(split, parts_by_name(items)) == set()
    assert sorted(item.name for item in wanted(split, "all", NOWHERE)) == sorted(item.name for item in items)


@pytest.mark.parametrize("layout", SEVERAL_TO_A_PART)
def test_a_split_by_image_would_separate_a_part(layout: str, scanned: dict[str, list[Item]]) -> None:
    items = scanned[layout]
    by_image = [msgspec.structs.replace(item, part=item.name) for item in items]

    split = split_items(by_image, NOWHERE)

    assert separated(split, parts_by_name(items)) != set()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(0, 2**31))
def test_shares_are_of_images_and_parts_stay_whole(sizes: list[int], seed: int) -> None:
    items = items_of(*sizes)

    split = split_items(items, NOWHERE, seed=seed)

    assert separated(split, parts_by_name(items)) == set()
    counts = [len(split[name]) for name in SPLITS]
    assert sum(counts) == len(items)
    for found, share in zip(counts, (0.7, 0.2, 0.1), strict=True):
        assert abs(found - share * len(items)) <= max(sizes)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("defective", "train", "val"), [(10, 7, 2), (4, 3, 1), (2, 1, 1)])
def test_parts_with_a_defect_are_shared_out_alike(
    defective: int, train: int, val: int, seed: int, tmp_path: Path
) -> None:
    """The masks of the others are JPEG, whose dark greys must not count as a defect."""
    bad, good = tmp_path / "bad.png", tmp_path / "good.jpg"
    write_picture(bad, a_picture()[1].astype(np.uint8) * np.uint8(255))
    write_picture(good, a_picture(defective=False)[0] // 40)
    items = [
        msgspec.structs.replace(item, mask=bad if i < defective else good) for i, item in enumerate(items_of(*[1] * 40))
    ]

    split = split_items(items, NOWHERE, seed=seed)

    assert [sum(item.mask == bad for item in split[name]) for name in ("train", "val")] == [train, val]


def test_the_same_seed_splits_alike() -> None:
    items = items_of(*[3] * 30)

    splits = [split_items(items, NOWHERE, seed=seed) for seed in (5, 5, 6)]

    assert splits[0] == splits[1]
    assert splits[0] != splits[2]


def test_a_published_split_is_kept(scanned: dict[str, list[Item]]) -> None:
    items = scanned["kolektorsdd2"]

    one, other = (split_items(items, NOWHERE, seed=seed) for seed in (0, 1))

    assert [len(one[name]) for name in SPLITS] == [9, 3, 6]
    assert {item.published for item in one["test"]} == {"test"}
    assert {item.published for item in one["train"] + one["val"]} == {"train"}
    assert one["test"] == other["test"]
    assert one["val"] != other["val"]


def test_split_json_wins(tmp_path: Path, scanned: dict[str, list[Item]]) -> None:
    items = scanned["kolektorsdd2"]
    names = {"train": ["test/20000"], "test": ["train/10000", "train/10001"]}
    (tmp_path / "split.json").write_text(json.dumps(names))

    split = split_items(items, tmp_path)

    assert {name: [item.name for item in split[name]] for name in SPLITS} == names | {"val": []}


def test_split_json_names_parts_or_images(tmp_path: Path) -> None:
    items = items_of(2, 2, 2)
    (tmp_path / "split.json").write_text('{"train": ["p0"], "val": ["p1/0", "p1/1"]}')

    split = split_items(items, tmp_path)

    assert {part: len(list(group)) for part, group in groupby(split["train"], lambda item: item.part)} == {"p0": 2}
    assert [item.name for item in split["val"]] == ["p1/0", "p1/1"]
    assert split["test"] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('{"train": ["p9"]}', "train names 'p9', which is neither an image nor a part", id="unknown"),
        pytest.param('{"train": ["p0"], "val": ["p0"]}', "'p0' stands in train and in val", id="in-two"),
        pytest.param('{"train": ["p0"], "val": ["p0/1"]}', "'p0/1' stands in val, its part in train", id="part"),
        pytest.param('{"train": ["p0"], "valid": ["p1"]}', "Invalid enum value 'valid'", id="no-such-split"),
        pytest.param('{"train": "p0"}', "Expected `array`", id="no-list"),
        pytest.param('{"train": [0]}', "Expected `str`", id="no-name"),
        pytest.param('["p0"]', "an object with lists of names: train, val and test", id="no-object"),
        pytest.param("train: p0", "an object with lists of names: train, val and test", id="no-json"),
    ],
)
def test_what_is_wrong_in_split_json_is_said(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text(text)

    with pytest.raises(DatasetError) as caught:
        split_items(items_of(2, 2), tmp_path)

    assert str(caught.value).startswith(f"{tmp_path / 'split.json'}: ")
    assert said in str(caught.value)


def test_a_split_of_no_such_name_is_named() -> None:
    with pytest.raises(DatasetError, match="'valid' is not one of"):
        wanted(split_items(items_of(1), NOWHERE), "valid", NOWHERE)
