"""How journal rows come into the audit store: rows, counts and cursor in one transaction, whatever comes twice."""

from typing import Any, cast

import structlog
from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from config.shifts import Shifts
from monitor.rows import (
    ActuatedBody,
    AlarmBody,
    CorrectionBody,
    PersonBody,
    PurgeBody,
    Row,
    RunBody,
    VerdictBody,
)
from storage import audit_rows, projection
from storage.apart import set_apart
from storage.audit_rows import ShiftClock, text
from storage.bulk import insert_rows
from storage.partitions import make_days
from storage.projection import StoreLost, bodies_of, following
from storage.retention_questions import expire
from storage.rollup_store import add_tally, verdict_facts
from storage.rollups import Tally
from storage.schema import DAY_NS, Actuation, Crop, Cursor, Defect, Inspection, Label, Model, Run

log = structlog.get_logger()

Keyed = type[Inspection | Defect | Crop | Actuation | Label | Run]


class Intake:
    """One station's; the caller has the transaction."""

    def __init__(self, station: str, shifts: Shifts) -> None:
        self._station = station
        self._clock = ShiftClock(shifts)
        self.days: set[int] = set()  # that are known to have their partitions

    def count_in(self, shifts: Shifts) -> None:
        """What comes from here on counts in these shifts."""
        self._clock = ShiftClock(shifts)

    def take_in(self, session: Session, rows: list[Row]) -> set[int]:
        """Writes what is new of these rows; the days whose partitions it made, or found."""
        rows = self._move_cursor(session, rows)
        if not rows:
            return set()
        station, bodies = self._station, bodies_of(rows)
        verdicts = [(row, body) for row, body in bodies if isinstance(body, VerdictBody)]
        runs = [(row, body) for row, body in bodies if isinstance(body, RunBody)]
        gates = [(row, body) for row, body in bodies if isinstance(body, ActuatedBody)]
        labels = [(row, body) for row, body in bodies if isinstance(body, PersonBody) and body.label]
        for row, body in bodies:
            if isinstance(body, AlarmBody) and body.set_aside:
                name = set_apart(session, station, body.set_aside, row.seq)
                log.warning("audit.set_apart", name=name, rows=f"{body.set_aside.last_seq + 1} to {row.seq - 1}")
        days = self._make_days(session, {audit_rows.day_of(body) for _, body in verdicts})
        seen = self._add(session, Inspection, [audit_rows.inspection(station, *v, self._clock) for v in verdicts])
        defects = [one for each in verdicts for one in audit_rows.defects(station, *each)]
        self._add(session, Defect, defects)
        self._add(session, Crop, [one for each in verdicts for one in audit_rows.crops(station, *each)])
        acts = self._add(session, Actuation, [audit_rows.actuation(station, *g, self._clock) for g in gates])
        self._add(session, Label, self._once(session, [audit_rows.label(station, *each) for each in labels]))
        for row, body in bodies:
            if isinstance(body, PurgeBody):
                expire(session.connection(), station, row, body)
        self._add(session, Run, [audit_rows.run(station, *each) for each in runs])
        for _, run in runs:
            if session.get(Model, run.model_sha256) is None:
                session.add(Model(sha256=run.model_sha256, name=run.model_name))
        tally = _tally(station, seen, defects, acts)
        corrections = [(row, body) for row, body in bodies if isinstance(body, CorrectionBody)]
        moved = bool(corrections) and self._correct(session, corrections, tally)
        add_tally(session.connection(), tally, station, moved=moved)
        return days

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

    def _make_days(self, session: Session, days: set[int]) -> set[int]:
        """Makes the partitions of these days, and of the day after, so that midnight finds its own; which are new."""
        new = {each for day in days for each in (day, day + 1)} - self.days
        if new:
            make_days(session.connection(), new)
        return new

    def _add(self, session: Session, table: Keyed, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Inserts what is not here yet, and says what that was: after a lost cursor everything comes once more."""
        if not rows:
            return []
        asked = select(table.seq).where(table.station == self._station)
        asked = asked.where(table.seq.between(rows[0]["seq"], rows[-1]["seq"]))
        if issubclass(table, Inspection | Defect | Crop):
            asked = asked.where(table.day.in_({row["day"] for row in rows}))
        here = set(session.scalars(asked))
        new = [row for row in rows if row["seq"] not in here]
        if new:
            insert_rows(session.connection(), cast(Table, table.__table__), new)
        return new

    def _once(self, session: Session, labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The first of each saying: one that was on its way when decision died may be in the journal twice."""
        first = {each["id"]: each for each in reversed(labels)}
        if not first:
            return []
        here = set(session.scalars(select(Label.id).where(Label.station == self._station, Label.id.in_(first))))
        return sorted((each for each in first.values() if each["id"] not in here), key=lambda each: each["seq"])

    def _correct(self, session: Session, corrections: list[tuple[Row, CorrectionBody]], tally: Tally) -> bool:
        """Gives verdicts the outcome that counts, and moves the counts; whether there was any."""
        seqs = sorted({body.corrects for _, body in corrections})
        days = sorted({(body.decided_at // DAY_NS) - back for _, body in corrections for back in (0, 1)})
        found = verdict_facts(session, self._station, seqs, days)
        if older := [seq for seq in seqs if seq not in found]:  # captured days before it was corrected
            found |= verdict_facts(session, self._station, older)
        standing = {seq: dict(facts) for seq, (facts, _) in found.items()}
        changed: set[int] = set()
        for row, body in corrections:
            verdict = standing.get(body.corrects)
            if verdict is None or (verdict["corrected_by"] or 0) >= row.seq:
                continue
            defects = found[body.corrects][1]
            tally.add(verdict, defects, -1)
            verdict |= {"outcome": text(row.outcome), "reason": text(row.reason), "corrected_by": row.seq}
            tally.add(verdict, defects)
            changed.add(body.corrects)
        if changed:
            columns = ("outcome", "reason", "corrected_by")
            session.connection().execute(
                update(cast(Table, Inspection.__table__))
                .where(Inspection.station == self._station, Inspection.seq == bindparam("at"))
                .where(Inspection.day == bindparam("on"))
                .values({column: bindparam(f"new_{column}") for column in columns}),
                [
                    {"at": seq, "on": standing[seq]["day"]} | {f"new_{c}": standing[seq][c] for c in columns}
                    for seq in sorted(changed)
                ],
            )
        return bool(changed)


def _tally(
    station: str, verdicts: list[dict[str, Any]], defects: list[dict[str, Any]], acts: list[dict[str, Any]]
) -> Tally:
    """What new rows add to the counts."""
    of_verdict: dict[int, list[dict[str, Any]]] = {}
    for defect in defects:
        of_verdict.setdefault(defect["seq"], []).append(defect)
    tally = Tally(station)
    for verdict in verdicts:
        tally.add(verdict, of_verdict.get(verdict["seq"], []))
    for act in acts:
        tally.add_gate(act)
    return tally
