"""The tables of the audit store: what each verdict was, and everything it rests on; migrations/ makes them.

A database may serve many stations, so each key begins with the station. Times are wall time, ns since 1970; `day` is
the day of capture, UTC, days since 1970: in PostgreSQL what grows with the verdicts is partitioned by it, and a
partitioned table's keys must hold it. No foreign keys: they would tie the partitions of a day to each other, and
`linectl verify` holds every row against the journal.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DAY_NS = 86_400_000_000_000
BY_DAY = {"postgresql_partition_by": "RANGE (day)"}
NEWEST = ("station", "captured_at", "seq")


class Base(DeclarativeBase):
    """Every table."""

    metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy
        int: BigInteger(),
        float: Float(53),
        dict[str, Any]: JSON(),
    }


def _where(name: str, condition: str, *columns: str) -> Index:
    """An index of the few rows that meet a condition: most verdicts have neither reason, zone nor defect."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


class Inspection(Base):
    """A verdict, with what it rests on (I9); `seq` is its row in the journal."""

    __tablename__ = "inspection"
    __table_args__ = (
        Index("inspection_by_frame", "station", "frame", "day", unique=True),
        Index("inspection_newest", *NEWEST),
        Index("inspection_by_outcome", "station", "outcome", "captured_at", "seq"),
        Index("inspection_by_camera", "station", "camera", "captured_at", "seq"),
        Index("inspection_by_slot", "station", "slot", "captured_at", "seq"),
        Index("inspection_by_model", "station", "model_sha256", "captured_at", "seq"),
        Index("inspection_by_run", "station", "run"),
        _where("inspection_by_reason", "reason IS NOT NULL", "station", "reason", "captured_at", "seq"),
        _where("inspection_by_zone", "zone IS NOT NULL", "station", "zone", "captured_at", "seq"),
        _where("inspection_with_defects", "area_mm2 > 0", *NEWEST, "area_mm2"),
        BY_DAY,
    )

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(Integer, primary_key=True)
    frame: Mapped[str] = mapped_column(String(200))
    camera: Mapped[str] = mapped_column(String(64))
    slot: Mapped[int]
    trigger_count: Mapped[int]
    run: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))  # the effective one, after corrections
    reason: Mapped[str | None] = mapped_column(String(32))
    original_outcome: Mapped[str] = mapped_column(String(16))
    original_reason: Mapped[str | None] = mapped_column(String(32))
    corrected_by: Mapped[int | None]  # seq of the last correction
    captured_at: Mapped[int]
    shift_at: Mapped[int]  # when the shift began that it counts in: a station may change its shifts
    decided_at: Mapped[int]
    at_count: Mapped[int | None]
    source: Mapped[str] = mapped_column(String(4096))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    model_sha256: Mapped[str] = mapped_column(String(64))
    config_sha256: Mapped[str] = mapped_column(String(64))
    software: Mapped[str] = mapped_column(String(64))
    policy: Mapped[dict[str, Any]]
    measures: Mapped[dict[str, Any]]
    score: Mapped[float | None]
    severity: Mapped[float | None]
    grey: Mapped[bool] = mapped_column(Boolean)
    area_px: Mapped[int | None]
    area_mm2: Mapped[float | None]
    largest_mm2: Mapped[float | None]
    attempt: Mapped[int] = mapped_column(Integer)
    worker: Mapped[str] = mapped_column(String(64))
    inference_ms: Mapped[float | None]
    latency_ms: Mapped[float | None]
    zone: Mapped[str | None] = mapped_column(String(64))  # whose limits decided; None: the station's own
    area_relative_uncertainty: Mapped[float | None]  # standard, k = 1


class Defect(Base):
    """A region of a verdict, numbered from 1, in px of the frame."""

    __tablename__ = "defect"
    __table_args__ = (BY_DAY,)

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    x: Mapped[int] = mapped_column(Integer)
    y: Mapped[int] = mapped_column(Integer)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    area_px: Mapped[int]
    area_mm2: Mapped[float | None]
    score: Mapped[float]
    zone: Mapped[str | None] = mapped_column(String(64))  # the strictest that it touches; None: none
    ignored: Mapped[bool] = mapped_column(Boolean)  # it lies in zones alone that are masked out


class Crop(Base):
    """A picture of a verdict: the full frame (number 0), or crop and mask of a defect; images.py has it."""

    __tablename__ = "crop"
    __table_args__ = (
        Index("crop_by_picture", "sha256"),
        _where("crop_kept", "expired_by IS NULL", "station", "day", "seq"),
        BY_DAY,
    )

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # frame, crop, mask
    sha256: Mapped[str] = mapped_column(String(64))
    x: Mapped[int] = mapped_column(Integer)  # where in the frame, px
    y: Mapped[int] = mapped_column(Integer)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    expired_by: Mapped[int | None]  # seq of the row that purged it; None: it is kept
    expired_at: Mapped[int | None]


class Actuation(Base):
    """What the gate did with a part, whichever cameras saw it."""

    __tablename__ = "actuation"
    __table_args__ = (Index("actuation_by_slot", "station", "slot"),)

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    slot: Mapped[int]
    run: Mapped[str] = mapped_column(String(64))
    gate: Mapped[str] = mapped_column(String(16))
    commanded: Mapped[str | None] = mapped_column(String(16))
    at_count: Mapped[int | None]
    late_ms: Mapped[float]
    at: Mapped[int]
    shift_at: Mapped[int]
    seen: Mapped[bool | None] = mapped_column(Boolean)  # by the verify sensor behind the gate


class Label(Base):
    """What a reviewer said of a frame, a part or a region; `seq` is its row in the journal."""

    __tablename__ = "label"
    __table_args__ = (
        UniqueConstraint("station", "id", name="label_once"),  # a journal may have one twice, after a crash
        Index("label_by_slot", "station", "slot"),
    )

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(String(32))
    frame: Mapped[str | None] = mapped_column(String(200))  # None: the whole part
    slot: Mapped[int]
    region: Mapped[int | None] = mapped_column(Integer)  # the number of a defect; None: the whole frame or part
    state: Mapped[str] = mapped_column(String(16))
    reviewer: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String(64))
    size_mm: Mapped[float | None]
    blind: Mapped[bool] = mapped_column(Boolean)
    trial: Mapped[int] = mapped_column(Integer)
    who: Mapped[str] = mapped_column(String(64))  # brought it
    why: Mapped[str] = mapped_column(String(1000))
    old: Mapped[str] = mapped_column(String(200))
    at: Mapped[int]


class Model(Base):
    """A net that runs have used."""

    __tablename__ = "model"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class Run(Base):
    """A start of the line."""

    __tablename__ = "run"

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(String(64))
    started_at: Mapped[int]
    software: Mapped[str] = mapped_column(String(64))
    config_sha256: Mapped[str] = mapped_column(String(64))
    config: Mapped[str]  # canonical JSON
    model_sha256: Mapped[str] = mapped_column(String(64))
    engine: Mapped[str] = mapped_column(String(64))
    first_slots: Mapped[dict[str, Any]]
    recovered: Mapped[int]
    baselines: Mapped[dict[str, Any]]  # camera → SHA-256
    calibrations: Mapped[dict[str, Any]]


class Cursor(Base):
    """Up to which row of its journal a station's rows are here; moves in the same transaction as they come."""

    __tablename__ = "cursor"

    station: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))  # of that row: says which journal this is
