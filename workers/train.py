"""Training: batches in, checkpoints and figures out. The same settings on the same CPU give the same weights."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from torch import nn

from config.training import Training
from workers.datasets.drawn import DrawnSource
from workers.datasets.source import Batch, Source
from workers.datasets.stored import StoredSource
from workers.distribution import Place, any_of_us, shared, wait_for_all
from workers.errors import TrainingError
from workers.losses import loss_of
from workers.metrics import PixelCounts, dsc
from workers.run_folder import Epoch, add_epoch, begin, figure, restore, save
from workers.run_state import State, is_half, state_of
from workers.schedule import balance, rate
from workers.scoring import validate

GRADIENT_NORM = 1.0
NAMED_MOST = 8  # files of a batch in an error

Report = Callable[[int, float, float, Epoch | None], None]  # step, its loss, its rate, the epoch it ended


class Interrupted(Exception):
    """The run was asked to stop; its checkpoint stands at this step."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped at step {step}")
        self.step = step


def open_source(training: Training, *, ranks: int = 1) -> Source:
    """Reads what is stored; DatasetError where it cannot be used."""
    return DrawnSource(training) if training.dataset == "twin" else StoredSource(training, ranks=ranks)


def run_training(
    training: Training,
    source: Source,
    out: Path,
    *,
    resume: bool,
    report: Report,
    place: Place | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> nn.Module:
    """Trains to the end of the schedule. Where `stop` says so, saves and raises Interrupted."""
    place = place or Place(device="cpu")
    state = state_of(training, place)
    total = training.epochs * source.steps
    if resume:
        restore(out, training, state, fingerprint=source.fingerprint, place=place)
        if _ends_epoch(state, source) and state.losses:  # it was cut off while it was judged
            _judge(training, source, state, out, place)
    elif place.first:
        begin(out, training)
    together = shared(state.model, place)
    with _drawn_ahead(source, range(state.step, total), place) as batches:
        for batch in batches:
            at = _rate(training, source, state.step)
            loss = _step(state, together, training, batch, at=at, total=total, place=place)
            state.losses.append(loss)
            state.step += 1
            done = None
            if _ends_epoch(state, source):
                if place.first:
                    save(out, training, state, fingerprint=source.fingerprint)
                done = _judge(training, source, state, out, place)
            report(state.step, loss, at, done)
            if any_of_us(stop(), place) and state.step < total:
                if place.first:
                    save(out, training, state, fingerprint=source.fingerprint)
                raise Interrupted(state.step)
    return state.judged.eval()


def _ends_epoch(state: State, source: Source) -> bool:
    return state.step > 0 and state.step % source.steps == 0


def _rate(training: Training, source: Source, step: int) -> float:
    return rate(
        step,
        warmup=training.warmup * source.steps,
        total=training.epochs * source.steps,
        peak=training.peak,
        final=training.final_rate,
    )


def _step(
    state: State, together: nn.Module, training: Training, batch: Batch, *, at: float, total: int, place: Place
) -> float:
    torch.manual_seed(training.seed * 1_000_003 + state.step * 101 + place.rank)  # dropout, too, by the step
    together.train()
    for group in state.optimizer.param_groups:
        group["lr"] = at
    images = torch.from_numpy(batch.images).to(place.device, memory_format=state.layout)  # (B, C, h, w)
    truth = torch.from_numpy(batch.truth).to(place.device)  # (B, 1, h, w)
    with _precision(training, place):
        logits = together(images)
    loss = loss_of(training.loss, logits, truth, balance=balance(state.step, total=total))
    value = float(loss.detach())
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = float(nn.utils.clip_grad_norm_(state.model.parameters(), GRADIENT_NORM))  # the same in every process
    if not np.isfinite(value) or not np.isfinite(norm):
        files = ", ".join(batch.names[:NAMED_MOST])
        raise TrainingError(
            f"step {state.step}: the loss is {value} and the gradient's norm {norm}; the batch was {files}. Look at "
            f"these files, or take a lower peak rate than {training.peak}"
        )
    state.optimizer.step()
    if state.averaged is not None:
        state.averaged.update_parameters(state.model)
    return value


def _precision(training: Training, place: Place) -> AbstractContextManager[object]:
    half = is_half(training, place)
    return torch.autocast("cuda" if place.on_cuda else "cpu", torch.bfloat16) if half else nullcontext()


def _judge(training: Training, source: Source, state: State, out: Path, place: Place) -> Epoch | None:
    """Figures of the epoch that ended; the other processes wait for the first, which alone judges.

    A checkpoint stands before and after: one that has losses left has not been judged yet.
    """
    done = None
    if place.first:
        counts = validate(state.judged, training, source.validation())
        found = dsc(counts)
        done = Epoch(
            epoch=state.step // source.steps,
            step=state.step,
            loss=round(float(np.mean(state.losses)), 5),
            rate=_rate(training, source, state.step - 1),
            dsc_all=figure(found.all),
            dsc_defective=figure(found.defective),
            dsc_pooled=figure(found.pooled),
            area_ratio=figure(sum(counts, PixelCounts()).area_ratio),
        )
        add_epoch(out, done)
    state.losses = []
    if place.first:
        save(out, training, state, fingerprint=source.fingerprint)
    wait_for_all(place)
    return done


class _drawn_ahead:  # noqa: N801  # reads as a function in `with`
    """The batches of these steps, each drawn while the one before it is trained on."""

    def __init__(self, source: Source, steps: range, place: Place) -> None:
        self._source, self._steps, self._place = source, steps, place
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Iterator[Batch]:
        return self._batches()

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _batches(self) -> Iterator[Batch]:
        waiting = None
        for step in self._steps:
            batch = waiting or self._pool.submit(self._source.batch, step, rank=self._place.rank)
            if step + 1 < self._steps.stop:
                waiting = self._pool.submit(self._source.batch, step + 1, rank=self._place.rank)
            yield batch.result()
