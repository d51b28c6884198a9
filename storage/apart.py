"""What SQL had taken in of rows that the journal has lost since: kept whole, under a name of its own.

The station's rows are those of its journal, always; what lies in SQL alone would count some triggers twice, as the
next start closes them anew. So it becomes `rail-03~2000001`, by the row that says what was lost; no station has such
a name.
"""

from typing import cast

from sqlalchemy import Table, select, text, update
from sqlalchemy.orm import Session

from monitor.rows import SetAside
from storage.rollup_store import add_tally, verdict_facts
from storage.rollups import Tally
from storage.schema import Actuation, Crop, Defect, Inspection, Label, Run

CHUNK_ROWS = 1000
TABLES = (Inspection, Defect, Crop, Actuation, Label, Run)


def set_apart(session: Session, station: str, said: SetAside, seq: int) -> str:
    """Renames the rows between the last sound one and row `seq`, which says so; the name that they have now.

    Their counts go with them, and what they had corrected or purged stands as it was.
    """
    name = f"{station}~{seq}"
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL statement_timeout = 0"))  # once, and it may be a year
    ours, theirs = Tally(station), Tally(name)
    lost = (Inspection.station == station, Inspection.seq > said.last_seq, Inspection.seq < seq)
    for seqs in _chunks(list(session.scalars(select(Inspection.seq).where(*lost)))):
        for verdict, defects in verdict_facts(session, station, seqs).values():
            ours.add(verdict, defects, -1)
            theirs.add(verdict, defects)
    gates = select(Actuation.at, Actuation.shift_at, Actuation.late_ms).where(
        Actuation.station == station, Actuation.seq > said.last_seq, Actuation.seq < seq
    )
    for act in session.execute(gates).mappings():
        ours.add_gate(act, -1)
        theirs.add_gate(act)
    for table in TABLES:
        session.connection().execute(
            update(cast(Table, table.__table__))
            .where(table.station == station, table.seq > said.last_seq, table.seq < seq)
            .values(station=name)
        )
    _uncorrect(session, station, said.last_seq, seq, ours)
    session.connection().execute(
        update(cast(Table, Crop.__table__))  # gone they are: the next sweep writes a tombstone that lasts
        .where(Crop.station == station, Crop.expired_by > said.last_seq, Crop.expired_by < seq)
        .values(expired_by=None, expired_at=None)
    )
    add_tally(session.connection(), ours, station, moved=True)
    add_tally(session.connection(), theirs, name, moved=False)
    return name


def _uncorrect(session: Session, station: str, after: int, before: int, tally: Tally) -> None:
    """Verdicts that a lost row had corrected."""
    touched = (Inspection.station == station, Inspection.corrected_by > after, Inspection.corrected_by < before)
    seqs = list(session.scalars(select(Inspection.seq).where(*touched)))
    for chunk in _chunks(seqs):
        for verdict, defects in verdict_facts(session, station, chunk).values():
            tally.add(verdict, defects, -1)
    stands = {"outcome": Inspection.original_outcome, "reason": Inspection.original_reason, "corrected_by": None}
    session.connection().execute(update(cast(Table, Inspection.__table__)).where(*touched).values(stands))
    for chunk in _chunks(seqs):
        for verdict, defects in verdict_facts(session, station, chunk).values():
            tally.add(verdict, defects)


def _chunks(seqs: list[int]) -> list[list[int]]:
    return [seqs[at : at + CHUNK_ROWS] for at in range(0, len(seqs), CHUNK_ROWS)]
