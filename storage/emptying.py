"""Takes a station's rows out of the audit store, all in one transaction; those of other stations stay."""

from sqlalchemy import Table, delete, or_, select, text
from sqlalchemy.orm import Session

from storage.schema import Base, Cursor


def empty_station(session: Session, station: str) -> int:
    """Deletes every row of this station, its counts and its cursor too; how many verdict and other rows went.

    Nets stay: they are nobody's, and the same for all. Broken off, it leaves everything as it was.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL statement_timeout = 0"))  # a year goes in a few statements
    session.execute(delete(Cursor).where(Cursor.station == station))  # first: another recorder then waits, and fails
    return sum(_empty(session, table, station) for table in of_stations() if table.name != Cursor.__tablename__)


def of_stations() -> list[Table]:
    """The tables whose rows belong to a station."""
    return [table for table in Base.metadata.sorted_tables if "station" in table.columns]


def _empty(session: Session, table: Table, station: str) -> int:
    column = table.columns["station"]
    emptied = delete(table).where(column == station)
    if session.get_bind().dialect.name == "sqlite":  # where nobody else writes meanwhile
        others = select(column).where(or_(column < station, column > station)).limit(1)
        if session.execute(others).first() is None:
            emptied = delete(table)  # alone, SQLite drops the pages without looking into them
    return int(session.connection().execute(emptied).rowcount)
