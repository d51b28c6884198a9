"""Latency: how long a verdict took from capture, by camera, and how late the gate was told; from the histograms."""

import math

import numpy as np

from storage.report_questions import Times
from storage.reports.asked import Asked
from storage.reports.figures import number, share
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Picture, Table
from storage.reports.pictures import histogram
from storage.rollups import BUCKETS, bucket_end
from storage.statistics.missing import Missing
from storage.statistics.quantiles import Latency, latency_of_counts

TITLE = "Latency"
IN_TIME = -1  # the bucket of what was not late
LATE, LATENCY = "late", "latency"


def latency(asked: Asked) -> Page:
    """p50, p99, p99.9 and the largest of each camera's verdicts, and the lateness of the gate."""
    period = asked.period()
    times = asked.reports.latency(period)
    cameras = [each for each in times if each.measure == LATENCY and asked.takes(each.camera)]
    cameras = [
        each for name in asked.in_order(each.camera for each in cameras) for each in cameras if each.camera == name
    ]
    late = next((each for each in times if each.measure == LATE), None)
    if not cameras and late is None:
        return asked.missing("latency", TITLE, period)
    rows: list[dict[str, Cell]] = []
    parts: list[Part] = []
    for each in cameras:
        found = quantiles(each)
        if isinstance(found, Missing):
            continue
        rows.append({"measure": LATENCY, "camera": each.camera, **_row(found)})
        parts.append(_picture(f"Capture to verdict, {each.camera}", each, found, "capture to verdict, ms", "verdicts"))
    facts = [*_latency_facts(asked, rows), *lateness_facts(late)]
    if late is None:
        parts.append(
            Gap(
                title="Lateness",
                missing="The gate has said nothing of any part in this period.",
                remedy="A station with an actuator tells of each part; look at [actuator] of its file.",
            )
        )
    elif (counts := too_late(late)).buckets:
        found = quantiles(counts)
        if not isinstance(found, Missing):
            rows.append({"measure": LATE, "camera": None, **_row(found)})
            if len(counts.buckets) > 1:
                parts.append(_picture("How late the late ones were", counts, found, "late, ms", "parts"))
    columns = (
        Column(key="measure", title="Time"),
        Column(key="camera", title="Camera"),
        Column(key="count", title="Count"),
        Column(key="p50_ms", title="p50, ms", digits=1),
        Column(key="p99_ms", title="p99, ms", digits=1),
        Column(key="p999_ms", title="p99.9, ms", digits=1),
        Column(key="max_ms", title="Largest, ms", digits=1),
    )
    note = (
        "Each is the end of the bucket that it lies in, at most 19 % above it. A p99.9 of fewer than 1000, or a p99 of "
        "fewer than 100, is the largest."
    )
    parts.insert(0, Table(title="Quantiles", columns=columns, rows=tuple(rows), note=note))
    count = sum(int(row["count"] or 0) for row in rows if row["measure"] == LATENCY)
    return asked.page("latency", TITLE, period, facts=facts, parts=parts, rows=rows, row_count=count)


def quantiles(times: Times) -> Latency | Missing:
    """Of one histogram; the last bucket has no end."""
    return latency_of_counts(
        [*_ends(IN_TIME, BUCKETS - 2), math.inf], [times.buckets.get(at, 0) for at in range(BUCKETS)]
    )


def too_late(times: Times) -> Times:
    """Without what was in time."""
    return Times(
        camera=times.camera, measure=times.measure, buckets={at: n for at, n in times.buckets.items() if at != IN_TIME}
    )


def lateness_facts(late: Times | None) -> list[Fact]:
    """How many parts the gate was told of too late."""
    if late is None:
        why = Missing("the gate has said nothing")
        return [number("late", "Late parts", why), number("gate_late_p99_ms", "Lateness, p99", why)]
    parts, behind = sum(late.buckets.values()), sum(too_late(late).buckets.values())
    found = quantiles(too_late(late))
    worst: float | Missing = found if isinstance(found, Missing) else found.largest
    return [
        share(
            "late", "Late parts", behind / parts if parts else Missing("no part came to the gate"), _of(behind, parts)
        ),
        number("late_parts", "Late, of all at the gate", behind, f"of {parts}"),
        number("largest_late_ms", "Most late", 0.0 if not behind else worst, unit="ms", digits=1),
    ]


def _of(some: int, of: int) -> str:
    return f"{some} of {of}"


def _latency_facts(asked: Asked, rows: list[dict[str, Cell]]) -> list[Fact]:
    facts = []
    for key, title in (("p50_ms", "p50"), ("p99_ms", "p99"), ("max_ms", "Largest")):
        worst = max((row for row in rows), key=lambda row: float(row[key] or 0), default=None)
        if worst is None:
            facts.append(number(key, title, Missing("no verdict has a latency")))
        else:
            facts.append(number(key, title, float(worst[key] or 0), f"camera {worst['camera']}", unit="ms", digits=1))
    if asked.station.belt is not None:
        facts.append(
            number("way_ms", "Way to the gate", asked.station.belt.way_ms, "at full speed", unit="ms", digits=0)
        )
    return facts


def _row(found: Latency) -> dict[str, Cell]:
    p50, p99, p999 = (_finite(each.value) for each in found.quantiles)
    return {"count": found.count, "p50_ms": p50, "p99_ms": p99, "p999_ms": p999, "max_ms": _finite(found.largest)}


def _finite(ms: float) -> float:
    """What is beyond the last bucket's beginning is said to be there."""
    return ms if math.isfinite(ms) else bucket_end(BUCKETS - 2)


def _ends(first: int, last: int) -> list[float]:
    return [bucket_end(bucket) for bucket in range(first, last + 1)]


def _picture(title: str, times: Times, found: Latency, value: str, parts: str) -> Picture:
    least, most = min(times.buckets), max(times.buckets)
    edges = np.array([bucket_end(at - 1) for at in range(least, most + 2)])
    edges[0] = max(edges[0], 0.84)  # a logarithmic axis has no 0: the first bucket is drawn as wide as the next
    counts = [times.buckets.get(at, 0) for at in range(least, most + 1)]
    p50, p99, _ = (_finite(each.value) for each in found.quantiles)
    return Picture(title=title, svg=histogram(edges, counts, value=value, parts=parts, marks={"p50": p50, "p99": p99}))
