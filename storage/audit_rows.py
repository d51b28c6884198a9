"""What a journal row becomes in the tables of the audit store; pure."""

from collections.abc import Iterator
from typing import Any

import msgspec

from config.shifts import Shifts
from monitor.rows import ActuatedBody, PersonBody, RegionRow, Row, RunBody, VerdictBody
from storage.schema import DAY_NS


class ShiftClock:
    """When the shift began that a moment lies in; remembers the last one, as most moments lie in it too."""

    def __init__(self, shifts: Shifts) -> None:
        self._shifts = shifts
        self._begin = self._end = 0

    def began(self, wall_ns: int) -> int:
        if not self._begin <= wall_ns < self._end:
            self._begin, self._end = self._shifts.around(wall_ns)
        return self._begin


def day_of(body: VerdictBody) -> int:
    """The day of capture, UTC, days since 1970."""
    return body.captured_at // DAY_NS


def inspection(station: str, row: Row, body: VerdictBody, clock: ShiftClock) -> dict[str, Any]:
    return {
        "station": station,
        "seq": row.seq,
        "day": day_of(body),
        "frame": row.frame,
        "camera": body.camera,
        "slot": row.slot,
        "trigger_count": body.trigger_count,
        "run": body.run,
        "outcome": text(row.outcome),
        "reason": text(row.reason),
        "original_outcome": text(row.outcome),
        "original_reason": text(row.reason),
        "corrected_by": None,
        "captured_at": body.captured_at,
        "shift_at": clock.began(body.captured_at),
        "decided_at": body.decided_at,
        "at_count": body.at_count,
        "source": body.source,
        "width": body.width,
        "height": body.height,
        "model_sha256": body.model_sha256,
        "config_sha256": body.config_sha256,
        "software": body.software,
        "policy": body.policy,
        "measures": body.measures,
        "score": body.score,
        "severity": body.severity,
        "grey": body.grey,
        "area_px": body.area_px,
        "area_mm2": body.area_mm2,
        "largest_mm2": body.largest_mm2,
        "attempt": body.attempt,
        "worker": body.worker,
        "inference_ms": body.inference_ms,
        "latency_ms": body.latency_ms,
        "zone": body.zone,
        "area_relative_uncertainty": body.area_relative_uncertainty,
    }


def defects(station: str, row: Row, body: VerdictBody) -> Iterator[dict[str, Any]]:
    for number, region in enumerate(body.regions, start=1):
        facts = {key: getattr(region, key) for key in _OF_REGION}
        yield {"station": station, "seq": row.seq, "day": day_of(body), "number": number, **facts}


def crops(station: str, row: Row, body: VerdictBody) -> Iterator[dict[str, Any]]:
    """The full frame as number 0; crop and mask of each defect under its number."""
    whole = (0, 0, body.width, body.height)
    found = [(0, "frame", body.frame_sha256, whole)] if body.frame_sha256 else []
    for number, region in enumerate(body.regions, start=1):
        found += [(number, kind, sha256, region.crop_box or whole) for kind, sha256 in _pictures(region)]
    for number, kind, sha256, (x, y, width, height) in found:
        place = {"x": x, "y": y, "width": width, "height": height}
        key = {"station": station, "seq": row.seq, "day": day_of(body), "number": number, "kind": kind}
        yield {**key, "sha256": sha256, **place, "expired_by": None, "expired_at": None}


def actuation(station: str, row: Row, body: ActuatedBody, clock: ShiftClock) -> dict[str, Any]:
    facts = msgspec.structs.asdict(body)
    facts |= {"gate": text(body.gate), "commanded": text(body.commanded), "shift_at": clock.began(body.at)}
    return {"station": station, "seq": row.seq, "slot": row.slot, **facts}


def run(station: str, row: Row, body: RunBody) -> dict[str, Any]:
    facts = msgspec.structs.asdict(body)
    del facts["model_name"]  # the table of models has it
    return {"station": station, "seq": row.seq, **facts}


def label(station: str, row: Row, body: PersonBody) -> dict[str, Any]:
    """Of a body that has one."""
    facts = {**msgspec.structs.asdict(body), **msgspec.structs.asdict(body.label)} if body.label else {}
    facts = {key: facts[key] for key in _OF_LABEL} | {"state": text(facts["state"])}
    return {"station": station, "seq": row.seq, "frame": row.frame, "slot": row.slot, **facts}


def text(word: str | None) -> str | None:
    """The plain text of an enum's member: drivers differ in what they make of an enum."""
    return None if word is None else str(word)


_OF_LABEL = ("id", "region", "state", "reviewer", "label", "size_mm", "blind", "trial", "who", "why", "old", "at")
_OF_REGION = ("x", "y", "width", "height", "area_px", "area_mm2", "score", "zone", "ignored")


def _pictures(region: RegionRow) -> Iterator[tuple[str, str]]:
    if region.crop_sha256:
        yield "crop", region.crop_sha256
    if region.mask_sha256:
        yield "mask", region.mask_sha256
