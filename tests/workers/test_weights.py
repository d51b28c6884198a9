"""Weights that are shipped load, answer their canary, are small, and have a card that says whose data they saw."""

from pathlib import Path

import pytest

from config.models import Model
from workers.segmenter import Segmenter

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "workers" / "weights").glob("*.safetensors"))
BYTES_MOST = 5_000_000


@pytest.mark.parametrize("weights", SHIPPED, ids=lambda path: path.stem)
def test_shipped_weights(weights: Path) -> None:
    segmenter = Segmenter.load(Model.model_validate({"weights": str(weights)}), threads=1)

    card = weights.with_suffix(".md").read_text()
    assert segmenter.name == weights.stem
    assert weights.stat().st_size < BYTES_MOST
    assert segmenter.manifest.licence.split(" (")[0] in card
    assert str(segmenter.threshold) in card or segmenter.manifest.licence == "Apache-2.0"
