"""The real sets, where LINE_DATA says: how many images they hold, and that no tile is in two splits."""

from pathlib import Path

import pytest

from workers.datasets import LAYOUTS
from workers.datasets.items import DatasetError, Item
from workers.datasets.pictures import read_item, read_mask
from workers.datasets.split import split_items, wanted

SETS = {"kolektorsdd": ((256, 34), (64, 8)), "magnetic_tile": ((818, 251), (277, 69))}
SAME_TILE = [  # number of one image and of another: taken again, or with a defect that one exposure does not show
    (85897, 86892),
    (108719, 108889),
    (834, 853),
    (331149, 331174),
    (136351, 136676),
]


def defective(items: list[Item]) -> int:
    return sum(item.mask is not None and bool(read_mask(item.mask).any()) for item in items)


@pytest.mark.parametrize("layout", SETS)
def test_a_real_set_holds_what_was_counted(layout: str, line_data: Path) -> None:
    root = line_data / layout

    split = split_items(LAYOUTS[layout].scan(root), root)

    assert [(len(split[name]), defective(split[name])) for name in ("train", "val")] == list(SETS[layout])
    assert split["test"] == []
    for item in wanted(split, "all", root)[::100]:
        pixels, mask = read_item(item)
        assert pixels.shape == mask.shape


def test_exposures_of_one_tile_stay_together(line_data: Path, tmp_path: Path) -> None:
    items = LAYOUTS["magnetic_tile"].scan(line_data / "magnetic_tile")
    part = {int(item.name.rpartition("_")[2]): item.part for item in items}

    assert [pair for pair in SAME_TILE if part[pair[0]] != part[pair[1]]] == []
    assert len(set(part.values())) > 100


@pytest.mark.parametrize(("layout", "root"), [("rsdd1", "."), ("rsdd1", "type1"), ("rsdd2", "type2")])
def test_images_without_masks_are_refused(layout: str, root: str, line_data: Path) -> None:
    with pytest.raises(DatasetError, match="without masks none can train"):
        LAYOUTS[layout].scan(line_data / "rsdds_unlabelled" / root)
