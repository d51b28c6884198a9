"""A training run as people see it: progress at the terminal, Ctrl-C that saves, and the finish."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import cv2
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.training import Training
from monitor.output import write_json
from workers.datasets.items import DatasetError
from workers.distribution import Place, open_place, wait_for_all
from workers.errors import ModelError, TrainingError
from workers.finish import finish
from workers.run_folder import Epoch, Session, write_session
from workers.train import Interrupted, open_source, run_training

DONE, USAGE, INTERRUPTED = 0, 2, 130


def train_in(out: Path, training: Training, session: Session, *, resume: bool, json: str | None) -> int:
    """Trains in this folder; the exit code."""
    torch.set_num_threads(session.threads)
    cv2.setNumThreads(session.threads)
    console, first = Console(stderr=True), os.environ.get("RANK", "0") == "0"
    try:
        with open_place(session.device) as place, asked_to_stop(console if first else None) as stop:
            source = open_source(training, ranks=place.ranks)
            if place.first:
                write_session(out, session)
            with _bar(console, place) as bar:
                report = _reporter(bar, training, total=training.epochs * source.steps, place=place)
                model = run_training(training, source, out, resume=resume, report=report, place=place, stop=stop)
            if place.first:
                manifest = finish(model, training, source, out, name=session.name, today=datetime.now(UTC).date())
                write_json(manifest, json or "-")
            wait_for_all(place)
    except Interrupted as stopped:
        if first:
            console.print(f"stopped at step {stopped.step}; `linectl train --resume {out}` goes on", soft_wrap=True)
        return INTERRUPTED
    except (TrainingError, ModelError, DatasetError) as error:
        console.print(str(error), markup=False, soft_wrap=True)
        return USAGE
    return DONE


@contextmanager
def asked_to_stop(console: Console | None) -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C (or SIGTERM) was pressed, which is said; a second one ends the process at once."""
    asked = False

    def ask(number: int, _: FrameType | None) -> None:
        nonlocal asked
        asked = True
        if console is not None:
            console.print("stopping after this step, and what it ends; Ctrl-C again ends at once")
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _bar(console: Console, place: Place) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]:.3f}  rate {task.fields[rate]:.5f}  {task.fields[speed]:.1f} images/s"),
        TimeRemainingColumn(),
        console=console,
        disable=not place.first,
    )


def _reporter(bar: Progress, training: Training, *, total: int, place: Place) -> Callable[..., None]:
    task = bar.add_task(training.net, total=total, loss=float("nan"), rate=0.0, speed=0.0)
    begun_s, begun_step = time.monotonic(), -1

    def report(step: int, loss: float, rate: float, epoch: Epoch | None) -> None:
        nonlocal begun_step
        if begun_step < 0:
            begun_step = step - 1  # a resumed run does not begin at 0
        images = (step - begun_step) * training.batch * place.ranks
        bar.update(task, completed=step, loss=loss, rate=rate, speed=images / (time.monotonic() - begun_s))
        if epoch is not None:
            bar.console.print(
                f"epoch {epoch.epoch}: loss {epoch.loss:.4f}  DSC all {_said(epoch.dsc_all)}  defective "
                f"{_said(epoch.dsc_defective)}  pooled {_said(epoch.dsc_pooled)}  area ratio {_said(epoch.area_ratio)}"
            )

    return report


def _said(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
