"""Which zones a region touches, by the middles of its pixels; pure.

A region is never cut at a border: each zone that it touches judges all of it, so that none escapes by lying across two.
Pixels in an ignored zone touch no other one; a region of such pixels alone is judged by nobody.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from config.cameras import Calibration
from config.zones import Zone

Map = npt.NDArray[np.uint16]  # (H, W): a bit for each zone that a pixel lies in, and REST; 0 where it is ignored
Mask = npt.NDArray[np.bool_]

OWN_LIMITS = ""  # among the zones of a region: the limits of the station itself
REST = 1 << 15  # in no zone: the station's own limits judge it
MAPS = 8  # kept
LINES = 512  # frames of a camera may differ in height, and a zone lies where it lies in all of them


def zone_map(zones: tuple[Zone, ...], calibration: Calibration, height: int, width: int) -> Map:
    """The map of a frame of this size; read-only, as it is kept: of a large frame it takes a while to draw."""
    return _drawn(zones, calibration, -(-height // LINES) * LINES, width)[:height]


@lru_cache(maxsize=MAPS)
def _drawn(zones: tuple[Zone, ...], calibration: Calibration, height: int, width: int) -> Map:
    of_frame = np.zeros((height, width), np.uint16)
    ignored = np.zeros((height, width), bool)
    for n, zone in enumerate(zones):
        inside = inside_of([calibration.to_px(*point) for point in zone.polygon_mm], height=height, width=width)
        if zone.ignore:
            ignored |= inside
        else:
            of_frame |= inside * np.uint16(1 << n)
    of_frame[of_frame == 0] = REST
    of_frame[ignored] = 0
    of_frame.setflags(write=False)
    return of_frame


def touched(of_frame: Map, box: tuple[slice, slice], inside: Mask, zones: tuple[Zone, ...]) -> tuple[str, ...]:
    """The names of those that judge the region `inside` this box; `OWN_LIMITS` stands for the station's."""
    bits = int(np.bitwise_or.reduce(of_frame[box][inside], initial=0))
    names = [OWN_LIMITS] if bits & REST else []
    return (*names, *(zone.name for n, zone in enumerate(zones) if bits & (1 << n)))


def inside_of(polygon: list[tuple[float, float]], *, height: int, width: int) -> Mask:
    """(height, width): pixels whose middle lies in a polygon in px.

    Each side is crossed from its upper end to its lower one, whichever way the polygon runs: the same polygon, begun
    elsewhere or run backwards, gives the same pixels.
    """
    flips = np.zeros((height, width + 1), np.uint8)
    for one, other in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        (x0, y0), (x1, y1) = sorted((one, other), key=lambda point: (point[1], point[0]))
        first, last = (min(max(int(np.ceil(y - 0.5)), 0), height) for y in (y0, y1))
        if first >= last:
            continue
        lines = np.arange(first, last)
        crossed = x0 + (lines + 0.5 - y0) / (y1 - y0) * (x1 - x0)
        columns = np.clip(np.ceil(crossed - 0.5), 0, width).astype(np.int64)
        flips[lines, columns] ^= 1  # one crossing a line and side: no index comes twice
    return np.asarray(np.bitwise_xor.accumulate(flips[:, :width], axis=1).astype(bool))
