"""How far the labels of one part agree with each other: what no net can be asked to exceed, whatever its size.

A magnetic tile was taken under up to six exposures, and each was labelled by itself. Here each exposure's mask is
answered by the vote of the tile's other exposures, as a net that knew the tile by heart would.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from workers.datasets import magnetic_tile
from workers.datasets.items import Item
from workers.datasets.pictures import Mask, read_item
from workers.datasets.split import split_items, wanted
from workers.metrics import PixelCounts, auroc, average_precision, dsc, pixel_counts

NEXT_ROUND = 400  # exposures of one round are numbered up to 325 apart


def measure_labels(root: Path, part: str) -> dict[str, Any]:
    """The figures of the vote, and a row for each tile with a defect, most defect pixels first.

    An image's score is the share of the tile's other exposures that have a mask.
    """
    counts: list[PixelCounts] = []
    scores: list[float] = []
    rows: list[dict[str, Any]] = []
    for items in _rounds(wanted(split_items(magnetic_tile.scan(root), root), part, root)):
        masks = [read_item(item, channels=1)[1] for item in items]
        found = [pixel_counts(_vote(masks, n), mask) for n, mask in enumerate(masks)]
        labelled = [bool(mask.any()) for mask in masks]
        counts += found
        scores += [(sum(labelled) - one) / max(1, len(labelled) - 1) for one in labelled]
        if any(labelled):
            rows.append(
                {
                    "first": items[0].name,
                    "exposures": len(items),
                    "labelled": sum(labelled),
                    "folders": dict(Counter(item.name.split("/")[0] for item in items)),
                    "defect_px": sum(int(np.count_nonzero(mask)) for mask in masks),
                    "dsc_pooled": round(dsc(found).pooled, 4),
                }
            )
    figures = dsc(counts)
    defective = [each.defective for each in counts]
    return {
        "images": len(counts),
        "defective": sum(defective),
        "dsc": {
            "all": round(figures.all, 4),
            "defective": round(figures.defective, 4),
            "pooled": round(figures.pooled, 4),
        },
        "image_ap": round(average_precision(scores, defective), 4),
        "image_auroc": round(auroc(scores, defective), 4),
        "rows": sorted(rows, key=lambda row: -row["defect_px"]),
    }


def _rounds(items: list[Item]) -> list[list[Item]]:
    """The images that show one tile."""
    rounds: list[list[Item]] = []
    last = -NEXT_ROUND
    for item in sorted(items, key=_number):
        if _number(item) - last >= NEXT_ROUND:
            rounds.append([])
        rounds[-1].append(item)
        last = _number(item)
    return rounds


def _number(item: Item) -> int:
    return int(item.name.rpartition("_")[2])


def _vote(masks: list[Mask], n: int) -> Mask:
    """What at least half of the others say, brought to the size of the n-th."""
    high, wide = masks[n].shape
    others = [cv2.resize(mask.astype(np.float32), (wide, high)) for k, mask in enumerate(masks) if k != n]
    if not others:
        return np.zeros_like(masks[n])
    return np.asarray(np.mean(others, axis=0) >= 0.5)
