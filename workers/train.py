"""Training: drawn batches in, metrics.jsonl and checkpoints out. The same configuration gives the same weights."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from config.training import Training
from monitor.twin.surface import SurfaceSpec, draw
from workers.checkpoint import load_checkpoint
from workers.datasets import twin
from workers.losses import loss_of
from workers.metrics import PixelCounts, pixel_counts
from workers.models import build_model
from workers.models.spec import AnomalySegSpec, NetSpec
from workers.normalisation import standardise
from workers.schedule import balance, rate

VALIDATION_SURFACES = 32
CALIBRATION_SURFACES = 96  # of the training seeds
THRESHOLDS = tuple(round(0.2 + 0.025 * i, 3) for i in range(25))
GRADIENT_NORM = 1.0


class TrainingError(Exception):
    """A run that cannot go on, and why."""


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    epoch: int
    step: int
    loss: float
    rate: float
    dsc: float
    area_ratio: float


def spec_of(training: Training) -> NetSpec:
    return AnomalySegSpec(
        width=training.width, expansion=training.expansion, blocks=training.blocks, stem_stride=training.stem_stride
    )


def run_training(
    training: Training, out: Path, *, resume: bool, report: Callable[[int, Epoch | None], None]
) -> nn.Module:
    """Trains to the end of the schedule; `report(step, epoch)` hears of each step, and of each epoch at its end."""
    torch.manual_seed(training.seed)
    out.mkdir(parents=True, exist_ok=True)
    model: nn.Module = _begun(training).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = _optimizer(model, training)
    total = training.epochs * training.steps
    first = _resumed(out, training, model, optimizer) if resume else _fresh(out, training)
    losses: list[float] = []
    for step in range(first, total):
        model.train()
        for group in optimizer.param_groups:
            group["lr"] = rate(
                step,
                warmup=training.warmup_epochs * training.steps,
                total=total,
                peak=training.peak,
                final=training.final_rate,
            )
        losses.append(_step(model, optimizer, training, step=step, total=total))
        report(step + 1, None)
        if (step + 1) % training.steps == 0:
            counts = validate(model, training, threshold=0.5)
            done = Epoch(
                epoch=(step + 1) // training.steps,
                step=step + 1,
                loss=round(float(np.mean(losses)), 5),
                rate=optimizer.param_groups[0]["lr"],
                dsc=round(counts.dsc, 5),
                area_ratio=round(counts.area_ratio, 5),
            )
            losses = []
            _save(out, training, model, optimizer, done)
            report(step + 1, done)
    return model.eval()


def validate(model: nn.Module, training: Training, *, threshold: float) -> PixelCounts:
    total = PixelCounts()
    for surface in twin.validation(surface_spec(training), count=VALIDATION_SURFACES):
        total += pixel_counts(score(model, surface.pixels) >= threshold, surface.mask)
    return total


def calibrated_threshold(model: nn.Module, training: Training) -> float:
    """The threshold at which the areas of defects on surfaces of the training seeds come out unbiased."""
    spec, rng = surface_spec(training), np.random.Generator(np.random.PCG64([training.seed, 12]))
    logs: dict[float, list[float]] = {threshold: [] for threshold in THRESHOLDS}
    for i in range(CALIBRATION_SURFACES):
        seed = int(rng.integers(twin.TRAIN_SEEDS.start, twin.TRAIN_SEEDS.stop))
        surface = draw(spec, seed=seed, slot=i, wanted=twin.WANTED[i % 2])
        probability, true = score(model, surface.pixels), max(int(surface.mask.sum()), 1)
        for threshold, ratios in logs.items():
            ratios.append(float(np.log(max(int((probability >= threshold).sum()), 1) / true)))
    return min(THRESHOLDS, key=lambda threshold: abs(float(np.median(logs[threshold]))))


def score(model: nn.Module, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W) uint8 → (H, W) probability, with torch, at the image's own size."""
    model.eval()
    with torch.inference_mode():
        image = torch.from_numpy(standardise(pixels))[None, None].contiguous(memory_format=torch.channels_last)
        probability: NDArray[np.float32] = torch.sigmoid(model(image))[0, 0].numpy()
    return probability


def surface_spec(training: Training) -> SurfaceSpec:
    return SurfaceSpec(height=training.height, width=training.input_width)


def _begun(training: Training) -> nn.Module:
    """Fresh weights, or those of an earlier run of the same net."""
    if training.begin_with is None:
        return build_model(spec_of(training))
    begun = load_checkpoint(Path(training.begin_with))
    if begun.manifest.net != spec_of(training):
        raise TrainingError(f"{training.begin_with}: is {begun.manifest.net!r}; the run is for {spec_of(training)!r}")
    return begun.model


def _step(model: nn.Module, optimizer: torch.optim.Optimizer, training: Training, *, step: int, total: int) -> float:
    samples = twin.training_batch(
        surface_spec(training),
        batch=training.batch,
        crop_height=min(training.crop_height, training.height),
        seed=training.seed,
        step=step,
    )
    images = torch.from_numpy(np.stack([sample.image for sample in samples]))[:, None]  # (B, 1, h, W)
    truth = torch.from_numpy(np.stack([sample.truth for sample in samples]))[:, None].float()  # (B, 1, h, W)
    logits = model(images.contiguous(memory_format=torch.channels_last))
    loss = loss_of(training.loss, logits, truth, balance=balance(step, total=total))
    value = float(loss.detach())
    if not np.isfinite(value):
        raise TrainingError(f"step {step}: the loss is {value}; a lower peak rate than {training.peak} is needed")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), GRADIENT_NORM)
    optimizer.step()
    return value


def _optimizer(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    match training.optimizer:
        case "sgd":
            return torch.optim.SGD(model.parameters(), lr=training.peak, momentum=0.9)
        case "adamw":
            return torch.optim.AdamW(model.parameters(), lr=training.peak, weight_decay=1e-2)


def _save(out: Path, training: Training, model: nn.Module, optimizer: torch.optim.Optimizer, done: Epoch) -> None:
    """Model and optimizer as safetensors, so that a run goes on exactly where it stopped."""
    tensors = {f"model.{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {
            f"optimizer.{index}.{name}": value.contiguous()
            for name, value in state.items()
            if isinstance(value, Tensor)
        }
    save_file(
        tensors,
        out / "last.safetensors.part",
        metadata={"step": str(done.step), "training": training.model_dump_json()},
    )
    (out / "last.safetensors.part").replace(out / "last.safetensors")
    with (out / "metrics.jsonl").open("ab") as lines:
        lines.write(msgspec.json.encode(done) + b"\n")


def _fresh(out: Path, training: Training) -> int:
    (out / "training.json").write_text(training.model_dump_json(indent=2) + "\n")
    (out / "metrics.jsonl").write_bytes(b"")
    return 0


def _resumed(out: Path, training: Training, model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    path = out / "last.safetensors"
    if not path.exists():
        raise TrainingError(f"{path}: there is no checkpoint to resume; start without --resume")
    with safe_open(path, framework="pt") as opened:
        facts = opened.metadata()
    if Training.model_validate_json(facts["training"]) != training:
        raise TrainingError(
            f"{path}: the run was started with other settings ({facts['training']}); resume it with its own"
        )
    tensors = load_file(path)
    model.load_state_dict({name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    step = int(facts["step"])
    lines = (out / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    (out / "metrics.jsonl").write_bytes(b"".join(lines[: step // training.steps]))
    return step
