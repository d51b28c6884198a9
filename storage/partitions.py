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
    wanted = {partition_of(table, day): (table, day) for day in sorted(set(days)) for table in PARTITIONED}
    if not wanted.keys() - _there(connection):
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    there = _there(connection)  # another recorder may have made some while we waited
    for name, (table, day) in wanted.items():
        if name not in there:
            # attached, not created in place: that would wait for everyone who reads the table, and they for us
            connection.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
            bounds = f"FROM ({day}) TO ({day + 1})"
            connection.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {bounds}"))


def partition_of(table: str, day: int) -> str:
    """The name of a day's partition, as inspection_20260921."""
    return f"{table}_{date(1970, 1, 1) + timedelta(days=day):%Y%m%d}"


def _there(connection: Connection) -> set[str]:
    """Every partition, as committed: to_regclass would answer from what this session remembers."""
    parents = ", ".join(f"'{table}'::regclass" for table in PARTITIONED)
    asked = f"SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent IN ({parents})"  # noqa: S608
    return set(connection.exec_driver_sql(asked).scalars())
