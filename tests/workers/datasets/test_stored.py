"""A stored set gives batches that are a function of seed, step and rank, and shows its defects."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from config.training import Training
from tests.workers.datasets.builders import a_dataset
from workers.datasets.items import DatasetError
from workers.datasets.stored import StoredSource


def a_source(root: Path, **options: object) -> StoredSource:
    if not root.exists():
        a_dataset(root, str(options.get("dataset", "kolektorsdd")))
    small = {"dataset": "kolektorsdd", "root": str(root), "height": 96, "input_width": 48, "batch": 6}
    return StoredSource(Training.model_validate(small | options))


def test_a_batch_is_a_function_of_seed_step_and_rank(tmp_path: Path) -> None:
    source, other = a_source(tmp_path / "set"), a_source(tmp_path / "set", seed=1)

    again = source.batch(3, rank=0)

    assert np.array_equal(source.batch(3, rank=0).images, again.images)
    for different in (source.batch(4, rank=0), source.batch(3, rank=1), other.batch(3, rank=0)):
        assert not np.array_equal(different.images, again.images)


@pytest.mark.parametrize("share", [pytest.param(0.0, id="as-they-come"), pytest.param(1.0, id="defective-alone")])
def test_defective_images_are_oversampled(tmp_path: Path, share: float) -> None:
    source = a_source(tmp_path / "set", oversample=share, crop_height=48, crop_width=32)

    shown = np.concatenate([source.batch(step, rank=0).truth.max(axis=(1, 2, 3)) > 0.4 for step in range(10)])

    assert shown.mean() == 1.0 if share == 1.0 else shown.mean() < 0.6


@pytest.mark.parametrize("fit", [pytest.param("stretch", id="stretch"), pytest.param("pad", id="pad")])
def test_a_batch_has_the_size_of_the_crop(tmp_path: Path, fit: str) -> None:
    batch = a_source(tmp_path / "set", fit=fit, crop_height=64, crop_width=40).batch(0, rank=0)

    assert batch.images.shape == batch.truth.shape == (6, 1, 64, 40)
    assert batch.images.dtype.name == batch.truth.dtype.name == "float32"
    assert len(batch.names) == 6


def test_colour_comes_channels_first(tmp_path: Path) -> None:
    source = a_source(tmp_path / "set", dataset="kolektorsdd2", channels=3)

    assert source.batch(0, rank=0).images.shape == (6, 3, 96, 48)
    assert next(source.validation()).pixels.ndim == 3


def test_no_validation_image_is_trained_on(tmp_path: Path) -> None:
    source = a_source(tmp_path / "set")

    judged = {example.name for example in source.validation()}

    assert judged.isdisjoint(example.name for example in source.calibration())
    assert judged.isdisjoint(name for step in range(30) for name in source.batch(step, rank=0).names)


def test_an_epoch_is_as_long_as_the_training_part(tmp_path: Path) -> None:
    source = a_source(tmp_path / "set", batch=4)

    assert source.steps == -(-source.images[0] // 4)
    assert a_source(tmp_path / "set", steps=7).steps == 7


def test_a_set_without_a_defect_to_learn_is_refused(tmp_path: Path) -> None:
    drawn = a_dataset(tmp_path / "set", "folder")
    for one in drawn.values():
        if one.mask_path is not None:
            (tmp_path / "set" / one.mask_path).unlink()
    for path in (tmp_path / "set" / "images").rglob("*.*"):
        good = tmp_path / "set" / "images" / "good"
        good.mkdir(exist_ok=True)
        if path.parent != good:
            path.rename(good / path.name)

    with pytest.raises(DatasetError, match="has a defect to learn"):
        a_source(tmp_path / "set", dataset="folder")


def test_where_all_is_pasted_every_sample_shows_a_defect_on_a_sound_image(tmp_path: Path) -> None:
    plain, source = a_source(tmp_path / "set", oversample=0.0), a_source(tmp_path / "set", oversample=0.0, paste=1.0)
    sound = {each.name for each in plain.calibration() if not each.mask.any()}

    batches = [source.batch(step, rank=0) for step in range(5)]

    assert all(batch.truth.max(axis=(1, 2, 3)).min() > 0.4 for batch in batches)
    assert {name for batch in batches for name in batch.names} <= sound


def test_pasting_needs_a_small_defect(tmp_path: Path) -> None:
    a_dataset(tmp_path / "set", "kolektorsdd")
    for mask in (tmp_path / "set").rglob("*_label*"):
        pixels = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
        assert pixels is not None
        cv2.imwrite(str(mask), np.full_like(pixels, 255) if pixels.any() else pixels)

    with pytest.raises(DatasetError, match="0 have a defect below 10% of the image"):
        a_source(tmp_path / "set", paste=0.5)
