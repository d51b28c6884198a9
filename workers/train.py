"""Training: batches in, checkpoints and figures out. The same settings on the same machine give the same weights."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from config.training import Training
from workers.checkpoint import load_checkpoint
from workers.datasets.drawn import DrawnSource
from workers.datasets.source import Batch, Example, Source
from workers.datasets.stored import StoredSource
from workers.distribution import Place, any_of_us, shared, wait_for_all
from workers.errors import TrainingError
from workers.fit import restored, shown
from workers.losses import loss_of
from workers.metrics import PixelCounts, dsc, pixel_counts
from workers.models import build_model
from workers.models.spec import NetSpec, TrunkSpec, net_spec
from workers.run_folder import Epoch, State, add_epoch, begin, restore, save
from workers.schedule import balance, rate

GRADIENT_NORM = 1.0
STATION_WIDTH = 8  # of AnomalySeg's trunk where none is named: a station's net runs on one core
NAMED_MOST = 8  # files of a batch in an error

Report = Callable[[int, float, float, Epoch | None], None]  # step, its loss, its rate, the epoch it ended


class Interrupted(Exception):
    """The run was asked to stop; its checkpoint stands at this step."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped at step {step}")
        self.step = step


def spec_of(training: Training) -> NetSpec:
    spec = net_spec(
        training.net,
        width=training.width,
        channels=training.channels,
        expansion=training.expansion,
        blocks=training.blocks,
        stem_stride=training.stem_stride,
    )
    if training.width is None and isinstance(spec, TrunkSpec):
        return spec.model_copy(update={"width": STATION_WIDTH})
    return spec


def open_source(training: Training) -> Source:
    """Reads what is stored; DatasetError where it cannot be used."""
    return DrawnSource(training) if training.dataset == "twin" else StoredSource(training)


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
    state = _state(training, place)
    total = training.epochs * source.steps
    if resume:
        restore(out, training, state, steps=source.steps, device=place.device)
    elif place.first:
        begin(out, training)
    together = shared(state.model, place)
    with _drawn_ahead(source, range(state.step, total), place) as batches:
        for batch in batches:
            at = rate(
                state.step,
                warmup=training.warmup_epochs * source.steps,
                total=total,
                peak=training.peak,
                final=training.final_rate,
            )
            loss = _step(state, together, training, batch, at=at, total=total, place=place)
            state.losses.append(loss)
            state.step += 1
            done = _epoch(training, source, state, out, at=at, place=place) if state.step % source.steps == 0 else None
            report(state.step, loss, at, done)
            if any_of_us(stop(), place) and state.step < total:
                if place.first:
                    save(out, training, state)
                raise Interrupted(state.step)
    return state.judged.eval()


def validate(model: nn.Module, training: Training, examples: Iterator[Example]) -> list[PixelCounts]:
    """The counts of each image at threshold 0.5, at its own resolution."""
    return [pixel_counts(score(model, example.pixels, training) >= 0.5, example.mask) for example in examples]


def score(model: nn.Module, pixels: NDArray[np.uint8], training: Training) -> NDArray[np.float32]:
    """(H, W) or (H, W, 3) uint8 → (H, W) probability with torch in float32, at the image's own size."""
    image, scale = shown(pixels, (training.height, training.input_width), training.fit)
    return restored(probability(model, image), scale, pixels.shape[:2])


def probability(model: nn.Module, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) or (H, W, 3) standardised → (H, W) in 0..1, where the net lies."""
    model.eval()
    device = next(model.parameters()).device
    with torch.inference_mode():
        stacked = torch.from_numpy(image[None] if image.ndim == 2 else image.transpose(2, 0, 1))[None]  # (1, C, H, W)
        logits: Tensor = model(stacked.to(device, memory_format=torch.channels_last))
        found: NDArray[np.float32] = torch.sigmoid(logits.float())[0, 0].cpu().numpy()
    return found


def _state(training: Training, place: Place) -> State:
    torch.manual_seed(training.seed)
    begun = _begun(training)
    layout = memory_layout(begun, half=_is_half(training, place), on_cuda=place.on_cuda)
    model: nn.Module = begun.to(place.device, memory_format=layout)  # type: ignore[call-overload]
    averaged = None
    if training.averaging is not None:
        decaying = get_ema_multi_avg_fn(training.averaging)  # type: ignore[no-untyped-call]
        averaged = AveragedModel(model, multi_avg_fn=decaying, use_buffers=True)
    return State(model=model, layout=layout, averaged=averaged, optimizer=_optimizer(model, training))


def memory_layout(model: nn.Module, *, half: bool, on_cuda: bool) -> torch.memory_format:
    """Channels last, which is quicker, but where it is wrong.

    On a CPU in bfloat16 the weight gradients of dilated convolutions of more than 16 channels, and no multiple of 16,
    come out as NaN or off by half (torch 2.13 with oneDNN, AVX512-BF16).
    """
    odd = any(
        isinstance(layer, nn.Conv2d) and max(layer.dilation) > 1 and layer.out_channels > 16 and layer.out_channels % 16
        for layer in model.modules()
    )
    return torch.contiguous_format if half and odd and not on_cuda else torch.channels_last


def _begun(training: Training) -> nn.Module:
    """Fresh weights, or those of an earlier run of the same net."""
    if training.begin_with is None:
        return build_model(spec_of(training))
    begun = load_checkpoint(Path(training.begin_with))
    if begun.manifest.net != spec_of(training):
        raise TrainingError(f"{training.begin_with}: is {begun.manifest.net!r}; the run is for {spec_of(training)!r}")
    return begun.model


def _optimizer(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    match training.optimizer:
        case "sgd":
            return torch.optim.SGD(model.parameters(), lr=training.peak, momentum=0.9)
        case "adamw":
            return torch.optim.AdamW(model.parameters(), lr=training.peak, weight_decay=1e-2)


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
    if not np.isfinite(value):
        files = ", ".join(batch.names[:NAMED_MOST])
        raise TrainingError(
            f"step {state.step}: the loss is {value}; the batch was {files}. Look at these files, or take a lower peak "
            f"rate than {training.peak}"
        )
    state.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(state.model.parameters(), GRADIENT_NORM)
    state.optimizer.step()
    if state.averaged is not None:
        state.averaged.update_parameters(state.model)
    return value


def _precision(training: Training, place: Place) -> AbstractContextManager[object]:
    half = _is_half(training, place)
    return torch.autocast("cuda" if place.on_cuda else "cpu", torch.bfloat16) if half else nullcontext()


def _is_half(training: Training, place: Place) -> bool:
    if training.precision == "auto":
        return place.on_cuda and torch.cuda.is_bf16_supported()
    return training.precision == "bfloat16"


def _epoch(training: Training, source: Source, state: State, out: Path, *, at: float, place: Place) -> Epoch | None:
    """Figures and checkpoint of the epoch that ended; the other processes wait for the first, which alone judges."""
    done = None
    if place.first:
        counts = validate(state.judged, training, source.validation())
        found = dsc(counts)
        done = Epoch(
            epoch=state.step // source.steps,
            step=state.step,
            loss=round(float(np.mean(state.losses)), 5),
            rate=at,
            dsc_all=round(found.all, 5),
            dsc_defective=round(found.defective, 5),
            dsc_pooled=round(found.pooled, 5),
            area_ratio=round(sum(counts, PixelCounts()).area_ratio, 5),
        )
        state.losses = []
        save(out, training, state)
        add_epoch(out, done)
    state.losses = []
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
