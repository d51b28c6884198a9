"""What each layout has of its own: where masks may lie, what a part is, and which folder is the root."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.workers.datasets.builders import a_dataset, a_picture, write_picture
from workers.datasets import folder, kolektorsdd2, magnetic_tile, mvtec, rsdd
from workers.datasets.items import DatasetError, Layout
from workers.datasets.pictures import read_item
from workers.datasets.split import split_items


def a_folder(root: Path, *images: str, masks: tuple[str, ...] = ()) -> None:
    for index, image in enumerate(images):
        write_picture(root / "images" / image, a_picture(index=index)[0])
    for mask in masks:
        write_picture(root / "masks" / mask, a_picture()[1].astype(np.uint8) * np.uint8(255))


def a_tile(root: Path, *names: str) -> None:
    for name in names:
        write_picture(root / f"{name}.jpg", a_picture()[0])
        write_picture(root / f"{name}.png", a_picture()[1].astype(np.uint8) * np.uint8(255))


def test_numbers_in_names_are_compared_as_numbers(tmp_path: Path) -> None:
    a_dataset(tmp_path, "rsdd1")

    names = [item.name for item in rsdd.TYPE_1.scan(tmp_path)]

    assert names == [f"rail_{number}" for number in range(1, 13)]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".jpg", ".tif"])
def test_folder_takes_a_mask_in_several_formats(suffix: str, tmp_path: Path) -> None:
    a_folder(tmp_path, "a.PNG", masks=(f"a{suffix}",))

    (item,) = folder.LAYOUT.scan(tmp_path)

    assert item.mask == tmp_path / "masks" / f"a{suffix}"
    assert np.array_equal(read_item(item)[1], a_picture()[1])


def test_folder_takes_the_subfolder_for_the_part(tmp_path: Path) -> None:
    a_folder(tmp_path, "p7/a.png", "good/p7/b.png", "good/c.png", "d.v2.png", masks=("p7/a.png", "d.v2.png"))

    parts = {item.name: item.part for item in folder.LAYOUT.scan(tmp_path)}

    assert parts == {"d.v2": "d.v2", "good/c": "good/c", "good/p7/b": "p7", "p7/a": "p7"}


def test_folder_takes_parts_json_before_the_subfolder(tmp_path: Path) -> None:
    a_folder(tmp_path, "p7/a.png", "b.png", "c.png", masks=("p7/a.png", "b.png", "c.png"))
    (tmp_path / "parts.json").write_text(json.dumps({"p7/a": "tile", "b": "tile"}))

    parts = {item.name: item.part for item in folder.LAYOUT.scan(tmp_path)}

    assert parts == {"b": "tile", "c": "c", "p7/a": "tile"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('{"a.png": "tile"}', "names 'a.png', which is no image; a name is like 'a'", id="unknown"),
        pytest.param('{"a": 7}', "Expected `str`", id="no-name"),
        pytest.param("a: tile", 'cannot be read as an object {"NAME": "part"}', id="no-json"),
    ],
)
def test_what_is_wrong_in_parts_json_is_said(text: str, said: str, tmp_path: Path) -> None:
    a_folder(tmp_path, "a.png", masks=("a.png",))
    (tmp_path / "parts.json").write_text(text)

    with pytest.raises(DatasetError) as caught:
        folder.LAYOUT.scan(tmp_path)

    assert str(caught.value).startswith(f"{tmp_path / 'parts.json'}: ")
    assert said in str(caught.value)


def test_folder_reads_the_mask_of_a_good_image_where_there_is_one(tmp_path: Path) -> None:
    a_folder(tmp_path, "good/a.png", masks=("good/a.png",))

    (item,) = folder.LAYOUT.scan(tmp_path)

    assert read_item(item)[1].any()


def test_two_images_of_one_name_are_named(tmp_path: Path) -> None:
    a_folder(tmp_path, "a.png", "a.jpg", masks=("a.png",))

    with pytest.raises(DatasetError, match=r"a\.png: has the name 'a' of .*a\.jpg"):
        folder.LAYOUT.scan(tmp_path)


@pytest.mark.parametrize(("layout", "named"), [(rsdd.TYPE_1, "Type-I"), (rsdd.TYPE_2, "Type-II")])
def test_rsdds_are_read_from_the_folder_of_the_type_or_the_one_above(
    layout: Layout, named: str, tmp_path: Path
) -> None:
    for each in ("rsdd1", "rsdd2"):
        a_dataset(tmp_path, each)

    above, of_the_type = layout.scan(tmp_path), layout.scan(tmp_path / f"{named} RSDDs dataset")

    assert above == of_the_type
    assert {item.image.parent.parent.name for item in above} == {f"{named} RSDDs dataset"}


@pytest.mark.parametrize("root", [".", "type1", "published/Type-I RSDDs dataset"])
def test_rsdds_without_masks_cannot_train(root: str, tmp_path: Path) -> None:
    write_picture(tmp_path / "type1" / "rail_12.jpg", a_picture()[0])
    a_dataset(tmp_path / "published", "rsdd1")
    shutil.rmtree(tmp_path / "published" / "Type-I RSDDs dataset" / "GroundTruth")

    with pytest.raises(
        DatasetError, match=r"holds \d+ images but no masks, and without masks none can train"
    ) as caught:
        rsdd.TYPE_1.scan(tmp_path / root)

    assert str(tmp_path / root) in str(caught.value)
    assert "'Type-I RSDDs dataset' with 'Rail surface images' and 'GroundTruth'" in str(caught.value)


@pytest.mark.parametrize("absent", ["train", "test"])
def test_kolektorsdd2_has_both_published_splits(absent: str, tmp_path: Path) -> None:
    a_dataset(tmp_path, "kolektorsdd2")
    shutil.rmtree(tmp_path / absent)

    with pytest.raises(DatasetError, match=f"{absent}: is no folder; the layout needs it"):
        kolektorsdd2.LAYOUT.scan(tmp_path)


def test_kolektorsdd2_leaves_out_what_is_not_numbered(tmp_path: Path) -> None:
    drawn = a_dataset(tmp_path, "kolektorsdd2")
    shutil.copy(tmp_path / "train/10000.png", tmp_path / "train/10000 (copy).png")

    assert [item.name for item in kolektorsdd2.LAYOUT.scan(tmp_path)] == list(drawn)


def test_mvtec_is_shared_out_anew_as_its_training_images_have_no_defect(tmp_path: Path) -> None:
    a_dataset(tmp_path, "mvtec")
    items = mvtec.LAYOUT.scan(tmp_path)

    split = split_items(items, tmp_path)

    assert {item.published for item in items} == {None}
    assert all("test/hole" in str(split[name]) or "test/scratch" in str(split[name]) for name in ("train", "val"))


def test_mvtec_as_a_whole_is_no_category(tmp_path: Path) -> None:
    a_dataset(tmp_path / "bottle", "mvtec")

    with pytest.raises(DatasetError, match="good: is no folder; the layout needs it"):
        mvtec.LAYOUT.scan(tmp_path)


@pytest.mark.parametrize(
    ("distance", "together"),
    [
        pytest.param(20, True, id="next-exposure"),
        pytest.param(764, True, id="taken-again"),
        pytest.param(1000, False, id="next-tile"),
    ],
)
def test_a_tile_is_known_by_its_number_in_whatever_folder(distance: int, together: bool, tmp_path: Path) -> None:
    a_tile(tmp_path, "MT_Crack/Imgs/exp1_num_86064", f"MT_Free/Imgs/exp2_num_{86064 + distance}")

    first, second = magnetic_tile.LAYOUT.scan(tmp_path)

    assert first.name == "MT_Crack/exp1_num_86064"
    assert first.part == "tile-86064"
    assert (first.part == second.part) is together


def test_a_tile_without_its_number_is_named(tmp_path: Path) -> None:
    a_tile(tmp_path, "MT_Free/Imgs/tile_a")

    with pytest.raises(DatasetError, match=r"tile_a\.jpg: its name is not expE_num_N\.jpg"):
        magnetic_tile.LAYOUT.scan(tmp_path)


def test_a_tile_in_both_places_is_named(tmp_path: Path) -> None:
    a_tile(tmp_path, "MT_Free/Imgs/exp1_num_7", "MT_Free/exp1_num_7")

    with pytest.raises(DatasetError, match="a name stands for one image"):
        magnetic_tile.LAYOUT.scan(tmp_path)
