"""Small nets and checkpoints, written where a test says."""

import datetime
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from config.models import Model
from config.training import Training
from tests.workers.datasets.builders import a_dataset
from workers.canary import Answer, Canary, answered, draw_canary
from workers.checkpoint import Manifest, save_checkpoint
from workers.datasets.drawn import DrawnSource
from workers.datasets.source import Source
from workers.models import build_model
from workers.models.spec import AnomalySegSpec
from workers.normalisation import standardise
from workers.run_folder import Epoch
from workers.scoring import probability
from workers.train import open_source, run_training

HEIGHT, WIDTH = 64, 48
SPEC = AnomalySegSpec(width=2, blocks=1, stem_stride=2)


def a_net(spec: AnomalySegSpec = SPEC, *, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    net = build_model(spec)
    with torch.no_grad():
        net.get_parameter("head.bias").fill_(0.0)  # an untrained net that fires somewhere
    return net.eval()


def a_checkpoint(folder: Path, *, net: nn.Module | None = None, answer: Answer | None = None) -> Path:
    """Weights with a manifest that vouches for them; `answer` replaces what the canary was really answered."""
    net = net or a_net()
    path = folder / "small.safetensors"
    found = probability(net, standardise(draw_canary(height=HEIGHT, width=WIDTH, seed=7)))
    threshold = float((found.min() + found.max()) / 2)
    a_manifest(path, net, threshold=threshold, answer=answer or answered(found, threshold=threshold))
    return path


def a_manifest(path: Path, net: nn.Module, *, threshold: float, answer: Answer) -> Manifest:
    return save_checkpoint(
        path,
        net,
        name="small",
        net=SPEC,
        height=HEIGHT,
        width=WIDTH,
        normalisation="standardise",
        threshold=threshold,
        data="none",
        metrics={},
        licence="Apache-2.0",
        date=datetime.date(2026, 11, 22),
        canary=Canary(recipe="blots", seed=7, answer=answer),
    )


def a_model(path: Path, *, engine: str = "torch") -> Model:
    return Model.model_validate({"weights": str(path), "engine": engine, "device": "cpu"})


def a_source(training: Training) -> Source:
    """Its data; of the twin only a few surfaces to judge by."""
    source = open_source(training)
    if isinstance(source, DrawnSource):
        source.validation_surfaces = source.calibration_surfaces = 2
    return source


def silent(_step: int, _loss: float, _rate: float, _epoch: Epoch | None) -> None:
    pass


def never() -> bool:
    return False


def run(training: Training, out: Path, *, resume: bool = False, stop: Callable[[], bool] = never) -> nn.Module:
    """A whole run that reports to nobody."""
    return run_training(training, a_source(training), out, resume=resume, report=silent, stop=stop)


def a_training(**options: object) -> Training:
    """A run of seconds on small frames."""
    small = {"width": 2, "blocks": 1, "height": 480, "input_width": 160, "crop_height": 64, "batch": 2, "epochs": 2}
    return Training.model_validate(small | {"steps": 2, "warmup_epochs": 0} | options)


def a_stored_training(root: Path, **options: object) -> Training:
    a_dataset(root, "kolektorsdd")
    small = {"dataset": "kolektorsdd", "root": str(root), "height": 96, "input_width": 48, "crop_height": 64}
    return a_training(**small | options)


def stops_after(steps: int) -> Callable[[], bool]:
    """Says yes once it was asked so often: each step asks once."""
    asked = iter(range(1, 1000))
    return lambda: next(asked) >= steps
