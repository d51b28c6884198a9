"""What a journal row says: the bodies of its kinds, and the facts a verdict is signed with."""

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from config.alarms import Level
from monitor.labels import Label
from monitor.messages import Gate, Outcome, Reason, Sha256
from monitor.retention import PURGED_MOST, LegalHold


class Kind(StrEnum):
    """The kinds of journal row."""

    VERDICT = "verdict"
    CORRECTION = "correction"  # of the verdict that its body names
    ACTUATED = "actuated"
    ALARM = "alarm"
    PERSON = "person"
    PURGE = "purge"  # pictures that have expired, and why
    RUN = "run"


class RegionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A region as the journal keeps it; crop and mask are named by the SHA-256 of their PNG."""

    x: int
    y: int
    width: int
    height: int
    area_px: int
    area_mm2: float | None
    score: float
    crop_box: tuple[int, int, int, int] | None  # x, y, width, height in the frame, px
    crop_sha256: str | None
    mask_sha256: str | None
    zone: str | None = None  # the strictest that it touches; None: the station's own limits
    ignored: bool = False  # it lies in zones alone that are masked out


class VerdictBody(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a verdict rests on (I9)."""

    run: str
    camera: str
    trigger_count: int
    captured_at: int  # wall, ns since 1970; of the closing where no camera announced the trigger
    decided_at: int  # wall, ns
    at_count: int | None  # of the encoder at the trigger
    source: str  # the file, where there is one
    width: int
    height: int
    model_sha256: str
    config_sha256: str
    software: str
    policy: dict[str, float | None]
    score: float | None  # the largest probability; None when no net saw the frame
    severity: float | None  # the deciding area as a share of its limit
    grey: bool
    area_px: int | None  # of the regions that count
    area_mm2: float | None
    largest_mm2: float | None
    regions: tuple[RegionRow, ...] = ()
    mask_rle: bytes = b""
    frame_sha256: str | None = None  # of the PNG of the full frame, where it is kept
    measures: dict[str, float] = {}  # msgspec copies it
    attempt: int = 0
    worker: str = ""
    inference_ms: float | None = None
    latency_ms: float | None = None  # capture to verdict
    zone: str | None = None  # whose limits decided, as `policy` has them; None: the station's own
    area_relative_uncertainty: float | None = None  # of areas in mm², from the calibration: standard, k = 1
    disk_level: int = 0  # of the disk ladder: above 0 pictures were left out, or made smaller, for want of room


class CorrectionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict that did not hold; the row's outcome is the one that counts."""

    run: str
    corrects: int  # seq of the verdict
    decided_at: int


class ActuatedBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate did with a slot."""

    run: str
    gate: Gate
    commanded: Outcome | None
    at_count: int | None
    late_ms: float
    at: int  # wall, ns
    seen: bool | None = None  # by the verify sensor behind the gate


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """The journal was found damaged at a start: from here on it follows the last row that was sound."""

    folder: str  # in the state folder: the damaged files, whole
    last_seq: int  # of the last sound row; 0 where there was none
    last_hash: str  # its hash, hex


class AlarmBody(msgspec.Struct, frozen=True, kw_only=True):
    """Something a person should know."""

    run: str
    key: str
    name: str
    about: str
    text: str
    raised_at: int  # wall, ns
    level: Level = "warn"  # reject and hold stand until somebody has acknowledged them
    set_aside: SetAside | None = None  # where that is what happened: the rows between that last one and this are lost


class PersonBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a person did: who, what, why, old and new."""

    who: str
    what: str
    why: str
    old: str
    new: str
    at: int  # wall, ns
    label: Label | None = None  # where that is what they did; the row names the frame, or the part alone
    hold: LegalHold | None = None  # that they placed or lifted


