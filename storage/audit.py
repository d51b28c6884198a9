"""The audit store: every verdict in SQL, with named questions for people and reports.

SQLite in the state folder, or whatever `LINE_AUDIT_URL` names; written by the recorder alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, func, insert, inspect, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from monitor.messages import Outcome
from monitor.rows import ActuatedBody, CorrectionBody, Row, RunBody, VerdictBody
from storage import audit_rows, projection
from storage.audit_rows import text
from storage.database import audit_url, check_version, open_engine
from storage.projection import StoreForeign, StoreLost, bodies_of, following
from storage.schema import Actuation, Base, Crop, Cursor, Defect, Inspection, Model, Run

PAGE_ROWS = 500
Keyed = type[Inspection | Defect | Crop | Actuation | Run]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which inspections; None asks for all. Times are wall, ns since 1970."""

    since: int | None = None
    until: int | None = None
    outcome: Outcome | None = None
    camera: str | None = None
    min_area_mm2: float | None = None
    limit: int | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One inspection, as people are shown it."""

    seq: int
    frame: str
    camera: str
    slot: int
    outcome: str
    reason: str | None
    area_mm2: float | None
    captured_at: int
    model: str  # SHA-256
    crops: tuple[str, ...]  # SHA-256 of the crops of its regions


class Kept(NamedTuple):
    """What the store holds of a verdict, to be held against the journal."""

    seq: int
    frame: str
    slot: int
    original: tuple[str, str | None]  # outcome, reason
    effective: tuple[str, str | None]
    corrected_by: int | None
    defects: int
    crops: int


class AuditStore:
    """One station's rows in the audit database."""

    def __init__(self, url: str, station: str, *, makes_tables: bool = True) -> None:
        self._station = station
        self._engine = open_engine(url)
        self._makes_tables = makes_tables
        self._ready = False

    def cursor(self) -> projection.Cursor | None:
        with self._session() as session:
            found = session.get(Cursor, self._station)
            return None if found is None else projection.Cursor(found.seq, bytes(found.hash))

    def project(self, rows: list[Row]) -> None:
        """Takes rows in, with the cursor, in one transaction; what is here already is passed over."""
        with self._session() as session:
            rows = self._move_cursor(session, rows)
            if not rows:
                return
            station = self._station
            bodies = bodies_of(rows)
            verdicts = [(row, body) for row, body in bodies if isinstance(body, VerdictBody)]
            runs = [(row, body) for row, body in bodies if isinstance(body, RunBody)]
            gates = [(row, body) for row, body in bodies if isinstance(body, ActuatedBody)]
            self._add(session, Inspection, [audit_rows.inspection(station, *each) for each in verdicts])
            self._add(session, Defect, [one for each in verdicts for one in audit_rows.defects(station, *each)])
            self._add(session, Crop, [one for each in verdicts for one in audit_rows.crops(station, *each)])
            self._add(session, Actuation, [audit_rows.actuation(station, *each) for each in gates])
            self._add(session, Run, [audit_rows.run(station, *each) for each in runs])
            for _, run in runs:
                if session.get(Model, run.model_sha256) is None:
                    session.add(Model(sha256=run.model_sha256, name=run.model_name))
            for row, body in bodies:
                if isinstance(body, CorrectionBody):
                    self._correct(session, row, body)

    def restart(self) -> None:
        raise StoreForeign(
            f"{self._engine.url!r} holds station {self._station!r} of another journal: "
            "give this one a database of its own, or bring that journal back"
        )

    def history(self, question: Question) -> Iterator[Found]:
        """Inspections that match, newest first; read page by page, so the answer may be long."""
        left = question.limit
        asked = _matching(self._station, question)
        asked = asked.order_by(Inspection.captured_at.desc(), Inspection.seq.desc())
        last: Found | None = None
        while left is None or left > 0:
            page = asked.limit(PAGE_ROWS if left is None else min(left, PAGE_ROWS))
            if last is not None:
                page = page.where(
                    (Inspection.captured_at < last.captured_at)
                    | ((Inspection.captured_at == last.captured_at) & (Inspection.seq < last.seq))
                )
            found = self._found(page)
            yield from found
            if len(found) < PAGE_ROWS:
                return
            last = found[-1]
            left = None if left is None else left - len(found)

    def count(self, run: str) -> int:
        """The verdicts of a run that are here."""
        with self._session() as session:
            asked = select(func.count()).where(Inspection.station == self._station, Inspection.run == run)
            return session.scalar(asked) or 0

    def gates(self, after: int) -> list[tuple[int, int, str]]:
        """A page of (seq, slot, gate): what the gate did, behind a row of the journal."""
        asked = select(Actuation.seq, Actuation.slot, Actuation.gate)
        asked = asked.where(Actuation.station == self._station, Actuation.seq > after)
        with self._session() as session:
            found = session.execute(asked.order_by(Actuation.seq).limit(PAGE_ROWS))
            return [(seq, slot, gate) for seq, slot, gate in found]

    def kept(self, after: int) -> list[Kept]:
        """A page of the verdicts that are here behind a row of the journal."""
        columns = (
            Inspection.seq,
            Inspection.frame,
            Inspection.slot,
            Inspection.original_outcome,
            Inspection.original_reason,
            Inspection.outcome,
            Inspection.reason,
            Inspection.corrected_by,
        )
        asked = select(*columns, _number_of(Defect), _number_of(Crop))
        asked = asked.where(Inspection.station == self._station, Inspection.seq > after)
        with self._session() as session:
            found = session.execute(asked.order_by(Inspection.seq).limit(PAGE_ROWS))
            return [
                Kept(seq, frame, slot, (was, why), (outcome, reason), corrected_by, defects, crops)
                for seq, frame, slot, was, why, outcome, reason, corrected_by, defects, crops in found
            ]

    def exists(self) -> bool:
        """Whether anything was ever written; looking makes nothing."""
        url = self._engine.url
        if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
            return False
        try:
            return inspect(self._engine).has_table(Cursor.__tablename__)
        except SQLAlchemyError as error:
            raise StoreLost(f"audit: {str(error).splitlines()[0]}") from error

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """A transaction; whatever the database has against it becomes StoreLost."""
        try:
            if not self._ready:
                if self._makes_tables:
                    Base.metadata.create_all(self._engine)
                check_version(self._engine)
                self._ready = True
            with Session(self._engine) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise StoreLost(f"audit: {str(error).splitlines()[0]}") from error

    def _move_cursor(self, session: Session, rows: list[Row]) -> list[Row]:
        """Moves the cursor to the last row, from where it was found: of two writers, one fails."""
        found = session.get(Cursor, self._station)
        new = following(None if found is None else projection.Cursor(found.seq, found.hash), rows)
        if not new:
            return []
        ahead = {"seq": new[-1].seq, "hash": new[-1].hash}
        if found is None:
            session.execute(insert(Cursor), [{"station": self._station, **ahead}])
            return new
        moved = session.connection().execute(
            update(Cursor).where(Cursor.station == self._station, Cursor.seq == found.seq).values(**ahead)
        )
        if moved.rowcount != 1:
            raise StoreLost(f"audit: another recorder moved the cursor of {self._station!r}")
        return new

    def _add(
        self, session: Session, table: type[Inspection | Defect | Crop | Actuation | Run], rows: list[dict[str, Any]]
    ) -> None:
        """Inserts what is not here yet: after a lost cursor everything comes once more."""
        if not rows:
            return
        within = table.seq.between(rows[0]["seq"], rows[-1]["seq"])
        here = set(session.scalars(select(table.seq).where(table.station == self._station, within)))
        if new := [row for row in rows if row["seq"] not in here]:
            session.execute(insert(table), new)

    def _correct(self, session: Session, row: Row, body: CorrectionBody) -> None:
        session.execute(
            update(Inspection)
            .where(Inspection.station == self._station, Inspection.seq == body.corrects)
            .where((Inspection.corrected_by == None) | (Inspection.corrected_by < row.seq))  # noqa: E711 - SQL's IS NULL
            .values(outcome=str(row.outcome), reason=text(row.reason), corrected_by=row.seq)
        )

    def _found(self, asked: Select[Inspection]) -> list[Found]:
        with self._session() as session:
            inspections = list(session.scalars(asked))
            seqs = [each.seq for each in inspections]
            crops: dict[int, list[str]] = {seq: [] for seq in seqs}
            wanted = select(Crop.seq, Crop.sha256).where(
                Crop.station == self._station, Crop.kind == "crop", Crop.seq.in_(seqs)
            )
            for seq, sha256 in session.execute(wanted.order_by(Crop.seq, Crop.number)):
                crops[seq].append(sha256)
            return [
                Found(
                    seq=each.seq,
                    frame=each.frame,
                    camera=each.camera,
                    slot=each.slot,
                    outcome=each.outcome,
                    reason=each.reason,
                    area_mm2=each.area_mm2,
                    captured_at=each.captured_at,
                    model=each.model_sha256,
                    crops=tuple(crops[each.seq]),
                )
                for each in inspections
            ]


def open_audit(folder: Path, station: str) -> AuditStore | None:
    """The audit store for reading; None where nothing was ever written."""
    store = AuditStore(audit_url(folder), station, makes_tables=False)
    if store.exists():
        return store
    store.close()
    return None


def _number_of(table: type[Defect | Crop]) -> Any:
    """How many rows of this table belong to an inspection."""
    return (
        select(func.count())
        .where(table.station == Inspection.station, table.seq == Inspection.seq)
        .correlate(Inspection)
        .scalar_subquery()
    )


def _matching(station: str, question: Question) -> Select[Inspection]:
    asked = select(Inspection).where(Inspection.station == station)
    if question.since is not None:
        asked = asked.where(Inspection.captured_at >= question.since)
    if question.until is not None:
        asked = asked.where(Inspection.captured_at < question.until)
    if question.outcome is not None:
        asked = asked.where(Inspection.outcome == str(question.outcome))
    if question.camera is not None:
        asked = asked.where(Inspection.camera == question.camera)
    if question.min_area_mm2 is not None:
        asked = asked.where(Inspection.area_mm2 >= question.min_area_mm2)
    return asked
