"""A run is a function of its settings: repeated, or stopped and resumed, it gives the same weights."""

from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from monitor.twin.surface import SurfaceSpec
from tests.workers.builders import a_checkpoint, a_training
from workers import train
from workers.checkpoint import load_manifest
from workers.commands import app
from workers.datasets import twin
from workers.metrics import PixelCounts, pixel_counts
from workers.models import anomalyseg
from workers.train import Epoch, TrainingError, run_training


@pytest.fixture(autouse=True)
def few_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "VALIDATION_SURFACES", 2)
    monkeypatch.setattr(train, "CALIBRATION_SURFACES", 2)


SMALL = "--width 2 --blocks 1 --size 480x160 --crop-height 64 --batch 2 --epochs 1 --steps 2 --warmup-epochs 0"


class StoppedError(Exception):
    pass


def silent(_step: int, _epoch: Epoch | None) -> None:
    pass


def stop_after_first(_step: int, epoch: Epoch | None) -> None:
    if epoch is not None:
        raise StoppedError


@pytest.mark.parametrize("optimizer", [pytest.param("adamw", id="adamw"), pytest.param("sgd", id="sgd")])
def test_a_resumed_run_ends_as_one_that_never_stopped(tmp_path: Path, optimizer: str) -> None:
    training = a_training(optimizer=optimizer)
    whole = run_training(training, tmp_path / "whole", resume=False, report=silent)
    with pytest.raises(StoppedError):
        run_training(training, tmp_path / "halves", resume=False, report=stop_after_first)

    halves = run_training(training, tmp_path / "halves", resume=True, report=silent)

    for one, other in zip(whole.state_dict().values(), halves.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    assert (tmp_path / "whole" / "metrics.jsonl").read_text() == (tmp_path / "halves" / "metrics.jsonl").read_text()


def test_a_run_is_resumed_with_its_own_settings_only(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        run_training(a_training(), tmp_path, resume=False, report=stop_after_first)

    with pytest.raises(TrainingError, match="was started with other settings"):
        run_training(a_training(seed=1), tmp_path, resume=True, report=silent)


def test_a_run_may_begin_with_the_weights_of_the_same_net_only(tmp_path: Path) -> None:
    begun = a_training(width=2, stem_stride=2, begin_with=str(a_checkpoint(tmp_path)))
    other = begun.model_copy(update={"width": 4})

    run_training(begun, tmp_path / "run", resume=False, report=silent)

    with pytest.raises(TrainingError, match="the run is for"):
        run_training(other, tmp_path / "other", resume=False, report=silent)


def test_there_must_be_something_to_resume(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no checkpoint to resume"):
        run_training(a_training(), tmp_path, resume=True, report=silent)


def test_a_batch_is_a_function_of_seed_and_step() -> None:
    spec = SurfaceSpec(height=480)
    first, again, later = (twin.training_batch(spec, batch=4, crop_height=64, seed=0, step=step) for step in (3, 3, 4))

    assert all(np.array_equal(a.image, b.image) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].image, later[0].image)
    assert all(sample.image.shape == sample.truth.shape == (64, 160) for sample in first)


def test_training_validation_and_test_share_no_surface() -> None:
    spans = sorted((seeds.start, seeds.stop) for seeds in (twin.TRAIN_SEEDS, twin.VALIDATION_SEEDS, twin.TEST_SEEDS))

    assert all(stop <= start for (_, stop), (start, _) in pairwise(spans))
    assert spans[0][0] > 1000  # a station's seed is small


def test_counts_pool_over_images() -> None:
    found, truth = np.array([[True, True, False, False]]), np.array([[True, False, True, False]])

    pooled = pixel_counts(found, truth) + pixel_counts(truth, truth)

    assert pooled == PixelCounts(true_positive=3, false_positive=1, false_negative=1)
    assert pooled.dsc == pytest.approx(6 / 8)
    assert pooled.area_ratio == 1.0


def test_the_command_trains_and_writes_weights_with_a_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anomalyseg, "FIRST_LOGIT", 1.0)  # fires after two steps too

    result = CliRunner().invoke(app, [*small_run(tmp_path), "--json", str(tmp_path / "out")])

    manifest = load_manifest(tmp_path / "small.json")
    assert result.exit_code == 0, result.output
    assert (manifest.name, manifest.height, manifest.width, manifest.net.width) == ("small", 480, 160, 2)
    assert msgspec.json.decode((tmp_path / "out").read_bytes())["sha256"] == manifest.sha256


def test_a_net_that_does_not_answer_its_canary_gets_no_manifest(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, small_run(tmp_path))

    assert result.exit_code == 2
    assert "does not answer its canary" in " ".join(result.output.split())
    assert not (tmp_path / "small.json").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--size", "large"], "'large' is not LINESxPX", id="size"),
        pytest.param(["--net", "resnet"], "--net: Input should be 'anomalyseg', found 'resnet'", id="net"),
        pytest.param(["--epochs", "0"], "--epochs: Input should be greater", id="epochs"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(tmp_path: Path, options: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["train", "--out", str(tmp_path / "run"), *options])

    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


def small_run(out: Path) -> list[str]:
    return ["train", "--out", str(out), "--name", "small", *SMALL.split()]
