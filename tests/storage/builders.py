"""Rows to test with: `a_*` builds one, its defaults those of a part that passed."""

import hashlib
import struct
import zlib

from monitor.messages import Gate, Outcome, Reason
from monitor.rows import (
    ActuatedBody,
    AlarmBody,
    CorrectionBody,
    Entry,
    Kind,
    PersonBody,
    PurgeBody,
    RegionRow,
    RunBody,
    VerdictBody,
)

STATION = "rail-03"
RUN = "run-1"
MODEL = "ab" * 32
CONFIG = "cd" * 32
NOON = 1_790_000_000_000_000_000  # wall, ns


def a_frame(slot: int, camera: str = "head", epoch: int = 1) -> str:
    return f"{STATION}/{camera}/{epoch}/{slot:06d}"


def a_png(grey: int = 128, side: int = 4) -> bytes:
    """A picture, small and distinct by its grey."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + bytes([grey % 256]) * side) * side)
    note = chunk(b"tEXt", b"grey\0" + str(grey).encode())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + note + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def sha256_of(png: bytes) -> str:
    return hashlib.sha256(png).hexdigest()


def a_region(area_mm2: float | None = 60.0, crop: bytes | None = None, mask: bytes | None = None) -> RegionRow:
    return RegionRow(
        x=10,
        y=20,
        width=30,
        height=8,
        area_px=240,
        area_mm2=area_mm2,
        score=0.97,
        crop_box=(0, 4, 56, 40),
        crop_sha256=sha256_of(crop) if crop else None,
        mask_sha256=sha256_of(mask) if mask else None,
    )


def a_verdict(
    slot: int,
    outcome: Outcome = Outcome.PASS,
    reason: Reason | None = None,
    *,
    camera: str = "head",
    epoch: int = 1,
    run: str = RUN,
    at: int | None = None,
    decided_at: int | None = None,
    area_mm2: float | None = None,
    regions: tuple[RegionRow, ...] = (),
    picture: bytes | None = None,
    inference_ms: float | None = 40.0,
) -> Entry:
    seen = outcome is not Outcome.NOT_INSPECTED
    body = VerdictBody(
        run=run,
        camera=camera,
        trigger_count=slot,
        captured_at=NOON + slot * 200_000_000 if at is None else at,
        decided_at=decided_at or NOON + slot * 200_000_000 + 60_000_000,
        at_count=slot * 5000,
        source="",
        width=160,
        height=1000,
        model_sha256=MODEL,
        config_sha256=CONFIG,
        software="0.1.0",
        policy={"min_region": 4.0, "reject_region": 40.0, "reject_total": 80.0, "grey_band": 0.2},
        score=0.9 if seen else None,
        severity=0.0 if seen else None,
        grey=False,
        area_px=240 * len(regions) if seen else None,
        area_mm2=area_mm2,
        largest_mm2=area_mm2,
        regions=regions,
        mask_rle=b"\x01\x02\x03" * 10 if regions else b"",
        frame_sha256=sha256_of(picture) if picture else None,
        measures={"mean": 118.0, "sharpness": 31.5},
        attempt=1,
        worker="inference-0",
        inference_ms=inference_ms if seen else None,
        latency_ms=55.0,
    )
    return Entry(
        kind=Kind.VERDICT,
        frame=a_frame(slot, camera, epoch),
        slot=slot,
        outcome=outcome,
        reason=reason,
        body=body,
    )


def an_actuated(slot: int, gate: Gate = Gate.RELEASED, *, late_ms: float = 0.0, run: str = RUN) -> Entry:
    commanded = Outcome.PASS if gate is Gate.RELEASED else None
    body = ActuatedBody(
        run=run, gate=gate, commanded=commanded, at_count=slot * 5000 + 60_000, late_ms=late_ms, at=NOON + slot
    )
    return Entry(kind=Kind.ACTUATED, frame=None, slot=slot, outcome=commanded, reason=None, body=body)


def a_correction(
    slot: int,
    corrects: int,
    reason: Reason = Reason.LATE,
    *,
    outcome: Outcome = Outcome.NOT_INSPECTED,
    camera: str = "head",
    run: str = RUN,
) -> Entry:
    body = CorrectionBody(run=run, corrects=corrects, decided_at=NOON + slot * 200_000_000 + 2_400_000_000)
    return Entry(
        kind=Kind.CORRECTION,
        frame=a_frame(slot, camera),
        slot=slot,
        outcome=outcome,
        reason=reason,
        body=body,
    )


def a_run(
    run: str = RUN,
    *,
    first_slots: dict[str, int] | None = None,
    recovered: int = 0,
    started_at: int = NOON,
) -> Entry:
    body = RunBody(
        run=run,
        started_at=started_at,
        software="0.1.0",
        config_sha256=CONFIG,
        config="{}",
        model_name="anomalyseg-8",
        model_sha256=MODEL,
        engine="openvino",
        first_slots={"head": 0} if first_slots is None else first_slots,
        recovered=recovered,
    )
    return Entry(kind=Kind.RUN, frame=None, slot=None, outcome=None, reason=None, body=body)


def an_alarm(name: str = "process.lost", *, run: str = RUN) -> Entry:
    body = AlarmBody(run=run, key=f"{name}-1", name=name, about="inference-0", text="killed", raised_at=NOON)
    return Entry(kind=Kind.ALARM, frame=None, slot=None, outcome=None, reason=None, body=body)


def a_person() -> Entry:
    body = PersonBody(who="kim", what="label", why="seen", old="", new="squat", at=NOON)
    return Entry(kind=Kind.PERSON, frame=None, slot=None, outcome=None, reason=None, body=body)


def a_purge(pictures: list[str]) -> Entry:
    """A tombstone of these pictures."""
    body = PurgeBody(
        by="kim", why="yearly", policy={"pass_days": 30}, through=1, at=NOON, pictures=tuple(sorted(pictures))
    )
    return Entry(kind=Kind.PURGE, frame=None, slot=None, outcome=None, reason=None, body=body)
