"""Which database the audit store lies in, and how it is reached; what only one kind of database knows stands here."""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.orm import Session

from config.loader import ConfigError
from storage.projection import StoreForeign
from storage.schema import SCHEMA_VERSION, SchemaVersion

BUSY_S = 0.1  # a locked SQLite is tried again by the recorder, which has other things to look at meanwhile
CONNECT_S = 2


def audit_url(folder: Path) -> str:
    """LINE_AUDIT_URL, or the SQLite file in this state folder."""
    return os.environ.get("LINE_AUDIT_URL") or f"sqlite:///{folder / 'audit.sqlite'}"


def open_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        waits: dict[str, Any] = {"timeout": BUSY_S} if sqlite else {"connect_timeout": CONNECT_S}
        if parsed.get_backend_name() == "postgresql":
            given = parsed.query.get("options", "")
            waits["options"] = f"{given} -c lock_timeout=1000 -c statement_timeout=10000"
        engine = create_engine(parsed, connect_args=waits, pool_pre_ping=not sqlite)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigError(f"LINE_AUDIT_URL: {error}") from error
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
    return engine


def check_version(engine: Engine) -> None:
    """Refuses tables of another version; new ones get this program's."""
    with Session(engine) as session, session.begin():
        versions = list(session.scalars(select(SchemaVersion.version)))
        if not versions:
            session.add(SchemaVersion(version=SCHEMA_VERSION))
        elif versions != [SCHEMA_VERSION]:
            raise StoreForeign(f"{engine.url!r} has tables of version {versions}, this program knows {SCHEMA_VERSION}")


def _prepare_sqlite(connection: Any, _: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")  # people read while the recorder writes
    connection.execute("PRAGMA synchronous = NORMAL")  # what a power loss takes comes again from the journal
