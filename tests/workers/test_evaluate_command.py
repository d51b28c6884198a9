"""`linectl evaluate` on a stored set: its fixed keys, its pictures, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.workers.builders import a_checkpoint
from tests.workers.datasets.builders import a_dataset
from workers.commands import app
from workers.datasets import LAYOUTS
from workers.datasets.split import split_items

KEYS = {
    "images", "defective", "dsc", "iou", "image_ap", "image_auroc", "false_reject_rate_at_full_recall",
    "region_recall", "ms_per_image", "engine",
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    a_dataset(tmp_path / "set", "kolektorsdd")
    return tmp_path / "set"


def evaluate(root: Path, weights: Path, *options: str) -> tuple[int, str]:
    command = ["evaluate", "--weights", str(weights), "--dataset", "kolektorsdd", "--root", str(root)]
    result = CliRunner().invoke(app, [*command, "--engine", "torch", "--threads", "1", *options])
    return result.exit_code, result.output


@pytest.mark.parametrize("split", [pytest.param("val", id="val"), pytest.param("all", id="all")])
def test_it_prints_its_keys_and_draws(tmp_path: Path, root: Path, split: str) -> None:
    to, out = tmp_path / "found.json", tmp_path / "out"

    code, said = evaluate(root, a_checkpoint(tmp_path), "--split", split, "--out", str(out), "--json", str(to))

    assert code == 0, said
    found: dict[str, Any] = json.loads(to.read_text())
    items = split_items(LAYOUTS["kolektorsdd"].scan(root), root)
    assert found.keys() >= KEYS
    assert found["images"] == (sum(map(len, items.values())) if split == "all" else len(items["val"]))
    assert set(found["dsc"]) == set(found["iou"]) == {"all", "defective", "pooled"}
    assert 0 < found["defective"] < found["images"]
    assert all(np.asarray(Image.open(out / name)).std() > 5 for name in ("thresholds.png", "defective.png"))


def test_a_set_of_good_images_has_no_ranking(tmp_path: Path, root: Path) -> None:
    for mask in root.glob("*/*_label.bmp"):
        Image.fromarray(np.zeros_like(np.asarray(Image.open(mask)))).save(mask)

    code, said = evaluate(root, a_checkpoint(tmp_path), "--json", str(tmp_path / "found.json"))

    found = json.loads((tmp_path / "found.json").read_text())
    assert code == 0, said
    assert (found["defective"], found["image_ap"], found["dsc"]["defective"]) == (0, None, None)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--split", "validation"], "'validation' is not one of", id="split"),
        pytest.param(["--dataset", "kolektor"], "'kolektor' is not one of", id="dataset"),
        pytest.param(["--engine", "onnx"], "onnx", id="engine"),
        pytest.param(["--weights", "gone.safetensors"], "gone", id="weights"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, root: Path, options: list[str], says: str) -> None:
    code, said = evaluate(root, a_checkpoint(tmp_path), *options)

    assert code == 2
    assert says in " ".join(said.split())


def test_a_mask_of_another_size_is_named(tmp_path: Path, root: Path) -> None:
    items = split_items(LAYOUTS["kolektorsdd"].scan(root), root)["val"]
    mask = items[0].mask
    assert mask is not None
    Image.fromarray(np.zeros((7, 9), np.uint8)).save(mask)

    code, said = evaluate(root, a_checkpoint(tmp_path))

    assert code == 2
    assert str(mask) in said.replace("\n", "")
    assert "is 9×7" in " ".join(said.split())
