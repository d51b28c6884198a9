"""Weights run only if size, hash, tensors and canary fit; each guard is shown failing when it is taken out."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save
from torch import nn

from tests.workers.builders import a_checkpoint, a_model, a_net
from workers import checkpoint
from workers.canary import Answer, Canary
from workers.checkpoint import load_checkpoint, load_manifest, sha256_of
from workers.errors import ModelError
from workers.segmenter import Segmenter


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    net = a_net()

    loaded = load_checkpoint(a_checkpoint(tmp_path, net=net))

    assert loaded.manifest.name == "small"
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in loaded.model.state_dict().items())


def test_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    path = a_flipped(a_checkpoint(tmp_path))

    with pytest.raises(ModelError, match="SHA-256 is"):
        load_checkpoint(path)


def test_without_the_hash_check_a_flipped_byte_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_flipped(a_checkpoint(tmp_path))
    monkeypatch.setattr(checkpoint, "sha256_of", lambda _: load_manifest(path.with_suffix(".json")).sha256)

    assert load_checkpoint(path).manifest.name == "small"


def test_a_file_of_another_size_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_checkpoint(tmp_path)
    path.write_bytes(path.read_bytes() + b"\0")
    monkeypatch.setattr(checkpoint, "sha256_of", lambda _: pytest.fail("read before its size was checked"))

    with pytest.raises(ModelError, match="bytes; its manifest says"):
        load_checkpoint(path)


def test_weights_that_may_hold_code_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.pt"
    torch.save({"weights": torch.zeros(1)}, path)

    with pytest.raises(ModelError, match=r"'\.pt'; only \.safetensors"):
        load_checkpoint(path)


def test_a_pickle_by_the_name_of_safetensors_is_refused(tmp_path: Path) -> None:
    path = a_checkpoint(tmp_path)
    torch.save({"weights": torch.zeros(1)}, path)
    vouch(path)

    with pytest.raises(ModelError, match="not safetensors"):
        load_checkpoint(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"colour": "red"}, "colour: Extra inputs", id="unknown key"),
        pytest.param({"threshold": 1.5}, "threshold: Input should be less than 1", id="out of range"),
        pytest.param({"height": "tall"}, "height: Input should be a valid integer", id="wrong type"),
        pytest.param({"version": 2}, "version: Input should be 1", id="later version"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_place(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = a_checkpoint(tmp_path)
    manifest = path.with_suffix(".json")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))

    with pytest.raises(ModelError, match=says):
        load_checkpoint(path)


def test_weights_without_a_manifest_are_refused(tmp_path: Path) -> None:
    path = a_checkpoint(tmp_path)
    path.with_suffix(".json").unlink()

    with pytest.raises(ModelError, match="a manifest lies beside its weights"):
        load_checkpoint(path)


def test_tensors_of_another_net_are_refused(tmp_path: Path) -> None:
    path = a_checkpoint(tmp_path)
    tensors = load(path.read_bytes())
    tensors.pop("head.bias")
    path.write_bytes(save(tensors))
    vouch(path)

    with pytest.raises(ModelError, match="the tensors are not those of"):
        load_checkpoint(path)


def test_weights_with_nan_are_refused(tmp_path: Path) -> None:
    net = a_net()
    path = a_checkpoint(tmp_path, net=net)
    with torch.no_grad():
        net.get_parameter("head.bias").fill_(float("nan"))
    path.write_bytes(save(net.state_dict()))
    vouch(path)

    with pytest.raises(ModelError, match=r"head\.bias and 0 more tensors hold NaN"):
        load_checkpoint(path)


def test_a_net_that_does_not_answer_its_canary_is_refused(tmp_path: Path) -> None:
    path = forged(a_checkpoint(tmp_path))

    with pytest.raises(ModelError, match="the canary's"):
        Segmenter.load(a_model(path), threads=1)


def test_without_the_canary_a_forged_net_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = forged(a_checkpoint(tmp_path))
    monkeypatch.setattr(Canary, "fault", lambda *_, **__: None)

    assert Segmenter.load(a_model(path), threads=1).name == "small"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        pytest.param(Answer(probability=0.01, area_px=900), "largest probability", id="probability"),
        pytest.param(None, "area is", id="area"),
    ],
)
def test_another_answer_than_recorded_is_refused(tmp_path: Path, answer: Answer | None, says: str) -> None:
    path = a_checkpoint(tmp_path)
    real = load_manifest(path.with_suffix(".json")).canary.answer
    wrong = answer or Answer(probability=real.probability, area_px=real.area_px * 2)

    with pytest.raises(ModelError, match=says):
        Segmenter.load(a_model(a_checkpoint(tmp_path, answer=wrong)), threads=1)


def a_flipped(path: Path) -> Path:
    """One bit of the last tensor."""
    weights = bytearray(path.read_bytes())
    weights[-3] ^= 1
    path.write_bytes(bytes(weights))
    return path


def forged(path: Path) -> Path:
    """Other weights, and a manifest that vouches for them."""
    net: nn.Module = a_net(seed=1)
    with torch.no_grad():
        net.get_parameter("head.bias").fill_(-30.0)
    path.write_bytes(save(net.state_dict()))
    vouch(path)
    return path


def vouch(path: Path) -> None:
    manifest = path.with_suffix(".json")
    weights = path.read_bytes()
    facts = {"size_bytes": len(weights), "sha256": sha256_of(weights)}
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | facts))
