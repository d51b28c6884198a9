"""What reports ask of single rows, where counts do not do: a bounded number of them, which the report states."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, and_, literal_column, select
from sqlalchemy.orm import Session

from monitor.messages import Outcome
from storage.report_questions import Period
from storage.schema import DAY_NS, Defect, Inspection, Model, Run


class Ending(NamedTuple):
    """A verdict that was no PASS."""

    captured_at: int
    slot: int
    rejected: bool  # else not inspected


class Spot(NamedTuple):
    """Where a defect lies: px of a frame of this size, and where the belt was, encoder counts."""

    run: str
    at_count: int | None
    frame_width: int
    frame_height: int
    x: int
    y: int
    width: int
    height: int


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """A start of the line, and what it ran."""

    seq: int
    run: str
    started_at: int
    software: str
    config: str  # canonical JSON
    model: str  # its name; "": nobody knows
    model_sha256: str
    engine: str
    recovered: int
    baselines: dict[str, Any]  # camera → SHA-256
    calibrations: dict[str, Any]


class SingleRows:
    """The questions about rows, on one station; `most` says how many are read, the newest."""

    def __init__(self, session: Callable[[], AbstractContextManager[Session]], station: str) -> None:
        self._session = session
        self._station = station

    def endings(self, period: Period, camera: str, most: int) -> list[Ending]:
        """Rejected and not inspected verdicts of a camera in the order of capture, the newest `most` of them."""
        found = Inspection
        asked = select(found.captured_at, found.slot, found.outcome).where(
            *self._rows_of(period, camera), found.outcome != str(Outcome.PASS)
        )
        rows = self._read(asked.order_by(found.captured_at.desc(), found.seq.desc()).limit(most))
        return [Ending(at, slot, outcome == Outcome.REJECT) for at, slot, outcome in reversed(rows)]

    def spots(self, period: Period, camera: str, most: int) -> list[Spot]:
        """Defects that count, of inspected parts, in the order of capture, the newest `most` of them."""
        found = Inspection
        joined = and_(Defect.station == found.station, Defect.seq == found.seq, Defect.day == found.day)
        box = (Defect.x, Defect.y, Defect.width, Defect.height)
        asked = select(found.run, found.at_count, found.width, found.height, *box).join(Defect, joined)
        asked = asked.where(
            *self._rows_of(period, camera),
            found.area_mm2 > literal_column("0"),  # as the index of verdicts with defects has it
            found.outcome != str(Outcome.NOT_INSPECTED),
            Defect.ignored.is_(False),
        )
        order = (found.captured_at.desc(), found.seq.desc(), Defect.number.desc())
        return [Spot(*row) for row in reversed(self._read(asked.order_by(*order).limit(most)))]

    def starts(self, until: int, most: int) -> list[Start]:
        """The last `most` starts of the line before a moment, the oldest first."""
        asked = select(Run, Model.name).join(Model, Model.sha256 == Run.model_sha256, isouter=True)
        asked = asked.where(Run.station == self._station, Run.started_at < until)
        with self._session() as session:
            return [
                Start(
                    seq=run.seq,
                    run=run.run,
                    started_at=run.started_at,
                    software=run.software,
                    config=run.config,
                    model=name or "",
                    model_sha256=run.model_sha256,
                    engine=run.engine,
                    recovered=run.recovered,
                    baselines=run.baselines,
                    calibrations=run.calibrations,
                )
                for run, name in reversed(session.execute(asked.order_by(Run.seq.desc()).limit(most)).all())
            ]

    def _rows_of(self, period: Period, camera: str) -> list[ColumnElement[bool]]:
        """Said of the day too, which leaves partitions out."""
        at = Inspection.captured_at
        return [
            Inspection.station == self._station,
            Inspection.camera == camera,
            Inspection.day.between(period.since // DAY_NS, period.until // DAY_NS),
            at >= period.since,
            at < period.until,
        ]

    def _read(self, asked: Select[*tuple[Any, ...]]) -> list[Any]:
        with self._session() as session:
            return list(session.execute(asked))
