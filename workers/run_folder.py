"""The folder of a training run: settings, figures, and a checkpoint from which it goes on as if never stopped."""

from pathlib import Path

import msgspec
import torch
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from config.training import Training
from workers.errors import TrainingError

LAST = "last.safetensors"
METRICS = "metrics.jsonl"
SETTINGS = "training.json"


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the validation part at threshold 0.5, after an epoch."""

    epoch: int
    step: int
    loss: float  # mean of the epoch's steps
    rate: float
    dsc_all: float
    dsc_defective: float
    dsc_pooled: float
    area_ratio: float


class State(msgspec.Struct, kw_only=True):
    """Everything that changes while a run goes on."""

    model: nn.Module
    layout: torch.memory_format
    averaged: AveragedModel | None
    optimizer: torch.optim.Optimizer
    step: int = 0
    losses: list[float] = msgspec.field(default_factory=list)  # of the epoch's steps so far

    @property
    def judged(self) -> nn.Module:
        """The net that is validated and kept."""
        return self.model if self.averaged is None else self.averaged.module


def begin(out: Path, training: Training) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / SETTINGS).write_text(training.model_dump_json(indent=2) + "\n")
    (out / METRICS).write_bytes(b"")


def settings_of(out: Path) -> Training:
    """The settings a run was started with; TrainingError where there are none."""
    path = out / SETTINGS
    try:
        return Training.model_validate_json(path.read_bytes())
    except OSError as error:
        raise TrainingError(f"{path}: {error.strerror}; there is no run to resume") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise TrainingError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def save(out: Path, training: Training, state: State) -> None:
    """Atomically: a run that is cut off while it saves goes on from the checkpoint before."""
    tensors = {f"model.{name}": tensor.contiguous() for name, tensor in state.model.state_dict().items()}
    if state.averaged is not None:
        tensors |= {f"averaged.{name}": tensor.contiguous() for name, tensor in state.averaged.state_dict().items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer.{index}.{name}": value.contiguous()
            for name, value in moments.items()
            if isinstance(value, Tensor)
        }
    facts = {
        "step": str(state.step),
        "losses": msgspec.json.encode(state.losses).decode(),
        "training": training.model_dump_json(),
    }
    part = out / f"{LAST}.part"
    save_file(tensors, part, metadata=facts)
    part.replace(out / LAST)


def add_epoch(out: Path, epoch: Epoch) -> None:
    with (out / METRICS).open("ab") as lines:
        lines.write(msgspec.json.encode(epoch) + b"\n")


def read_epochs(out: Path) -> list[Epoch]:
    return [msgspec.json.decode(line, type=Epoch) for line in (out / METRICS).read_bytes().splitlines()]


def restore(out: Path, training: Training, state: State, *, steps: int, device: str) -> None:
    """Brings `state` to where the run stopped, and drops the figures of epochs after it."""
    path = out / LAST
    if not path.exists():
        raise TrainingError(f"{path}: there is no checkpoint to resume; start without --resume")
    with safe_open(path, framework="pt") as opened:
        facts = opened.metadata()
    if Training.model_validate_json(facts["training"]) != training:
        raise TrainingError(
            f"{path}: the run was started with other settings ({facts['training']}); resume it with its own"
        )
    tensors = load_file(path, device=device)
    state.model.load_state_dict(_under("model.", tensors))
    if state.averaged is not None:
        state.averaged.load_state_dict(_under("averaged.", tensors))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("optimizer.", tensors).items():
        index, key = name.split(".", 1)
        moments.setdefault(int(index), {})[key] = tensor
    state.optimizer.load_state_dict({"state": moments, "param_groups": state.optimizer.state_dict()["param_groups"]})
    state.step = int(facts["step"])
    state.losses = msgspec.json.decode(facts["losses"], type=list[float])
    lines = (out / METRICS).read_bytes().splitlines(keepends=True)
    (out / METRICS).write_bytes(b"".join(lines[: state.step // steps]))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
