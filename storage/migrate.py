"""Brings the audit store's tables up to this program's, all in one transaction, and refuses those of a newer one.

Only the recorder migrates. Who reads is told what to run.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

import structlog
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import Connection

from storage.partitions import LOCK
from storage.projection import StoreForeign
from storage.rollup_store import recount

FIRST = "0001"  # tables of this revision were made before there were revisions, and have no note of it
RECOUNTED = {"0002"}  # revisions whose tables of counts are to be filled from the rows
log = structlog.get_logger()


def migrate(engine: Engine) -> None:
    """Brings the tables up, or makes them. Broken off at any moment, it leaves what was there as it was.

    Raises `StoreForeign` where a newer program made them.
    """
    with engine.connect() as connection:
        if revision(connection) == newest_revision():
            return
    with engine.begin() as connection:
        _wait_for_others(connection)
        found = revision(connection)
        _refuse_unknown(engine, found)
        if found == newest_revision():
            return  # another recorder was first
        _upgrade(connection, found)
        if found is not None and RECOUNTED.intersection(_revisions_behind(found)):
            recount(connection)
    log.info("audit.migrated", before=found, now=newest_revision())


def check_tables(engine: Engine) -> None:
    """For those who only read: raises `StoreForeign` where the tables are not those of this program."""
    with engine.connect() as connection:
        found = revision(connection)
    _refuse_unknown(engine, found)
    if found != newest_revision():
        raise StoreForeign(
            f"{engine.url!r} has tables of revision {found}, this program reads {newest_revision()}: "
            "start the line once, its recorder brings them up: python run_line.py --station NAME"
        )


def revision(connection: Connection) -> str | None:
    """Of the tables that are here; None where there are none. Raises `StoreForeign` where nobody can say."""
    noted = MigrationContext.configure(connection).get_current_heads()
    found = max(noted, default=None)  # 0002, come from 0001, left the note of that one beside its own
    if found is None and inspect(connection).has_table("schema_version"):
        versions = list(connection.scalars(text("SELECT version FROM schema_version")))
        if versions not in ([], [1]):
            raise StoreForeign(f"{connection.engine.url!r} has tables of version {versions}, and no revision")
        return FIRST
    return found


def newest_revision() -> str:
    """The one that this program knows best."""
    head = _scripts().get_current_head()
    assert head is not None  # noqa: S101 - there is at least one
    return head


def _refuse_unknown(engine: Engine, found: str | None) -> None:
    known = {script.revision for script in _scripts().walk_revisions()}
    if found is not None and found not in known:
        raise StoreForeign(
            f"{engine.url!r} has tables of revision {found}, which a newer program made; "
            f"this one knows {', '.join(sorted(known))}: run the newer one"
        )


def _wait_for_others(connection: Connection) -> None:
    """Of two recorders at one server, one migrates; SQLite has locked the file already."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))  # a year is copied in one statement
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _upgrade(connection: Connection, found: str | None) -> None:
    """Runs what is missing."""
    scripts, context = _scripts(), MigrationContext.configure(connection)
    if found == FIRST and not context.get_current_heads():
        context.stamp(scripts, FIRST)  # before the steps: among them it would be a second note, and stay
    elif found is not None:
        connection.execute(text("DELETE FROM alembic_version WHERE version_num != :found"), {"found": found})

    def steps(_: Any, context: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", context.get_current_revision() or "base")  # alembic's own way to ask

    with EnvironmentContext(Config(), scripts, fn=steps, destination_rev="head") as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()


def _revisions_behind(found: str) -> set[str]:
    """What comes after this one."""
    return {script.revision for script in _scripts().iterate_revisions("head", found)}


@lru_cache(maxsize=1)
def _scripts() -> ScriptDirectory:
    """Read once: they are files of the package."""
    return ScriptDirectory(str(Path(__file__).parent / "migrations"))
