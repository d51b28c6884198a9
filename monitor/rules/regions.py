"""From a probability map to exact regions, and a mask as runs; pure."""

import cv2
import numpy as np
import numpy.typing as npt

from config.cameras import Calibration
from config.zones import Zone
from monitor.messages import Region
from monitor.rules.zones import OWN_LIMITS, touched, zone_map

Mask = npt.NDArray[np.bool_]
Probability = npt.NDArray[np.float32]


def find_regions(
    probability: Probability, *, threshold: float, calibration: Calibration | None, zones: tuple[Zone, ...] = ()
) -> tuple[tuple[Region, ...], Mask]:
    """All 8-connected regions with probability ≥ threshold, largest first, and their mask.

    `probability` is (H, W) in 0..1 at the frame's own size; a NaN is the caller's to refuse (`has_nan`).
    """
    mask = probability >= threshold
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    mm2_per_px = calibration.mm2_per_px if calibration else None
    of_frame = zone_map(zones, calibration, *mask.shape) if zones and calibration else None
    regions = []
    for label in range(1, count):  # 0 is the ground
        x, y, width, height, area_px = (int(n) for n in stats[label])
        box = np.s_[y : y + height, x : x + width]
        inside = labels[box] == label
        regions.append(
            Region(
                x=x,
                y=y,
                width=width,
                height=height,
                area_px=area_px,
                area_mm2=None if mm2_per_px is None else area_px * mm2_per_px,
                score=float(probability[box][inside].max()),
                zones=(OWN_LIMITS,) if of_frame is None else touched(of_frame, box, inside, zones),
            )
        )
    regions.sort(key=lambda region: (-region.area_px, region.y, region.x))
    return tuple(regions), mask


def regions_of_mask(mask: Mask, calibration: Calibration | None, zones: tuple[Zone, ...] = ()) -> tuple[Region, ...]:
    """The regions of a mask that is known exactly."""
    return find_regions(mask.astype(np.float32), threshold=0.5, calibration=calibration, zones=zones)[0]


def has_nan(probability: Probability) -> bool:
    """Whether any pixel is NaN or infinite."""
    return not bool(np.isfinite(probability).all())


def encode_mask(mask: Mask) -> bytes:
    """A mask as runs: little-endian uint32 lengths, row by row, the first of ground (perhaps 0)."""
    flat = mask.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], edges, [flat.size]))
    runs = np.diff(bounds)
    if flat.size and flat[0]:
        runs = np.concatenate(([0], runs))
    return runs.astype("<u4").tobytes()


def decode_mask(runs: bytes, *, height: int, width: int) -> Mask:
    """The mask that `encode_mask` wrote; ValueError where the runs do not fill (height, width)."""
    lengths = np.frombuffer(runs, dtype="<u4").astype(np.int64)
    if int(lengths.sum()) != height * width:
        raise ValueError(f"runs of {int(lengths.sum())} pixels do not fill {height} × {width} = {height * width}")
    values = np.arange(lengths.size) % 2 == 1
    return np.repeat(values, lengths).reshape(height, width)
