"""From a closed entry to the row that proves it, and the pictures that belong to it; pure."""

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from config.cameras import Camera
from config.policy import Policy
from config.station import Station
from monitor.messages import FrameId, Outcome, Reason, Region, Segmentation
from monitor.rows import Entry, Kind, RegionRow, VerdictBody
from monitor.rules.disk import Level, kept_picture
from monitor.rules.ledger import Closing
from monitor.rules.policy import counting, judge, strictest

_MS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What every verdict of a run rests on (I9)."""

    run: str
    software: str
    config_sha256: str
    model_name: str
    model_sha256: str
    engine: str
    baselines: Mapping[str, str] = field(default_factory=dict)  # camera → SHA-256; only of those that have one
    calibrations: Mapping[str, str] = field(default_factory=dict)  # likewise, where one was measured or stated


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A closed trigger: its row, its pictures by SHA-256, and what the gate must know."""

    camera: str
    slot: int
    at_count: int | None
    frame: FrameId
    outcome: Outcome
    reason: Reason | None
    entry: Entry
    body: VerdictBody
    pictures: Mapping[str, bytes]


def decide(
    closing: Closing,
    station: Station,
    provenance: Provenance,
    *,
    now_ns: int,
    now_at: int,
    disk_level: Level = Level.ALL,
) -> Verdict:
    """PASS or REJECT by the policy where the net answered, NOT_INSPECTED(reason) where nobody could judge.

    `disk_level` says which of its pictures there is room for.
    """
    seen, captured = closing.segmentation, closing.captured
    camera = _camera(station, closing.frame.camera)
    zones, calibration = camera.zones, camera.calibration
    judgement = judge(seen.regions, station.policy, zones) if seen is not None and closing.reason is None else None
    outcome = judgement.outcome if judgement else Outcome.NOT_INSPECTED
    pictures, names = _pictures(closing, disk_level, passed=outcome is Outcome.PASS)
    counted = [seen.regions[n] for n in counting(seen.regions, station.policy, zones)] if seen is not None else []
    areas_mm2 = [region.area_mm2 for region in counted if region.area_mm2 is not None]
    calibrated = calibration is not None and len(areas_mm2) == len(counted)
    body = VerdictBody(
        run=provenance.run,
        camera=camera.name,
        trigger_count=captured.trigger_count if captured else closing.slot,
        captured_at=captured.captured_at if captured else now_at,
        decided_at=now_at,
        at_count=closing.at_count,
        source=captured.source if captured else "",
        width=captured.width if captured else 0,
        height=captured.height if captured else 0,
        model_sha256=provenance.model_sha256,
        config_sha256=provenance.config_sha256,
        software=provenance.software,
        policy=policy_facts(station, camera, judgement.zone if judgement else None),
        score=seen.score if judgement and seen else None,
        severity=judgement.severity if judgement else None,
        grey=judgement.grey if judgement else False,
        area_px=sum(region.area_px for region in counted) if judgement else None,
        area_mm2=sum(areas_mm2) if judgement and calibrated else None,
        largest_mm2=max(areas_mm2, default=0.0) if judgement and calibrated else None,
        regions=_region_rows(seen, strictest(seen.regions, station.policy, zones), names) if seen else (),
        mask_rle=seen.mask_rle if seen else b"",
        frame_sha256=names.get("frame"),
        measures=captured.measures if captured else {},
        attempt=seen.attempt if seen else 0,
        worker=seen.worker if seen else "",
        inference_ms=(seen.ended_ns - seen.started_ns) / _MS if judgement and seen else None,
        latency_ms=(now_ns - captured.captured_ns) / _MS if captured else None,
        zone=judgement.zone if judgement else None,
        area_relative_uncertainty=calibration.area_relative_uncertainty if judgement and calibration else None,
        disk_level=int(disk_level),
    )
    entry = Entry(
        kind=Kind.VERDICT,
        frame=str(closing.frame),
        slot=closing.slot,
        outcome=outcome,
        reason=closing.reason,
        body=body,
    )
    return Verdict(
        camera=camera.name,
        slot=closing.slot,
        at_count=closing.at_count,
        frame=closing.frame,
        outcome=outcome,
        reason=closing.reason,
        entry=entry,
        body=body,
        pictures=pictures,
    )


def sampled(frame: FrameId, share: float) -> bool:
    """Whether a passed part's full frame is kept: the same frames whoever asks, this share of them in the long run."""
    lot = int.from_bytes(hashlib.sha256(str(frame).encode()).digest()[:8], "big")
    return lot < share * 2**64


def policy_facts(station: Station, camera: Camera, zone: str | None) -> dict[str, float | None]:
    """The limits that decided, by their names in the station file: the station's, or those of a zone."""
    deciding = next((each for each in camera.zones if each.name == zone), station.policy)
    facts = deciding.model_dump(include=set(Policy.model_fields))
    return {key: limit for key, limit in facts.items() if limit is not None}


def _camera(station: Station, name: str) -> Camera:
    return next(camera for camera in station.cameras if camera.name == name)


def without_pictures(verdict: Verdict) -> Verdict:
    """The same verdict, for a disk that has room for nothing else."""
    bare = [msgspec.structs.replace(each, crop_sha256=None, mask_sha256=None) for each in verdict.body.regions]
    body = msgspec.structs.replace(
        verdict.body, regions=tuple(bare), frame_sha256=None, disk_level=max(verdict.body.disk_level, Level.NO_CROPS)
    )
    entry = msgspec.structs.replace(verdict.entry, body=body)
    return dataclasses.replace(verdict, body=body, entry=entry, pictures={})


def _pictures(closing: Closing, level: Level, *, passed: bool) -> tuple[dict[str, bytes], dict[str, str]]:
    """(PNG by SHA-256, SHA-256 by the name it travelled under), of those that are kept."""
    found = {name: png for name, png in closing.payload.items() if isinstance(png, bytes)}
    kept = {name: kept_picture(name, png, level, passed=passed) for name, png in found.items()}
    pngs = {name: png for name, png in kept.items() if png is not None}
    names = {name: hashlib.sha256(png).hexdigest() for name, png in pngs.items()}
    return {names[name]: png for name, png in pngs.items()}, names


def _region_rows(seen: Segmentation, zones: list[str | None], names: Mapping[str, str]) -> tuple[RegionRow, ...]:
    rows = zip(seen.regions, zones, strict=True)
    return tuple(_region_row(n, region, zone, seen, names) for n, (region, zone) in enumerate(rows))


def _region_row(n: int, region: Region, zone: str | None, seen: Segmentation, names: Mapping[str, str]) -> RegionRow:
    return RegionRow(
        x=region.x,
        y=region.y,
        width=region.width,
        height=region.height,
        area_px=region.area_px,
        area_mm2=region.area_mm2,
        score=region.score,
        crop_box=seen.crops_px[n] if n < len(seen.crops_px) else None,
        crop_sha256=names.get(f"crop-{n}"),
        mask_sha256=names.get(f"mask-{n}"),
        zone=zone,
        ignored=not region.zones,
    )
