"""A net trained and judged for a comparison: every net the same way, and a net that learnt nothing is a result too."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch

from config.training import DeviceName, Training
from workers.distribution import Place, open_place
from workers.drawings import write_curves
from workers.errors import ModelError, TrainingError
from workers.figures import Seen, as_json, figures, look
from workers.finish import chosen_threshold
from workers.metrics import PixelCounts
from workers.models.cost import parameters
from workers.run_folder import LAST, differences, read_epochs
from workers.scoring import score
from workers.train import Interrupted, open_source, run_training

RESULT = "trial.json"
SAMPLES = "samples"
ELAPSED = "elapsed-s.txt"
SAMPLES_MOST = 6  # defective validation images whose masks are kept for figures


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    training: dict[str, Any]
    device: str
    parameters: int = 0
    steps: int = 0
    seconds: float = 0.0  # training and judging, over all calls
    figures: dict[str, Any] = {}  # of the validation part
    counts: PixelCounts = PixelCounts()  # of all its pixels
    failed: str = ""  # why there are no figures


def run_trial(
    training: Training,
    out: Path,
    *,
    device: DeviceName,
    threads: int,
    heard: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> Trial:
    """Trains, or goes on where an earlier call was stopped, and judges; `heard(step, total)` hears of each step.

    Raises Interrupted once `stop` says so; the next call goes on. A net that breaks off is a result: it has `failed`.
    """
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic() - _elapsed_s(out)
    with open_place(device) as place:
        try:
            trial = _trained(training, out, place, heard=heard, stop=stop)
        except Interrupted:
            (out / ELAPSED).write_text(f"{time.monotonic() - begun:.1f}\n")
            raise
        except (TrainingError, ModelError) as error:
            trial = Trial(training=_settings(training), device=place.device, failed=str(error))
    trial = msgspec.structs.replace(trial, seconds=round(time.monotonic() - begun, 1))
    part = out / f"{RESULT}.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(trial), indent=2) + b"\n")
    part.replace(out / RESULT)
    (out / LAST).unlink(missing_ok=True)
    return trial


def read_trial(out: Path, training: Training) -> Trial | None:
    """The finished trial in this folder, if it is of these settings."""
    path = out / RESULT
    if not path.is_file():
        return None
    trial = msgspec.json.decode(path.read_bytes(), type=Trial)
    return None if differences(Training.model_validate(trial.training), training) else trial


def read_sample(out: Path, name: str) -> np.typing.NDArray[np.bool_] | None:
    """(H, W) what the trial's net found in this image, if it was kept."""
    path = _sample(out, name)
    found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.is_file() else None
    return None if found is None else found > 0


def _trained(
    training: Training, out: Path, place: Place, *, heard: Callable[[int, int], None], stop: Callable[[], bool]
) -> Trial:
    source = open_source(training)
    total = training.epochs * source.steps
    model = run_training(
        training,
        source,
        out,
        resume=(out / LAST).exists(),
        report=lambda step, _loss, _rate, _epoch: heard(step, total),
        place=place,
        stop=stop,
    )
    threshold = chosen_threshold(model, training, source)
    seen: list[Seen] = []
    for example in source.validation():
        one, probability = look(partial(score, model, training=training), example, threshold=threshold)
        if one.counts.defective and sum(each.counts.defective for each in seen) < SAMPLES_MOST:
            _keep(out, example.name, probability >= threshold)
        seen.append(one)
    write_curves(out / "curves.png", read_epochs(out), title=f"{training.net}, {training.loss}, {training.dataset}")
    return Trial(
        training=_settings(training),
        device=place.device,
        parameters=parameters(model),
        steps=total,
        figures=as_json(figures(seen, threshold=threshold, engine="torch")),
        counts=sum((each.counts for each in seen), PixelCounts()),
    )


def _settings(training: Training) -> dict[str, Any]:
    """Without where the data lay: a trial is kept with the project, and read on other machines."""
    return training.model_dump(mode="json", exclude={"root"})


def _elapsed_s(out: Path) -> float:
    """What earlier calls took."""
    path = out / ELAPSED
    return float(path.read_text()) if path.is_file() else 0.0


def _keep(out: Path, name: str, found: np.typing.NDArray[np.bool_]) -> None:
    path = _sample(out, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), found.astype(np.uint8) * 255)


def _sample(out: Path, name: str) -> Path:
    return out / SAMPLES / f"{name.replace('/', '_')}.png"
