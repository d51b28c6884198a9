"""A net's figures on a set of images whose masks are known, each at its own resolution and without a least region."""

from collections.abc import Callable, Iterable, Sequence
from time import perf_counter_ns
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from workers.datasets.source import Example
from workers.errors import ModelError
from workers.metrics import (
    Overlap,
    PixelCounts,
    SizeRecall,
    add_recalls,
    auroc,
    average_precision,
    dsc,
    false_reject_rate_at_full_recall,
    image_score,
    iou,
    pixel_counts,
    region_recall,
)

THRESHOLDS = tuple(round(0.02 * i, 2) for i in range(1, 50))  # of curves, and of what may be chosen
PLATEAU = 0.001  # thresholds whose figure is this near to the best are as good: the middle of them is taken
BINS = 10  # of the reliability table
DIGITS = 4

Probability = NDArray[np.float32]
Predict = Callable[[NDArray[np.uint8]], Probability]


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one image."""

    name: str
    score: float
    counts: PixelCounts  # at the threshold
    curve: tuple[PixelCounts, ...]  # at each of THRESHOLDS
    regions: tuple[SizeRecall, ...]
    reliability: NDArray[np.float64]  # (BINS, 3): pixels, sum of probabilities, defective pixels
    ms: float


class ReliabilityBin(msgspec.Struct, frozen=True, kw_only=True):
    probability: float  # mean of what was said
    observed: float  # share that was defective
    pixels: int


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How far the probabilities can be taken at their word."""

    expected_error: float  # mean of |said - observed| over the bins, weighed by their pixels
    bins: tuple[ReliabilityBin, ...]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What `linectl evaluate` prints; NaN (null in JSON) where a figure has no meaning for the set."""

    images: int
    defective: int
    dsc: Overlap
    iou: Overlap
    image_ap: float
    image_auroc: float
    false_reject_rate_at_full_recall: float
    region_recall: tuple[SizeRecall, ...]
    calibration: Calibration
    threshold: float
    area_ratio: float
    ms_per_image: float  # median, resizing included
    engine: str


def look(predict: Predict, example: Example, *, threshold: float) -> tuple[Seen, Probability]:
    """One image judged; the probability (H, W) is for whoever draws it. ModelError where the net answers NaN."""
    start = perf_counter_ns()
    probability = predict(example.pixels)
    ms = (perf_counter_ns() - start) / 1e6
    if not np.isfinite(probability).all():
        raise ModelError(f"{example.name}: the net answers NaN to this image, which is no area of 0")
    found = probability >= threshold
    seen = Seen(
        name=example.name,
        score=image_score(probability, threshold=threshold),
        counts=pixel_counts(found, example.mask),
        curve=threshold_counts(probability, example.mask),
        regions=region_recall(found, example.mask),
        reliability=_reliability(probability, example.mask),
        ms=ms,
    )
    return seen, probability


def threshold_counts(probability: Probability, mask: NDArray[np.bool_]) -> tuple[PixelCounts, ...]:
    """The counts at each of THRESHOLDS, in one pass over the pixels."""
    passed = np.searchsorted(np.array(THRESHOLDS, np.float32), probability.ravel(), side="right")  # thresholds ≤ p
    truth, most = mask.ravel(), len(THRESHOLDS) + 1
    true_positive = np.bincount(passed[truth], minlength=most)[::-1].cumsum()[::-1][1:]
    positive = np.bincount(passed, minlength=most)[::-1].cumsum()[::-1][1:]
    defects = int(np.count_nonzero(truth))
    return tuple(
        PixelCounts(true_positive=int(tp), false_positive=int(p - tp), false_negative=defects - int(tp))
        for tp, p in zip(true_positive, positive, strict=True)
    )


def figures(seen: Sequence[Seen], *, threshold: float, engine: str) -> Figures:
    counts = [each.counts for each in seen]
    scores, defective = [each.score for each in seen], [each.counts.defective for each in seen]
    return Figures(
        images=len(seen),
        defective=sum(defective),
        dsc=_rounded(dsc(counts)),
        iou=_rounded(iou(counts)),
        image_ap=round(average_precision(scores, defective), DIGITS),
        image_auroc=round(auroc(scores, defective), DIGITS),
        false_reject_rate_at_full_recall=round(false_reject_rate_at_full_recall(scores, defective), DIGITS),
        region_recall=add_recalls([each.regions for each in seen]),
        calibration=_calibration([each.reliability for each in seen]),
        threshold=threshold,
        area_ratio=round(sum(counts, PixelCounts()).area_ratio, DIGITS),
        ms_per_image=round(float(np.median([each.ms for each in seen])), 2),
        engine=engine,
    )


def as_json(found: Figures) -> dict[str, Any]:
    """The fixed keys of the command, NaN as null."""
    facts: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return facts


def judged(predict: Predict, examples: Iterable[Example], *, threshold: float, engine: str) -> Figures:
    return figures(
        [look(predict, example, threshold=threshold)[0] for example in examples], threshold=threshold, engine=engine
    )


def threshold_of_best_dice(curves: Sequence[Sequence[PixelCounts]], *, by: Literal["all", "pooled"] = "all") -> float:
    """Where this Dice is best: the middle of the thresholds that come near it.

    By `all`, sound images count as much as defective ones, and where most are sound a net that is rarely sure keeps
    quiet; by `pooled`, what large defects lose decides.
    """
    found = [dsc([curve[k] for curve in curves]) for k in range(len(THRESHOLDS))]
    means = np.array([each.all if by == "all" else each.pooled for each in found])
    near = np.flatnonzero(means >= means.max() - PLATEAU)
    runs = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1)  # a plateau is one piece: the one with the best
    best = next(run for run in runs if int(means.argmax()) in run)
    return THRESHOLDS[int(best[len(best) // 2])]


def threshold_of_unbiased_area(curves: Sequence[Sequence[PixelCounts]]) -> float:
    """Where the median of found over true area is nearest to one; each image has a defect."""
    logs = []
    for k in range(len(THRESHOLDS)):
        areas = [(each[k].true_positive + each[k].false_positive, each[k]) for each in curves]
        ratios = [max(area, 1) / max(c.true_positive + c.false_negative, 1) for area, c in areas]
        logs.append(abs(float(np.median(np.log(ratios)))))
    return THRESHOLDS[int(np.argmin(logs))]


def _reliability(probability: Probability, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    said = probability.ravel().astype(np.float64)
    bins = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    return np.column_stack(
        [
            np.bincount(bins, minlength=BINS),
            np.bincount(bins, weights=said, minlength=BINS),
            np.bincount(bins, weights=mask.ravel(), minlength=BINS),
        ]
    )


def _calibration(tables: Sequence[NDArray[np.float64]]) -> Calibration:
    total = np.sum(tables, axis=0)
    bins = tuple(
        ReliabilityBin(
            probability=round(said / pixels, DIGITS), observed=round(defective / pixels, DIGITS), pixels=int(pixels)
        )
        for pixels, said, defective in total.tolist()
        if pixels
    )
    error = float(np.abs(total[:, 1] - total[:, 2]).sum() / total[:, 0].sum())
    return Calibration(expected_error=round(error, 6), bins=bins)


def _rounded(overlap: Overlap) -> Overlap:
    return Overlap(
        all=round(overlap.all, DIGITS), defective=round(overlap.defective, DIGITS), pooled=round(overlap.pooled, DIGITS)
    )