class PurgeBody(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures that expire with this row: it is durable before one of them is deleted, and stays.

    It speaks of the rows before it; what a later verdict names is kept for that one.
    """

    by: str  # who ran it: a person, or the line itself
    why: str
    policy: dict[str, int]  # days from capture, as the station had them
    through: int  # the last row whose verdicts and holds were looked at
    at: int  # wall, ns
    pictures: Annotated[tuple[Sha256, ...], Meta(max_length=PURGED_MOST)]


class RunBody(msgspec.Struct, frozen=True, kw_only=True):
    """A start of the line: what it runs, and where the counters stood."""

    run: str
    started_at: int  # wall, ns
    software: str
    config_sha256: str
    config: str  # canonical JSON
    model_name: str
    model_sha256: str
    engine: str
    first_slots: dict[str, int]  # camera → the first slot of this run
    recovered: int  # slots of an earlier run that this start closed
    baselines: dict[str, str] = {}  # camera → SHA-256 of the baseline in force  # msgspec copies it
    calibrations: dict[str, str] = {}  # likewise of its calibration, where it is not the station file's


Body = VerdictBody | CorrectionBody | ActuatedBody | AlarmBody | PersonBody | PurgeBody | RunBody


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row before it has a place in the chain."""

    kind: Kind
    frame: str | None
    slot: int | None
    outcome: Outcome | None
    reason: Reason | None
    body: Body


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the journal, as it lies there; `body` is JSON of the kind's struct."""

    seq: int
    kind: Kind
    frame: str | None
    slot: int | None
    outcome: Outcome | None
    reason: Reason | None
    body: bytes
    hash: bytes


class DiskFull(Exception):
    """The journal has no room for these rows. What was there before is whole, and it can be tried again."""


class Journal(Protocol):
    """What decision needs of a journal; storage/journal.py is one."""

    def append(self, entries: list[Entry], attachments: Mapping[str, bytes] | None = None) -> list[int]:
        """Makes all of it durable in one commit; the seqs. `attachments` are pictures by SHA-256.

        Raises `DiskFull` where there is no room, and whatever else means that nothing was written.
        """
        ...

    def prune(self, seq: int) -> None:
        """Drops some of the pictures of rows up to `seq`, which the image store has; called again and again."""
        ...

    def checkpoint(self) -> None:
        """Truncates the write-ahead log; called when the belt is idle."""
        ...

    def close(self) -> None:
        """Closes the file."""
        ...


def read_body(row: Row) -> Body:
    """The typed body of a row."""
    return _DECODERS[row.kind].decode(row.body)


def pictures(body: VerdictBody) -> Iterator[str]:
    """The SHA-256 of every picture a verdict names."""
    if body.frame_sha256:
        yield body.frame_sha256
    for region in body.regions:
        yield from (sha256 for sha256 in (region.crop_sha256, region.mask_sha256) if sha256)


def area_text(body: VerdictBody) -> str:
    """The area of what counts, as people read it: 12.3 ± 0.4 mm², where the calibration says how sure it is."""
    if body.area_mm2 is None:
        return f"{body.area_px} px"
    if not body.area_relative_uncertainty or not body.area_mm2:
        return f"{body.area_mm2:.0f} mm²"
    off_mm2 = body.area_mm2 * body.area_relative_uncertainty
    digits = max(0, math.ceil(-math.log10(off_mm2)))  # one that counts: more would be made up
    return f"{body.area_mm2:.{digits}f} ± {off_mm2:.{digits}f} mm²"


_DECODERS: dict[Kind, msgspec.json.Decoder[Body]] = {
    Kind.VERDICT: msgspec.json.Decoder(VerdictBody),
    Kind.CORRECTION: msgspec.json.Decoder(CorrectionBody),
    Kind.ACTUATED: msgspec.json.Decoder(ActuatedBody),
    Kind.ALARM: msgspec.json.Decoder(AlarmBody),
    Kind.PERSON: msgspec.json.Decoder(PersonBody),
    Kind.PURGE: msgspec.json.Decoder(PurgeBody),
    Kind.RUN: msgspec.json.Decoder(RunBody),
}
