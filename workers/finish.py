"""The end of a training run: threshold, canary and manifest, so that the weights can be trusted where they run."""

from datetime import date
from pathlib import Path
from typing import Any

from torch import nn

from config.training import Training
from workers.canary import Canary, answered, draw_canary
from workers.checkpoint import save_checkpoint
from workers.train import TrainingError, calibrated_threshold, score, spec_of, validate

CANARY_SEED = 7


def finish(model: nn.Module, training: Training, path: Path, *, name: str, today: date) -> dict[str, Any]:
    """Writes `path` and its manifest; what it returns is the manifest."""
    threshold = calibrated_threshold(model, training)
    counts = validate(model, training, threshold=threshold)
    canary = draw_canary(height=training.height, width=training.input_width, seed=CANARY_SEED)
    found = score(model, canary)
    if not (found >= threshold).any():
        raise TrainingError(
            f"the net does not answer its canary: {found.max():.3f} at most, {threshold} needed; train longer"
        )
    answer = answered(found, threshold=threshold)
    manifest = save_checkpoint(
        path,
        model,
        name=name,
        net=spec_of(training),
        height=training.height,
        width=training.input_width,
        normalisation="standardise",
        threshold=threshold,
        data=f"surfaces of the digital twin, drawn for training (seed {training.seed}); no picture of a data set",
        metrics={"validation_dsc": round(counts.dsc, 4), "validation_area_ratio": round(counts.area_ratio, 4)},
        licence="Apache-2.0",
        date=today,
        canary=Canary(recipe="blots", seed=CANARY_SEED, answer=answer),
    )
    facts: dict[str, Any] = manifest.model_dump(mode="json")
    return facts
