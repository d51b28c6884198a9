"""Figures of merit of a segmentation, because one word "Dice" hides three numbers.

`all` is the mean over all images, where an image without a defect in which none is found counts 1, so that predicting
nothing scores high where defects are rare; `defective` is the mean over defective images; `pooled` counts all pixels
together.
"""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

REGION_EDGES_PX = (0, 64, 256, 1024, 4096, 1 << 40)  # of true regions, by their area


class PixelCounts(msgspec.Struct, frozen=True, kw_only=True):
    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0

    def __add__(self, other: "PixelCounts") -> "PixelCounts":
        return PixelCounts(
            true_positive=self.true_positive + other.true_positive,
            false_positive=self.false_positive + other.false_positive,
            false_negative=self.false_negative + other.false_negative,
        )

    @property
    def dsc(self) -> float:
        """2TP / (2TP + FP + FN), 0..1; 1 where nothing is there and nothing was found."""
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / total if total else 1.0

    @property
    def iou(self) -> float:
        """TP / (TP + FP + FN), 0..1; 1 where nothing is there and nothing was found."""
        total = self.true_positive + self.false_positive + self.false_negative
        return self.true_positive / total if total else 1.0

    @property
    def area_ratio(self) -> float:
        """Predicted over true area; 1 is unbiased. NaN without a defect."""
        true = self.true_positive + self.false_negative
        return (self.true_positive + self.false_positive) / true if true else float("nan")

    @property
    def defective(self) -> bool:
        return self.true_positive + self.false_negative > 0


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """One measure, three ways; `defective` is NaN where no image is."""

    all: float
    defective: float
    pooled: float


class SizeRecall(msgspec.Struct, frozen=True, kw_only=True):
    """Of the true regions of this size, how many were touched by what was found."""

    from_px: int
    to_px: int
    regions: int
    found: int


def pixel_counts(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> PixelCounts:
    both = int(np.count_nonzero(found & truth))
    return PixelCounts(
        true_positive=both,
        false_positive=int(np.count_nonzero(found)) - both,
        false_negative=int(np.count_nonzero(truth)) - both,
    )


def dsc(images: Sequence[PixelCounts]) -> Overlap:
    return Overlap(
        all=mean([each.dsc for each in images]),
        defective=mean([each.dsc for each in images if each.defective]),
        pooled=sum(images, PixelCounts()).dsc,
    )


def iou(images: Sequence[PixelCounts]) -> Overlap:
    return Overlap(
        all=mean([each.iou for each in images]),
        defective=mean([each.iou for each in images if each.defective]),
        pooled=sum(images, PixelCounts()).iou,
    )


def mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def image_score(probability: NDArray[np.float32], *, threshold: float) -> float:
    """What ranks an image among others: the score of its largest region, which is the largest probability inside.

    Regions are 8-connected, ≥ threshold. Where none is, the image's largest probability, which lies below any region's.
    """
    mask = probability >= threshold
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    if count == 1:
        return float(probability.max())
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return float(probability[labels == largest].max())


def average_precision(scores: Sequence[float], defective: Sequence[bool]) -> float:
    """Σ (Rₙ - Rₙ₋₁) Pₙ over the distinct scores, highest first; NaN without a defective image."""
    hits, taken, positives, _ = _ranked(scores, defective)
    if not positives:
        return float("nan")
    recall = hits / positives
    return float(np.sum(np.diff(recall, prepend=0.0) * hits / taken))


def auroc(scores: Sequence[float], defective: Sequence[bool]) -> float:
    """The chance that a defective image scores higher than a good one, ties by half; NaN without both kinds."""
    hits, taken, positives, negatives = _ranked(scores, defective)
    if not positives or not negatives:
        return float("nan")
    true_rate = np.concatenate(([0.0], hits / positives))
    false_rate = np.concatenate(([0.0], (taken - hits) / negatives))
    return float(np.trapezoid(true_rate, false_rate))


def false_reject_rate_at_full_recall(scores: Sequence[float], defective: Sequence[bool]) -> float:
    """The share of good images rejected by the highest limit that catches every defective one; NaN without both."""
    bad = [score for score, is_defective in zip(scores, defective, strict=True) if is_defective]
    good = [score for score, is_defective in zip(scores, defective, strict=True) if not is_defective]
    if not bad or not good:
        return float("nan")
    return sum(score >= min(bad) for score in good) / len(good)


def region_recall(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[SizeRecall, ...]:
    """By size of the true regions (8-connected)."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(truth.view(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    touched = np.zeros(count, np.bool_)
    touched[np.unique(labels[found])] = True
    areas = stats[1:, cv2.CC_STAT_AREA]
    return tuple(
        SizeRecall(
            from_px=low,
            to_px=high,
            regions=int(np.count_nonzero(inside)),
            found=int(np.count_nonzero(inside & touched[1:])),
        )
        for low, high in pairwise(REGION_EDGES_PX)
        for inside in [(areas >= low) & (areas < high)]
    )


def add_recalls(images: Sequence[tuple[SizeRecall, ...]]) -> tuple[SizeRecall, ...]:
    """The sizes of all images together; those without a region are left out."""
    sums: dict[tuple[int, int], list[int]] = {}
    for image in images:
        for size in image:
            total = sums.setdefault((size.from_px, size.to_px), [0, 0])
            total[0] += size.regions
            total[1] += size.found
    return tuple(
        SizeRecall(from_px=low, to_px=high, regions=regions, found=found)
        for (low, high), (regions, found) in sums.items()
        if regions
    )


def _ranked(
    scores: Sequence[float], defective: Sequence[bool]
) -> tuple[NDArray[np.float64], NDArray[np.float64], int, int]:
    """Defective images, and all images, at or above each distinct score (highest first); and how many there are."""
    values, truth = np.asarray(scores, np.float64), np.asarray(defective, np.bool_)
    order = np.argsort(-values, kind="stable")
    values, truth = values[order], truth[order]
    ends = np.append(np.flatnonzero(np.diff(values)), len(values) - 1) if len(values) else np.array([], np.int64)
    hits = np.asarray(np.cumsum(truth)[ends], np.float64)
    positives = int(np.count_nonzero(truth))
    return hits, np.asarray(ends + 1, np.float64), positives, len(truth) - positives
