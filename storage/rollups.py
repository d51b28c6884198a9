"""What a verdict, its defects and the gate's word add to the counts; pure."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from storage.rollup_tables import DefectRollup, PlaceRollup, TimeRollup, VerdictRollup

MINUTE_NS = 60_000_000_000
HOUR_NS = 3_600_000_000_000
SIZES_MM2 = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4)
CELLS = 32  # of the frame's width, and of its height
BUCKETS_PER_OCTAVE = 4  # a bucket's end is 1.19 times its beginning
BUCKETS = 72  # up to 262 s
MOST = 1e6  # a value beyond is counted as this: none is near it, and what is added up stays exact
MEASURES = {  # name: where it stands in a verdict's row; to which steps of 1 it is rounded, and its square
    "area": ("area_mm2", 16, 16),
    "score": ("score", 4096, 1 << 24),
    "light": ("mean_level", 64, 4096),
    "focus": ("focus_ratio", 1024, 1 << 20),
    "latency": ("latency_ms", 16, 16),
}
AREA_STEPS = MEASURES["area"][1]
OF_HEALTH = ("light", "focus")  # they stand in `measures`

Table = type[VerdictRollup | DefectRollup | TimeRollup | PlaceRollup]
Fact = Mapping[Any, Any]
"""Columns of an inspection, a defect or an actuation by name: as they go into the table, or as they came out."""


class Span(StrEnum):
    """What is counted together."""

    MINUTE = "minute"
    HOUR = "hour"
    SHIFT = "shift"


SPANS: dict[Table, tuple[Span, ...]] = {
    VerdictRollup: (Span.MINUTE, Span.HOUR, Span.SHIFT),
    DefectRollup: (Span.HOUR, Span.SHIFT),
    TimeRollup: (Span.HOUR, Span.SHIFT),
    PlaceRollup: (Span.SHIFT,),
}


class Tally:
    """What rows add to the counts of a station, or take away; written by rollup_store.py."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._sums: dict[Table, dict[tuple[Any, ...], list[float]]] = {table: {} for table in SPANS}

    def add(self, verdict: Fact, defects: Sequence[Fact], sign: int = 1) -> None:
        """A verdict with its defects, under its effective outcome; `sign` -1 takes it away."""
        counted = [defect for defect in defects if not defect["ignored"]]
        when = (_minute(verdict["captured_at"]), verdict["shift_at"], verdict["camera"])
        outcome = verdict["outcome"]
        sums = self._of(VerdictRollup, (*when, outcome, verdict["reason"] or ""))
        sums[0] += sign
        sums[1] += sign * bool(verdict["grey"])
        sums[2] += sign * len(counted)
        at = 3
        health = verdict["measures"]
        for name, (key, steps, of_square) in MEASURES.items():
            value = health.get(key) if name in OF_HEALTH else verdict[key]
            if value is not None:
                rounded = _rounded(value, steps)
                sums[at] += sign
                sums[at + 1] += sign * rounded
                sums[at + 2] += sign * round(rounded * rounded * of_square) / of_square
            at += 3
        if verdict["latency_ms"] is not None:
            self._of(TimeRollup, (*when, "latency", bucket_of(verdict["latency_ms"])))[0] += sign
        for defect in counted:
            area = _rounded(defect["area_mm2"] or 0.0, AREA_STEPS)
            sums = self._of(DefectRollup, (*when, outcome, defect["zone"] or "", size_of(defect["area_mm2"])))
            sums[0] += sign
            sums[1] += sign * area
            sums[2] += sign * round(area * area * AREA_STEPS) / AREA_STEPS
            sums = self._of(PlaceRollup, (*when, outcome, *cell_of(defect, verdict["width"], verdict["height"])))
            sums[0] += sign
            sums[1] += sign * area

    def add_gate(self, act: Fact, sign: int = 1) -> None:
        """How late a disposition was; `sign` -1 takes it away."""
        bucket = bucket_of(act["late_ms"]) if act["late_ms"] > 0 else -1
        self._of(TimeRollup, (_minute(act["at"]), act["shift_at"], "", "late", bucket))[0] += sign

    def rows(self, table: Table) -> Iterator[dict[str, Any]]:
        """Each row of this table that changes, with what is to be added to it."""
        columns = [column.name for column in table.__table__.columns]
        sums: dict[tuple[Any, ...], list[float]] = {}
        for (minute, shift, *key), added in self._sums[table].items():
            starts = {Span.MINUTE: minute, Span.HOUR: minute - minute % HOUR_NS, Span.SHIFT: shift}
            for span in SPANS[table]:
                place = (self._station, span.value, starts[span], *key)
                if (here := sums.get(place)) is None:
                    sums[place] = added.copy()
                else:
                    for n, each in enumerate(added):
                        here[n] += each
        for place, added in sums.items():
            if any(added):
                yield dict(zip(columns, (*place, *added), strict=True))

    def _of(self, table: Table, key: tuple[Any, ...]) -> list[float]:
        sums = self._sums[table]
        if (found := sums.get(key)) is None:
            found = sums[key] = [0] * _NUMBER_OF_SUMS[table]
        return found


def size_of(area_mm2: float | None) -> int:
    """The size class: how many of SIZES_MM2 are not above it; -1 without an area in mm²."""
    return -1 if area_mm2 is None else bisect_right(SIZES_MM2, area_mm2)


def size_range(size: int) -> tuple[float | None, float | None]:
    """From, and up to but not including, mm²; None: no bound, or no area in mm²."""
    if size < 0:
        return None, None
    return (SIZES_MM2[size - 1] if size else 0.0), (SIZES_MM2[size] if size < len(SIZES_MM2) else None)


def bucket_of(ms: float) -> int:
    """The bucket of a time; bucket n ends at 2 ** ((n + 1) / 4) ms, and the last one never."""
    if ms <= 1:
        return 0
    return min(BUCKETS - 1, int(BUCKETS_PER_OCTAVE * math.log2(ms)))


def bucket_end(bucket: int) -> float:
    """Where a bucket ends, ms; that of what was in time at 0."""
    return 0.0 if bucket < 0 else 2.0 ** ((bucket + 1) / BUCKETS_PER_OCTAVE)


def cell_of(defect: Fact, width: int, height: int) -> tuple[int, int]:
    """(across, along) of the middle of its box."""
    across = (2 * defect["x"] + defect["width"]) * CELLS // (2 * max(1, width))
    along = (2 * defect["y"] + defect["height"]) * CELLS // (2 * max(1, height))
    return max(0, min(CELLS - 1, across)), max(0, min(CELLS - 1, along))


_NUMBER_OF_SUMS = {table: sum(not column.primary_key for column in table.__table__.columns) for table in SPANS}


def _minute(wall_ns: int) -> int:
    return wall_ns - wall_ns % MINUTE_NS


def _rounded(value: float, steps: int) -> float:
    """To a multiple of 1/steps, a power of two: a sum of such is exact below 2 ** 53 steps, in whatever order."""
    if not -MOST < value < MOST:
        value = math.copysign(MOST, value)
    return round(value * steps) / steps
