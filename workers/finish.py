"""The end of a training run: threshold, canary, manifest, card and pictures, so that the weights can be trusted."""

from datetime import date
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from config.training import Training
from workers.canary import RECIPES, Canary, Recipe, answered, draw_canary
from workers.card import card_of
from workers.checkpoint import save_checkpoint
from workers.datasets.source import Source
from workers.drawings import Picture, write_curves, write_sheet
from workers.errors import TrainingError
from workers.figures import (
    Figures,
    Seen,
    figures,
    look,
    threshold_counts,
    threshold_of_best_dice,
    threshold_of_unbiased_area,
)
from workers.run_folder import read_epochs
from workers.run_state import spec_of
from workers.scoring import score

CANARY_SEED = 7
FAINTEST, STANDS_OUT = 0.02, 4.0  # of a canary's answer below the threshold: its height, and over its median
WORST_MOST = 16


def finish(
    model: nn.Module, training: Training, source: Source, out: Path, *, name: str, today: date
) -> dict[str, Any]:
    """Writes `name`.safetensors with its manifest, card.md and pictures into `out`; what it returns is the manifest."""
    threshold = chosen_threshold(model, training, source)
    found = _judge(model, training, source, out, threshold=threshold, name=name)
    card = source.card
    write_curves(out / "curves.png", read_epochs(out), title=f"{name}: {training.net} on {card.title}")
    manifest = save_checkpoint(
        out / f"{name}.safetensors",
        model,
        name=name,
        net=spec_of(training),
        height=training.height,
        width=training.input_width,
        normalisation="standardise",
        fit=training.fit,
        threshold=threshold,
        data=card.title,
        metrics={f"validation_{name}": value for name, value in _metrics(found).items() if not isnan(value)},
        licence=card.licence,
        date=today,
        canary=_canary(model, training, threshold),
    )
    (out / "card.md").write_text(card_of(manifest, training, source, found))
    facts: dict[str, Any] = manifest.model_dump(mode="json")
    return facts


def chosen_threshold(model: nn.Module, training: Training, source: Source) -> float:
    """On the training part: of a stored set where the chosen Dice is best, of drawn surfaces where areas fit."""
    curves = [
        threshold_counts(score(model, example.pixels, training), example.mask) for example in source.calibration()
    ]
    if training.dataset == "twin":
        return threshold_of_unbiased_area(curves)
    return threshold_of_best_dice(curves, by=training.threshold_by)


def _metrics(found: Figures) -> dict[str, float]:
    return {
        "dsc": found.dsc.pooled,
        "dsc_all": found.dsc.all,
        "dsc_defective": found.dsc.defective,
        "area_ratio": found.area_ratio,
        "image_ap": found.image_ap,
    }


def _canary(model: nn.Module, training: Training, threshold: float) -> Canary:
    """The first recipe that this net answers; a net that knows neither blots nor cracks answers the better one faintly.

    A faint answer counts at half its height, if it stands out from its ground: a dead net's does not.
    """
    answers: list[tuple[float, Recipe, NDArray[np.float32]]] = []
    for recipe in RECIPES:
        drawn = draw_canary(height=training.height, width=training.input_width, seed=CANARY_SEED, recipe=recipe)
        found = score(model, drawn if training.channels == 1 else drawn[..., None].repeat(3, axis=2), training)
        if (found >= threshold).any():
            return Canary(recipe=recipe, seed=CANARY_SEED, answer=answered(found, threshold=threshold))
        answers.append((float(found.max()), recipe, found))
    highest, recipe, found = max(answers, key=lambda entry: entry[0])
    if highest < FAINTEST or highest < STANDS_OUT * float(np.median(found)):
        raise TrainingError(
            f"the net does not answer its canary: {highest:.3f} at most, over a median of {np.median(found):.3f}; it "
            "has learnt to find nothing yet"
        )
    half = highest / 2
    return Canary(recipe=recipe, seed=CANARY_SEED, answer=answered(found, threshold=half), threshold=half)


def _judge(model: nn.Module, training: Training, source: Source, out: Path, *, threshold: float, name: str) -> Figures:
    """The figures of the validation part, and a sheet of the images where truth and prediction agree least."""
    seen: list[Seen] = []
    worst: list[tuple[float, str, Picture]] = []
    for example in source.validation():
        one, probability = look(partial(score, model, training=training), example, threshold=threshold)
        seen.append(one)
        picture = Picture(
            title=f"{example.name}  DSC {one.counts.dsc:.2f}",
            pixels=example.pixels,
            truth=example.mask,
            found=probability >= threshold,
        )
        worst = sorted([*worst, (one.counts.dsc, example.name, picture)], key=lambda entry: entry[:2])[:WORST_MOST]
    title = f"{name}: worst {len(worst)} of {len(seen)} validation images (truth green, prediction red)"
    write_sheet(out / "worst.png", [picture for _, _, picture in worst], title=title)
    return figures(seen, threshold=threshold, engine="torch")
