"""Builders of what travels, and fakes that remember."""

from typing import Any

import numpy as np
import numpy.typing as npt

from config.loader import load_station
from config.station import Station
from monitor.messages import Captured, Counter, FrameId, Reason, Region, Segmentation
from monitor.rules.verdicts import Provenance

MODEL = "a" * 64
OTHER_MODEL = "b" * 64
MS = 1_000_000
PROVENANCE = Provenance(
    run="run-1",
    software="line-monitor test",
    config_sha256="c" * 64,
    model_name="net",
    model_sha256=MODEL,
    engine="torch",
)


def a_station() -> Station:
    return load_station("rail-03")


def a_frame(seq: int = 1, *, camera: str = "head", epoch: int = 1) -> FrameId:
    return FrameId(station="rail-03", camera=camera, epoch=epoch, seq=seq)


def a_captured(
    slot: int = 1, *, at_count: int | None = 0, captured_ns: int = 0, refusal: Reason | None = None, **id_facts: Any
) -> Captured:
    return Captured(
        frame=a_frame(slot, **id_facts),
        slot=slot,
        trigger_count=slot,
        at_count=at_count,
        captured_ns=captured_ns,
        captured_at=1_795_000_000_000_000_000,
        width=160,
        height=1000,
        refusal=refusal,
    )


def a_region(area_mm2: float = 50.0, *, x: int = 10, y: int = 20) -> Region:
    area_px = round(area_mm2 / 0.225)
    return Region(x=x, y=y, width=area_px, height=1, area_px=area_px, area_mm2=area_mm2, score=0.9)


def a_segmentation(
    slot: int = 1, *regions: Region, model: str = MODEL, refusal: Reason | None = None, **id_facts: Any
) -> Segmentation:
    return Segmentation(
        frame=a_frame(slot, **id_facts),
        slot=slot,
        attempt=1,
        worker="inference-0.1",
        model_sha256=model,
        regions=regions,
        refusal=refusal,
        score=0.9 if regions else 0.0,
    )


def a_counter(
    triggers: int,
    *,
    count: int | None = 0,
    counts_per_s: float = 0.0,
    at_ns: int = 0,
    cameras: tuple[str, ...] = ("head",),
) -> Counter:
    return Counter(cameras=cameras, trigger_count=triggers, encoder_count=count, counts_per_s=counts_per_s, at_ns=at_ns)


def a_mask(*squares: tuple[int, int, int], shape: tuple[int, int] = (100, 80)) -> npt.NDArray[np.bool_]:
    """True in squares of (x, y, side)."""
    mask = np.zeros(shape, bool)
    for x, y, side in squares:
        mask[y : y + side, x : x + side] = True
    return mask
