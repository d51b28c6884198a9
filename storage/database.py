"""Which database the audit store lies in, and how it is reached; what only one kind of database knows stands here."""

import os
import time
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Engine, FromClause, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from config.loader import ConfigError

BUSY_S = 0.1  # a locked SQLite is tried again by the recorder, which has other things to look at meanwhile
CONNECT_S = 2
READ_S = 30.0  # one statement of a reader: a question that takes longer was not meant, and holds the log
WRITE_MS = 10_000
STEPS = 10_000  # of SQLite's machine between two looks at the clock: less than a millisecond
DEAD_PEER = {  # a server whose host is gone says nothing: after so long it is lost, and the next one may be asked
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 5,
    "tcp_user_timeout": 8000,  # ms
}


def audit_url(folder: Path) -> str:
    """LINE_AUDIT_URL, or the SQLite file in this state folder."""
    return os.environ.get("LINE_AUDIT_URL") or f"sqlite:///{folder / 'audit.sqlite'}"


def open_engine(url: str, *, writes: bool) -> Engine:
    """Connects to nothing yet. Raises `ConfigError` for a URL that names no database.

    A reader can change nothing, whatever it asks, and no statement of its may run for more than `READ_S`.
    """
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        waits: dict[str, Any] = {"timeout": BUSY_S} if sqlite else {"connect_timeout": CONNECT_S}
        if parsed.get_backend_name() == "postgresql":
            given = parsed.query.get("options", "")
            most_ms = WRITE_MS if writes else round(1000 * READ_S)
            waits["options"] = f"{given} -c lock_timeout=1000 -c statement_timeout={most_ms}"
            if not writes:
                waits["options"] += " -c default_transaction_read_only=on"
            waits |= DEAD_PEER
        engine = create_engine(
            parsed,
            connect_args=waits,
            pool_pre_ping=not sqlite,
            json_serializer=_json,
            json_deserializer=msgspec.json.decode,
        )
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigError(f"LINE_AUDIT_URL: {error}") from error
    if sqlite:
        engine.dialect.statement_compiler = _HintedCompiler
        event.listen(engine, "connect", _prepare_sqlite)
        if writes:
            event.listen(engine, "begin", _begin_writing)
        else:
            event.listen(engine, "connect", _refuse_writes)
            event.listen(engine, "begin", _begin_reading)
            event.listen(engine, "before_cursor_execute", _limit_time)
    return engine


class _HintedCompiler(SQLiteCompiler):
    """SQLAlchemy knows hints, and that other databases have some; that SQLite has INDEXED BY it leaves out."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:  # noqa: ARG002 - SQLAlchemy calls it
        return text


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # sqlite3 would begin no transaction before a CREATE, and end one before it
    connection.execute("PRAGMA journal_mode = WAL")  # people read while the recorder writes
    connection.execute("PRAGMA synchronous = NORMAL")  # what a power loss takes comes again from the journal
    connection.execute("PRAGMA wal_autocheckpoint = 8000")  # 32 MiB: a catching-up recorder waits less for the disk
    connection.execute("PRAGMA cache_size = -65536")  # 64 MiB: the indexes of a year grow at many places at once


def _begin_writing(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # who reads first and writes then may find that another wrote since


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _refuse_writes(connection: Any, _: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _limit_time(connection: Connection, *_: object) -> None:
    """SQLite has no clock: it asks ours now and then, also while rows are fetched, and breaks off past the limit."""
    ends_s = time.monotonic() + READ_S
    driver: Any = connection.connection.dbapi_connection
    driver.set_progress_handler(lambda: time.monotonic() > ends_s, STEPS)
