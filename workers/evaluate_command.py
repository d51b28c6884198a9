"""`linectl evaluate`: a net's figures on a data set with curves and overlays, or on fresh surfaces of the twin."""

from pathlib import Path
from typing import Any

import msgspec
from rich.progress import Progress

from config.loader import ConfigError, load_station
from monitor.twin.truth import TruthClass
from workers.datasets.split import wanted
from workers.datasets.stored import examples, load_split
from workers.drawings import Picture, write_sheet, write_threshold_curves
from workers.evaluate import evaluate_on_twin
from workers.figures import Seen, as_json, figures, look
from workers.segmenter import Segmenter

SHEET_MOST = 32  # images in a sheet
LISTED_MOST = 64


def evaluate_drawn(
    segmenter: Segmenter, station: str, *, surfaces: int, first_seed: int, only: str | None, bar: Progress
) -> dict[str, Any]:
    if only is not None and only not in list(TruthClass):
        raise ConfigError(f"--only: {only!r} is not one of {[str(each) for each in TruthClass]}")
    found = load_station(station)
    calibration = found.cameras[0].calibration
    if calibration is None:
        raise ConfigError(f"--station: {station} has no calibration; the twin's surfaces are drawn in mm")
    task = bar.add_task("surfaces", total=surfaces)
    result = evaluate_on_twin(
        segmenter,
        found.policy,
        calibration,
        surfaces=surfaces,
        first_seed=first_seed,
        wanted=None if only is None else TruthClass(only),
        report=lambda done: bar.update(task, completed=done),
    )
    facts: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(result))
    return facts


def evaluate_stored(
    segmenter: Segmenter, dataset: str, root: Path, *, split: str, out: Path | None, bar: Progress
) -> dict[str, Any]:
    """The fixed keys; into `out` go `thresholds.png`, `defective.png` and `false.png`."""
    chosen = wanted(load_split(dataset, str(root)), split, root)
    task = bar.add_task(f"{dataset} {split}", total=len(chosen))
    seen: list[Seen] = []
    defective: list[Picture] = []
    false: list[Picture] = []
    for example in examples(chosen, channels=segmenter.manifest.net.channels):
        one, probability = look(segmenter.probability, example, threshold=segmenter.threshold)
        seen.append(one)
        picture = Picture(
            title=f"{one.name}  DSC {one.counts.dsc:.2f}",
            pixels=example.pixels,
            truth=example.mask,
            found=probability >= segmenter.threshold,
        )
        if one.counts.defective and len(defective) < SHEET_MOST:
            defective.append(picture)
        elif not one.counts.defective and one.counts.false_positive and len(false) < SHEET_MOST:
            false.append(picture)
        bar.advance(task)
    found = figures(seen, threshold=segmenter.threshold, engine=segmenter.engine)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        title = f"{segmenter.name} on {dataset} {split}"
        write_threshold_curves(out / "thresholds.png", seen, found, title=title)
        write_sheet(out / "defective.png", defective, title=f"{title}: defective images (truth green, prediction red)")
        write_sheet(out / "false.png", false, title=f"{title}: good images in which something was found")
    worst = sorted(seen, key=lambda each: (each.counts.dsc, each.name))[:LISTED_MOST]
    return as_json(found) | {"dataset": dataset, "split": split, "rows": [_row(each) for each in worst]}


def _row(one: Seen) -> dict[str, Any]:
    return {
        "name": one.name,
        "defective": one.counts.defective,
        "score": round(one.score, 3),
        "dsc": round(one.counts.dsc, 4),
    }
