"""Many rows at once: the statement is compiled once, and the driver takes the values as they are.

SQLAlchemy works through each value of each row again; taking in a journal, that was half of the time.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import JSON, Dialect, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.sql.compiler import SQLCompiler

_encoder = msgspec.json.Encoder()


class Statement(NamedTuple):
    """As the driver has it."""

    sql: str
    names: tuple[str, ...]  # of its values, in its order
    by_name: bool  # the driver wants them by name
    as_json: tuple[str, ...]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each row gives every column of the table."""
    _execute(connection, _inserting(table, connection.dialect), rows)


def add_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows of counts, or adds to those that are there: every column outside the key is a sum."""
    _execute(connection, _adding(table, connection.dialect), rows)


def _execute(connection: Connection, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
    if statement.as_json:
        rows = [{**row, **{name: _encoder.encode(row[name]).decode() for name in statement.as_json}} for row in rows]
    if statement.by_name:
        connection.exec_driver_sql(statement.sql, [dict(row) for row in rows])
    else:
        connection.exec_driver_sql(statement.sql, list(map(itemgetter(*statement.names), rows)))


@lru_cache(maxsize=64)
def _inserting(table: Table, dialect: Dialect) -> Statement:
    return _compiled(insert(table), table, dialect)


@lru_cache(maxsize=64)
def _adding(table: Table, dialect: Dialect) -> Statement:
    upsert = (postgresql if dialect.name == "postgresql" else sqlite).insert(table)
    sums = [column for column in table.columns if not column.primary_key]
    adding = upsert.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={column.name: column + upsert.excluded[column.name] for column in sums},
    )
    return _compiled(adding, table, dialect)


def _compiled(statement: Any, table: Table, dialect: Dialect) -> Statement:
    names = [column.name for column in table.columns]
    compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=names)
    order = compiled.positiontup
    return Statement(
        sql=str(compiled),
        names=tuple(order or names),
        by_name=order is None,
        as_json=tuple(column.name for column in table.columns if isinstance(column.type, JSON)),
    )
