"""Days of the audit store in PostgreSQL: each large table has a partition for each, made by the recorder in time."""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.engine import Connection

from storage.schema import Crop, Defect, Inspection

PARTITIONED = tuple(table.__tablename__ for table in (Inspection, Defect, Crop))
LOCK = 0x6C696E65  # of those who make partitions or migrate, in this database: two recorders may share it


def make_days(connection: Connection, days: Iterable[int]) -> None:
    """Makes what is not there yet of these days, since 1970, in the caller's transaction; nothing to do in SQLite."""
    if connection.dialect.name != "postgresql":
        return
    missing = [
        (table, day) for day in sorted(set(days)) for table in PARTITIONED if not _is_there(connection, table, day)
    ]
    if not missing:
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    for table, day in missing:
        if not _is_there(connection, table, day):  # another recorder may have made it while we waited
            name = partition_of(table, day)
            # attached, not created in place: that would wait for everyone who reads the table, and they for us
            connection.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
            connection.execute(
                text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({day}) TO ({day + 1})")
            )


def partition_of(table: str, day: int) -> str:
    """The name of a day's partition, as inspection_20260921."""
    return f"{table}_{date(1970, 1, 1) + timedelta(days=day):%Y%m%d}"


def _is_there(connection: Connection, table: str, day: int) -> bool:
    return connection.scalar(text("SELECT to_regclass(:name)"), {"name": partition_of(table, day)}) is not None
