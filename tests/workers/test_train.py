"""A run is a function of its settings: repeated, or stopped and resumed, it gives the same weights."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from config.training import Training
from monitor.twin.surface import SurfaceSpec
from tests.workers.builders import a_checkpoint, a_source, a_stored_training, a_training, run
from workers import run_state
from workers.datasets import LAYOUTS, twin
from workers.datasets.pictures import read_mask
from workers.datasets.split import split_items
from workers.errors import ModelError, TrainingError
from workers.models import build_model
from workers.models.spec import AnomalySegSpec
from workers.run_folder import read_epochs
from workers.run_state import memory_layout, spec_of
from workers.scoring import score, validate
from workers.train import run_training


def test_a_run_may_begin_with_the_weights_of_the_same_net_only(tmp_path: Path) -> None:
    begun = a_training(width=2, stem_stride=2, epochs=1, begin_with=str(a_checkpoint(tmp_path)))
    other = begun.model_copy(update={"width": 4})

    run(begun, tmp_path / "run")

    with pytest.raises(TrainingError, match="the run is for"):
        run(other, tmp_path / "other")


def test_each_epoch_leaves_its_three_dice_figures(tmp_path: Path) -> None:
    training = a_stored_training(tmp_path / "set")

    run(training, tmp_path / "run")

    epochs = read_epochs(tmp_path / "run")
    assert [each.epoch for each in epochs] == [1, 2]
    figures = [figure for each in epochs for figure in (each.dsc_all, each.dsc_defective, each.dsc_pooled)]
    assert all(figure is not None and 0 <= figure <= 1 for figure in figures)


class Broken(nn.Module):
    """A net that says NaN in its third step."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.seen = 0

    def forward(self, image: Tensor) -> Tensor:
        self.seen += self.training
        return image[:, :1] * self.scale * (float("nan") if self.training and self.seen == 3 else 1.0)


def test_nan_stops_the_run_with_its_step_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training = a_stored_training(tmp_path / "set", steps=4)
    names = a_source(training).batch(2, rank=0).names
    monkeypatch.setattr(run_state, "build_model", lambda _spec: Broken())

    with pytest.raises(TrainingError, match="step 2: the loss is nan") as raised:
        run(training, tmp_path / "run")

    assert all(name in str(raised.value) for name in names)


class _NanBackward(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: object, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(_ctx: object, gradient: Tensor) -> Tensor:
        return gradient * float("nan")


class Poisoned(Broken):
    """A net whose loss is sound while its gradient is not."""

    def forward(self, image: Tensor) -> Tensor:
        found: Tensor = _NanBackward.apply(image[:, :1] * self.scale)  # type: ignore[no-untyped-call]
        return found


def test_a_gradient_of_nan_stops_the_run_before_it_reaches_the_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = Poisoned()
    monkeypatch.setattr(run_state, "build_model", lambda _spec: net)

    with pytest.raises(TrainingError, match=r"step 0: the loss is .* and the gradient's norm nan"):
        run(a_stored_training(tmp_path / "set"), tmp_path / "run")

    assert torch.isfinite(net.scale).all()


def test_a_net_that_answers_nan_has_no_figures(tmp_path: Path) -> None:
    training = a_stored_training(tmp_path / "set")
    net = Broken()
    torch.nn.init.constant_(net.scale, float("nan"))

    with pytest.raises(ModelError, match="answers NaN to this image"):
        validate(net, training, a_source(training).validation())


def test_a_validation_part_without_a_defect_has_figures_that_are_left_out(tmp_path: Path) -> None:
    training = a_stored_training(tmp_path / "set")
    split = split_items(LAYOUTS["kolektorsdd"].scan(tmp_path / "set"), tmp_path / "set")
    good = [item.name for item in split["val"] if item.mask is not None and not read_mask(item.mask).any()]
    named = {"train": [item.name for item in split["train"]], "val": good}
    (tmp_path / "set" / "split.json").write_text(json.dumps(named))

    run(training, tmp_path / "run")

    assert [each.dsc_defective for each in read_epochs(tmp_path / "run")] == [None, None]


def test_a_short_run_learns(tmp_path: Path) -> None:
    training = a_stored_training(tmp_path / "set", width=4, stem_stride=2, epochs=1, steps=40, warmup_epochs=0)
    losses: list[float] = []

    run_training(
        training,
        a_source(training),
        tmp_path / "run",
        resume=False,
        report=lambda _step, loss, _rate, _epoch: losses.append(loss),
    )

    assert np.mean(losses[30:39]) < 0.8 * np.mean(losses[:5])


def test_half_precision_trains_too(tmp_path: Path) -> None:
    training = a_stored_training(tmp_path / "set", precision="bfloat16", epochs=1)

    model = run(training, tmp_path / "run")

    assert all(parameter.dtype is torch.float32 and torch.isfinite(parameter).all() for parameter in model.parameters())


@pytest.mark.parametrize("channels", [8, 16, 20, 24, 40, 48])
def test_gradients_in_half_precision_are_those_of_full(channels: int) -> None:
    torch.manual_seed(0)
    net = nn.Conv2d(channels, channels, (1, 3), padding=(0, 3), dilation=3, bias=False)
    image, weigh = torch.randn(2, channels, 32, 32), torch.randn(2, channels, 32, 32)

    def gradient(*, half: bool) -> Tensor:
        net.zero_grad()
        layout = memory_layout(net, half=half, on_cuda=False)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            found = net.to(memory_format=layout)(image.to(memory_format=layout))  # type: ignore[call-overload]
        (found.float() * weigh).mean().backward()
        assert net.weight.grad is not None
        return net.weight.grad.clone()

    full, halved = gradient(half=False), gradient(half=True)
    assert float((full - halved).norm() / full.norm()) < 0.02


def test_channels_last_is_left_only_where_it_is_wrong() -> None:
    odd, even = (build_model(AnomalySegSpec(width=width, blocks=1)) for width in (12, 8))

    assert memory_layout(odd, half=True, on_cuda=False) is torch.contiguous_format
    assert memory_layout(odd, half=False, on_cuda=False) is torch.channels_last
    assert memory_layout(odd, half=True, on_cuda=True) is torch.channels_last
    assert memory_layout(even, half=True, on_cuda=False) is torch.channels_last


def test_the_score_has_the_size_of_the_image(tmp_path: Path) -> None:
    training = a_stored_training(tmp_path / "set")
    net = run(training, tmp_path / "run")

    found = score(net, np.full((130, 57), 90, np.uint8), training)

    assert found.shape == (130, 57)


@pytest.mark.parametrize(
    ("options", "width"),
    [
        pytest.param({}, 8, id="trunk-of-a-station"),
        pytest.param({"net": "resunet", "width": 24}, 24, id="named"),
        pytest.param({"net": "unet"}, 32, id="as-in-its-paper"),
    ],
)
def test_the_width_where_none_is_named(options: dict[str, object], width: int) -> None:
    spec = spec_of(Training.model_validate(options))

    assert spec.model_dump()["width"] == width


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
