"""Tables of before become those of now without loss; broken off at any moment, the old ones stay whole and usable."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

import storage.migrate
from storage.audit import AuditStore
from storage.database import open_engine
from storage.migrate import migrate, newest_revision
from storage.partitions import PARTITIONED
from storage.projection import StoreForeign
from storage.questions import Question
from storage.report_questions import Period
from storage.schema import Base

VERSION_1 = Path(__file__).parent / "version_1"  # dumps of databases that a program of version 1 wrote
TABLES = ("actuation", "crop", "cursor", "defect", "inspection", "model", "run")


@pytest.fixture
def old(url: str) -> str:
    """A database of version 1, with 35 verdicts over three days."""
    with connected(url) as connection:
        script = (VERSION_1 / f"{connection.dialect.name}.sql").read_text()
        raw: Any = connection.connection.dbapi_connection
        raw.executescript(script) if connection.dialect.name == "sqlite" else raw.execute(script)
    return url


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A transaction of somebody else's."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def migrated(url: str) -> None:
    engine = open_engine(url, writes=True)
    migrate(engine)
    engine.dispose()


def rows_of(url: str, columns: dict[str, list[str]] | None = None) -> dict[str, list[str]]:
    """Every row of the tables of version 1, as text; of these columns."""
    found = {}
    with connected(url) as connection:
        for table in TABLES:
            rows = connection.execute(text(f"SELECT * FROM {table}")).mappings()
            names = None if columns is None else columns[table]
            found[table] = sorted(str([(n, row[n]) for n in sorted(names or map(str, row))]) for row in rows)
    return found


def columns_of(url: str) -> dict[str, list[str]]:
    with connected(url) as connection:
        inspector = inspect(connection)
        return {table: [column["name"] for column in inspector.get_columns(table)] for table in TABLES}


def differences(connection: Connection) -> list[Any]:
    """Between the tables that are there and those of the models."""

    def ours(_: Any, name: str | None, kind: str, *__: Any) -> bool:
        return kind != "table" or not re.search(r"_\d{8}$|^schema_version$", name or "")  # but for a day's partition

    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": ours})
    return list(compare_metadata(context, Base.metadata))


def test_new_tables_are_those_of_the_models(url: str) -> None:
    migrated(url)

    with connected(url) as connection:
        assert differences(connection) == []


def test_a_missing_index_or_column_would_be_seen(url: str) -> None:
    migrated(url)

    with connected(url) as connection:
        connection.execute(text("DROP INDEX inspection_by_camera"))
        connection.execute(text("ALTER TABLE run ADD COLUMN extra INTEGER"))
        assert {each[0] for each in differences(connection)} == {"add_index", "remove_column"}


def test_version_1_becomes_what_it_is_now_without_loss(old: str) -> None:
    columns, before = columns_of(old), rows_of(old)

    store = AuditStore(old, "rail-03")
    found = list(store.history(Question()))

    assert rows_of(old, columns) == before
    assert len(found) == len(before["inspection"]) == 35
    cursor = store.cursor()
    assert cursor is not None
    assert str(cursor.seq) in before["cursor"][0]
    with connected(old) as connection:
        assert differences(connection) == []
    store.close()


def test_revision_2_gets_labels_and_expiry_and_keeps_the_rest(old: str) -> None:
    migrated(old)
    with connected(old) as connection:
        for statement in (
            "DROP TABLE label",
            "DROP INDEX crop_kept",
            "ALTER TABLE crop DROP COLUMN expired_by",
            "ALTER TABLE crop DROP COLUMN expired_at",
        ):
            connection.execute(text(statement))
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))  # as a program of 0002 left it
    columns, before = columns_of(old), rows_of(old)

    migrated(old)

    assert rows_of(old, columns) == before
    with connected(old) as connection:
        assert differences(connection) == []
        assert list(connection.scalars(text("SELECT version_num FROM alembic_version"))) == ["0004"]


def test_what_was_brought_up_is_opened_again(old: str) -> None:
    migrated(old)

    store = AuditStore(old, "rail-03")

    assert len(list(store.history(Question()))) == 35
    store.close()


def test_verdicts_of_version_1_are_counted(old: str) -> None:
    store = AuditStore(old, "rail-03")
    found = list(store.history(Question()))

    counts = store.reports.quality(Period(0, 2**62))

    by_outcome: dict[str, int] = {}
    for count in counts:
        by_outcome[count.outcome] = by_outcome.get(count.outcome, 0) + count.verdicts
    assert by_outcome == {o: sum(each.outcome == o for each in found) for o in ("PASS", "REJECT", "NOT_INSPECTED")}
    assert len({count.starts_at for count in counts}) == 9  # shifts in which the line ran
    store.close()


def test_who_reads_migrates_nothing_and_says_what_to_run(old: str, folder: Path) -> None:
    before = rows_of(old)
    store = AuditStore(old, "rail-03", writes=False)

    with pytest.raises(StoreForeign, match=r"revision 0001.*reads 0004.*run_line.py --station"):
        list(store.history(Question()))

    assert rows_of(old) == before
    store.close()


@pytest.mark.parametrize("writes", [True, False])
def test_row_71_tables_of_a_newer_program_are_refused(url: str, writes: bool) -> None:
    migrated(url)
    with connected(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0099'"))
    store = AuditStore(url, "rail-03", writes=writes)

    with pytest.raises(StoreForeign, match="0099, which a newer program made"):
        store.cursor()

    store.close()


def test_a_program_of_version_1_would_refuse_these(url: str) -> None:
    """It reads this table and knows 1 alone."""
    migrated(url)

    with connected(url) as connection:
        assert list(connection.scalars(text("SELECT version FROM schema_version"))) == [2]


def test_a_version_that_no_program_wrote_is_refused(old: str) -> None:
    with connected(old) as connection:
        connection.execute(text("UPDATE schema_version SET version = 7"))
    store = AuditStore(old, "rail-03")

    with pytest.raises(StoreForeign, match=r"\[7\]"):
        store.cursor()

    store.close()


def test_row_71_killed_at_any_statement_the_old_tables_are_whole_and_the_next_start_migrates(old: str) -> None:
    columns, before = columns_of(old), rows_of(old)
    step = 1 if old.startswith("sqlite") else 4  # a server takes a while to see that its client is dead
    statement, said = 0, "killed"

    with Breaker(old) as breaker:
        while said == "killed":
            assert rows_of(old) == before
            statement += step
            said = breaker.at(statement)

    assert said == "done"
    assert statement > 60
    assert rows_of(old, columns) == before


def test_without_one_transaction_a_kill_would_leave_half(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: what a statement did stays, so the tables are neither those of before nor those of now."""
    engine = create_engine(old, isolation_level="AUTOCOMMIT")
    monkeypatch.setattr(storage.migrate, "_wait_for_others", lambda _: None)
    monkeypatch.setattr(storage.migrate, "recount", lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        migrate(engine)

    with engine.connect() as connection:
        assert "verdict_rollup" in inspect(connection).get_table_names()
    engine.dispose()


def test_a_migration_that_fails_is_undone(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows_of(old)
    with monkeypatch.context() as patch:
        patch.setattr(storage.migrate, "recount", lambda _: 1 / 0)
        store = AuditStore(old, "rail-03")
        with pytest.raises(ZeroDivisionError):
            store.cursor()
        store.close()

    assert rows_of(old) == before
    store = AuditStore(old, "rail-03")
    assert len(list(store.history(Question()))) == 35
    store.close()


def test_each_day_of_capture_has_its_partition(old: str, request: pytest.FixtureRequest) -> None:
    migrated(old)

    with connected(old) as connection:
        names = inspect(connection).get_table_names()

    days = ["20260921", "20260922", "20260923", "20260924"] if old.startswith("postgresql") else []
    assert sorted(n for n in names if re.search(r"_\d{8}$", n)) == sorted(f"{t}_{d}" for t in PARTITIONED for d in days)


def test_migrations_are_part_of_the_package() -> None:
    folder = Path(storage.migrate.__file__).parent / "migrations" / "versions"

    assert (folder / "__init__.py").exists()  # setuptools takes packages, and all their modules
    assert newest_revision() == max(p.name[1:5] for p in folder.glob("v*.py"))


class Breaker:
    """The child of breaker.py."""

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", "tests.storage.breaker", url]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def at(self, statement: int) -> str:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{statement}\n")
        self._child.stdin.flush()
        for line in self._child.stdout:
            if (said := line.strip()) in {"killed", "done", "failed"}:
                return said
        raise AssertionError("the child is gone")

    def __enter__(self) -> "Breaker":
        return self

    def __exit__(self, *_: object) -> None:
        self._child.communicate(timeout=10)
