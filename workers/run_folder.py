"""The folder of a training run: settings, figures, and a checkpoint from which it goes on as if never stopped."""

from math import isnan
from pathlib import Path

import msgspec
from pydantic import ValidationError
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from config.training import DeviceName, Training
from workers.distribution import Place
from workers.errors import TrainingError
from workers.run_state import State

LAST = "last.safetensors"
METRICS = "metrics.jsonl"
SETTINGS = "training.json"
SESSION = "session.json"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """How a run was started, besides its settings: it goes on the same way."""

    name: str = "model"
    threads: int = 2
    device: DeviceName = "auto"


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the validation part at threshold 0.5, after an epoch."""

    epoch: int
    step: int
    loss: float  # mean of the epoch's steps
    rate: float
    dsc_all: float | None
    dsc_defective: float | None  # None where no validation image is defective
    dsc_pooled: float | None
    area_ratio: float | None


def begin(out: Path, training: Training) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / SETTINGS).write_text(training.model_dump_json(indent=2) + "\n")
    (out / METRICS).write_bytes(b"")


def figure(value: float) -> float | None:
    """As it is written down: a figure that has no meaning is left out."""
    return None if isnan(value) else round(value, 5)


def write_session(out: Path, session: Session) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / SESSION).write_bytes(msgspec.json.encode(session) + b"\n")


def session_of(out: Path) -> Session:
    """How the run in this folder was started; TrainingError where there is none."""
    path = out / SESSION
    try:
        return msgspec.json.decode(path.read_bytes(), type=Session)
    except OSError as error:
        raise TrainingError(f"{path}: {error.strerror}; there is no run to resume") from error
    except msgspec.DecodeError as error:
        raise TrainingError(f"{path}: is not what a run writes ({error})") from error


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


def save(out: Path, training: Training, state: State, *, fingerprint: str) -> None:
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
        "fingerprint": fingerprint,
    }
    part = out / f"{LAST}.part"
    save_file(tensors, part, metadata=facts)
    part.replace(out / LAST)


def add_epoch(out: Path, epoch: Epoch) -> None:
    with (out / METRICS).open("ab") as lines:
        lines.write(msgspec.json.encode(epoch) + b"\n")


def read_epochs(out: Path) -> list[Epoch]:
    """All that were written whole; a line that was cut off is judged again."""
    lines = (out / METRICS).read_bytes().splitlines(keepends=True)
    return [msgspec.json.decode(line, type=Epoch) for line in lines if line.endswith(b"\n")]


def restore(out: Path, training: Training, state: State, *, fingerprint: str, place: Place) -> None:
    """Brings `state` to where the run stopped, and drops the figures of epochs that will be judged again."""
    path = out / LAST
    if not path.exists():
        raise TrainingError(f"{path}: there is no checkpoint to resume; start without --resume")
    with safe_open(path, framework="pt") as opened:
        facts = opened.metadata()
    begun = Training.model_validate_json(facts["training"])
    if differing := differences(begun, training):
        raise TrainingError(f"{path}: the run was started with other settings ({differing}); resume it with its own")
    if facts["fingerprint"] != fingerprint:
        raise TrainingError(f"{path}: the run was started on other training images; the list of them has changed since")
    tensors = load_file(path, device=place.device)
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
    if place.first:
        last = state.step - 1 if state.losses else state.step
        kept = [each for each in read_epochs(out) if each.step <= last]
        part = out / f"{METRICS}.part"
        part.write_bytes(b"".join(msgspec.json.encode(each) + b"\n" for each in kept))
        part.replace(out / METRICS)


def differences(one: Training, other: Training) -> str:
    """The keys whose values differ, wherever the data lies; empty where none do."""
    ours, theirs = one.model_dump(), other.model_dump()
    return ", ".join(f"{key} {ours[key]!r}" for key in ours if ours[key] != theirs[key] and key != "root")


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
