"""The audit store: every verdict in SQL, with named questions for people and reports.

SQLite in the state folder, or whatever `LINE_AUDIT_URL` names; written by the recorder alone.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Select, func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config.shifts import Shifts
from monitor.rows import Row
from storage import projection
from storage.audit_totals import Totals
from storage.database import audit_url, open_engine
from storage.emptying import empty_station
from storage.intake import Intake
from storage.label_questions import Labels
from storage.migrate import check_tables, migrate
from storage.projection import StoreForeign, StoreLost
from storage.questions import (
    PAGE_ROWS,
    Found,
    Kept,
    Place,
    Question,
    asked_days,
    behind,
    days_with_rows,
    matching,
    number_of,
    windows,
    within,
)
from storage.report_questions import Reports
from storage.report_rows import SingleRows
from storage.retention_questions import Pictures
from storage.schema import Actuation, Crop, Cursor, Defect, Inspection, Model


class Snapshot(NamedTuple):
    """The store as of one moment: whatever is asked of it rests on the rows up to `head`."""

    head: projection.Cursor | None  # None: nothing was ever taken in
    reports: Reports
    rows: SingleRows
    labels: Labels
    pictures: Pictures
    totals: Totals


class AuditStore:
    """One station's rows in the audit database. Everything may raise `StoreLost` or `StoreForeign`."""

    def __init__(self, url: str, station: str, shifts: Shifts | None = None, *, writes: bool = True) -> None:
        """`writes`: it brings the tables up, and takes rows in; counted in `shifts`, by default of 8 h each, UTC."""
        self._station = station
        self._engine = open_engine(url, writes=writes)
        self._intake = Intake(station, shifts or Shifts())
        self._writes = writes
        self._ready = False
        self.reports = Reports(self._session, station)
        self.labels = Labels(self._session, station)
        self.pictures = Pictures(self._session, station)

    def cursor(self) -> projection.Cursor | None:
        with self._session() as session:
            found = session.get(Cursor, self._station)
            return None if found is None else projection.Cursor(found.seq, bytes(found.hash))

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """All that is asked inside sees the same rows, while the recorder goes on: a report is of one chain head."""
        with self._session() as session:
            if self._engine.url.get_backend_name() == "postgresql":  # SQLite reads one state in a transaction anyway
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            found = session.get(Cursor, self._station)
            head = None if found is None else projection.Cursor(found.seq, bytes(found.hash))

            def ask() -> AbstractContextManager[Session]:
                return nullcontext(session)

            asked = (ask, self._station)
            yield Snapshot(head, Reports(*asked), SingleRows(*asked), Labels(*asked), Pictures(*asked), Totals(*asked))

    def project(self, rows: list[Row]) -> None:
        """Takes rows in, with their counts and the cursor, in one transaction; what is here already is passed over."""
        with self._session() as session:
            days = self._intake.take_in(session, rows)
        self._intake.days |= days  # not before they are committed

    def restart(self) -> None:
        raise StoreForeign(
            f"{self._engine.url!r} holds station {self._station!r} of another journal: "
            "give this one a database of its own, or bring that journal back"
        )

    def empty(self) -> int:
        """Takes all rows of this station out, whichever journal they are of; how many. All or none."""
        with self._session() as session:
            return empty_station(session, self._station)

    def count_in(self, shifts: Shifts) -> None:
        """What is taken in from here on counts in these shifts."""
        self._intake.count_in(shifts)

    def history(self, question: Question) -> Iterator[Found]:
        """Inspections that match, newest first unless asked otherwise; read page by page, so it may be long."""
        left, place = question.limit, None
        while left is None or left > 0:
            asked = PAGE_ROWS if left is None else min(left, PAGE_ROWS)
            found = self.page(question, place, rows=asked)
            yield from found
            if len(found) < asked:
                return
            place = found[-1].place
            left = None if left is None else left - len(found)

    def page(self, question: Question, after: Place | None = None, *, rows: int = PAGE_ROWS) -> list[Found]:
        """The next so many that match; after a place that is as deep as you like. Fewer only at the end."""
        asked = matching(self._station, question)
        if after is not None:
            asked = asked.where(behind(after, oldest_first=question.oldest_first))
        with self._session() as session:
            first, last = session.execute(days_with_rows(self._station)).one()
            if first is None:
                return []
            days = asked_days(question, first, last, after)
            found: list[Any] = []
            for window in windows(days, oldest_first=question.oldest_first):
                found += session.execute(asked.where(within(window)).limit(rows - len(found))).all()
                if len(found) == rows:
                    break
            return self._with_crops(session, found)

    def models(self, named: str) -> list[str]:
        """The SHA-256 of each net of this name, or whose SHA-256 begins so."""
        asked = select(Model.sha256).where((Model.name == named) | Model.sha256.startswith(named, autoescape=True))
        with self._session() as session:
            return list(session.scalars(asked.order_by(Model.sha256)))

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
        asked = select(*columns, number_of(Defect), number_of(Crop), number_of(Crop, Crop.expired_by))
        asked = asked.where(Inspection.station == self._station, Inspection.seq > after)
        with self._session() as session:
            found = session.execute(asked.order_by(Inspection.seq).limit(PAGE_ROWS))
            return [
                Kept(seq, frame, slot, (was, why), (outcome, reason), corrected_by, *counts)
                for seq, frame, slot, was, why, outcome, reason, corrected_by, *counts in found
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
                (migrate if self._writes else check_tables)(self._engine)
                self._ready = True
            with Session(self._engine) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise StoreLost(f"audit: {str(error).splitlines()[0]}") from error

    def _with_crops(self, session: Session, inspections: list[Any]) -> list[Found]:
        crops: dict[int, list[str]] = {each.seq: [] for each in inspections}
        expired: dict[int, int] = {}
        asked: Select[*tuple[Any, ...]] = select(Crop.seq, Crop.sha256, Crop.expired_at).where(
            Crop.station == self._station,
            Crop.kind == "crop",
            Crop.seq.in_(crops),
            Crop.day.in_({each.day for each in inspections}),
        )
        for seq, sha256, expired_at in session.execute(asked.order_by(Crop.seq, Crop.number)) if crops else ():
            crops[seq].append(sha256)
            if expired_at is not None:
                expired[seq] = max(expired_at, expired.get(seq, 0))
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
                crops_expired_at=expired.get(each.seq),
            )
            for each in inspections
        ]


def open_audit(folder: Path, station: str) -> AuditStore | None:
    """The audit store for reading; None where nothing was ever written."""
    store = AuditStore(audit_url(folder), station, writes=False)
    if store.exists():
        return store
    store.close()
    return None
