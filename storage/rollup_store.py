"""The counts in SQL: added to in the transaction that writes the rows, and made anew from them."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sqlalchemy import Table as SqlTable
from sqlalchemy import delete, select
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from storage.bulk import add_rows
from storage.rollups import SPANS, Table, Tally
from storage.schema import Actuation, Defect, Inspection

CHUNK_ROWS = 2000
VERDICT_COLUMNS = (
    Inspection.seq, Inspection.day, Inspection.captured_at, Inspection.shift_at, Inspection.camera, Inspection.outcome,
    Inspection.reason, Inspection.corrected_by, Inspection.grey, Inspection.width, Inspection.height,
    Inspection.measures, Inspection.area_mm2, Inspection.score, Inspection.latency_ms,
)  # fmt: skip
DEFECT_COLUMNS = (
    Defect.seq, Defect.x, Defect.y, Defect.width, Defect.height, Defect.area_mm2, Defect.zone, Defect.ignored,
)  # fmt: skip


def add_tally(connection: Connection, tally: Tally, station: str, *, moved: bool) -> None:
    """Adds to the counts what changed; `moved`: something was taken away, so that a count may have come to nothing."""
    for table in SPANS:
        rows = list(tally.rows(table))
        if not rows:
            continue
        add_rows(connection, _table(table), rows)
        if moved:
            count = next(column for column in _table(table).columns if not column.primary_key)
            taken = [row for row in rows if row[count.name] < 0]
            spans, starts = ({row[name] for row in taken} for name in ("span", "starts_at"))
            connection.execute(
                delete(table).where(
                    table.station == station,
                    table.span.in_(
                        sorted(spans)
                    ),  # without it the key leads nowhere, and all counts are looked through
                    table.starts_at.in_(sorted(starts)),
                    count == 0,
                )
            )


def verdict_facts(
    connection: Connection | Session, station: str, seqs: Sequence[int], days: Sequence[int] | None = None
) -> dict[int, tuple[RowMapping, list[RowMapping]]]:
    """What these verdicts count with, as they stand, by seq; `days` of capture where they are known."""
    asked = select(*VERDICT_COLUMNS).where(Inspection.station == station, Inspection.seq.in_(seqs))
    if days is not None:
        asked = asked.where(Inspection.day.in_(days))
    found = {row["seq"]: row for row in connection.execute(asked).mappings()}
    defects = defects_of(connection, station, list(found.values()))
    return {seq: (row, defects.get(seq, [])) for seq, row in found.items()}


def defects_of(
    connection: Connection | Session, station: str, verdicts: Sequence[RowMapping]
) -> dict[int, list[RowMapping]]:
    """The defects of these verdicts, by seq."""
    asked = select(*DEFECT_COLUMNS).where(
        Defect.station == station,
        Defect.seq.in_([row["seq"] for row in verdicts]),
        Defect.day.in_(sorted({row["day"] for row in verdicts})),
    )
    defects: dict[int, list[RowMapping]] = {}
    for row in connection.execute(asked).mappings():
        defects.setdefault(row["seq"], []).append(row)
    return defects


def recount(connection: Connection) -> None:
    """Makes the counts of every station anew from its rows."""
    for table in SPANS:
        connection.execute(delete(table))
    for station in list(connection.scalars(select(Inspection.station).distinct())):
        asked = select(*VERDICT_COLUMNS).where(Inspection.station == station)
        for verdicts in _chunks(connection, asked):
            tally = Tally(station)
            defects = defects_of(connection, station, verdicts)
            for verdict in verdicts:
                tally.add(verdict, defects.get(verdict["seq"], []))
            add_tally(connection, tally, station, moved=False)
    for station in list(connection.scalars(select(Actuation.station).distinct())):
        gates = select(Actuation.at, Actuation.shift_at, Actuation.late_ms).where(Actuation.station == station)
        for acts in _chunks(connection, gates):
            tally = Tally(station)
            for act in acts:
                tally.add_gate(act)
            add_tally(connection, tally, station, moved=False)


def _chunks(connection: Connection, asked: Any) -> Iterator[Sequence[RowMapping]]:
    """Never more than a chunk of the answer at once."""
    asked = asked.execution_options(stream_results=True, yield_per=CHUNK_ROWS)
    with connection.execute(asked) as found:
        yield from found.mappings().partitions(CHUNK_ROWS)


def _table(table: Table) -> SqlTable:
    return cast(SqlTable, table.__table__)
