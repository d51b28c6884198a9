"""PostgreSQL stopped, slow or replaced in a run: rows wait in the journal, no other store waits, each comes once."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import storage.follower
import storage.intake
from monitor.rows import Row
from storage.audit import AuditStore
from storage.follower import Follower
from storage.journal import SqliteJournal
from tests.storage.builders import RUN
from tests.storage.conftest import missing
from tests.storage.faulty import Watcher, pictures_to
from tests.storage.roads import Road, Server, passed_once
from tests.storage.test_recorder import Recorder, inspect, until

PROGRAMS = ("initdb", "pg_ctl", "pg_basebackup")


@pytest.fixture
def programs() -> Path:
    """Where PostgreSQL's own lie."""
    named = [Path(found).parent for name in PROGRAMS if (found := shutil.which(name))]
    folders = [*named, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    for folder in folders:
        if all((folder / name).exists() for name in PROGRAMS):
            return folder
    missing(f"PostgreSQL's own programs ({', '.join(PROGRAMS)})")
    raise AssertionError


@pytest.fixture
def server(programs: Path) -> Iterator[Server]:
    started = Server(programs, "postgres" if os.getuid() == 0 else None)
    yield started
    started.stop()
    shutil.rmtree(started.home)


@pytest.fixture
def copy(programs: Path, server: Server) -> Iterator[Server]:
    """A copy that follows the server."""
    started = Server(programs, "postgres" if os.getuid() == 0 else None, copy_of=server)
    yield started
    started.stop()
    shutil.rmtree(started.home)


def said(watcher: Watcher, name: str) -> bool:
    return (name, "audit") in watcher.look()


def rows_in(server: Server) -> int:
    store = AuditStore(server.url, "rail-03", writes=False)
    try:
        return store.count(RUN) if store.exists() else 0
    finally:
        store.close()


def all_once(server: Server, number: int) -> bool:
    store = AuditStore(server.url, "rail-03")
    try:
        return passed_once(store, number)
    finally:
        store.close()


def test_row_65_stopped_its_rows_wait_in_the_journal_and_come_once(
    journal: SqliteJournal, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINE_AUDIT_URL", server.url)
    recorder = Recorder()
    watcher = Watcher(recorder, after_s=0.5)
    inspect(journal, range(1, 21))
    until(lambda: rows_in(server) == 20, 20.0)

    server.stop()
    inspect(journal, range(21, 61))
    until(lambda: said(watcher, "store.lag"))
    until(lambda: pictures_to(recorder, 60))
    assert watcher.lags["audit"].rows == 40
    server.start()

    until(lambda: said(watcher, "store.back"), 20.0)
    recorder.drain()
    assert watcher.said == [("store.lag", "audit"), ("store.back", "audit")]
    assert all_once(server, 60)


def test_row_65_slow_it_is_behind_and_no_other_store_waits(journal: SqliteJournal, road: Road, postgres: str) -> None:
    direct = AuditStore(postgres, "rail-03")
    direct.cursor()  # makes the tables
    road.slow_s = 0.05
    road.open()
    recorder = Recorder()
    watcher = Watcher(recorder, after_s=0.5)
    inspect(journal, range(1, 31))

    until(lambda: pictures_to(recorder, 30), 3.0)
    until(lambda: said(watcher, "store.lag"), 20.0)

    road.slow_s = 0.0
    until(lambda: said(watcher, "store.back"), 20.0)
    recorder.drain()
    assert passed_once(direct, 30)
    direct.close()


def fail_over(journal: SqliteJournal, server: Server, copy: Server, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """The copy takes over, and lacks the last 20 rows that the server had taken in."""
    both = f"postgresql+psycopg://postgres@/postgres?host={server.home}&host={copy.home}"
    monkeypatch.setenv("LINE_AUDIT_URL", f"{both}&target_session_attrs=read-write")
    recorder = Recorder()
    inspect(journal, range(1, 21))
    until(lambda: rows_in(copy) == 20, 20.0)
    copy.stop()
    inspect(journal, range(21, 41))
    until(lambda: rows_in(server) == 40, 20.0)
    server.stop()
    copy.start()
    copy.promote()
    inspect(journal, range(41, 61))
    return recorder


def test_row_65_failed_over_to_a_copy_that_lacks_rows_each_comes_once(
    journal: SqliteJournal, server: Server, copy: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = fail_over(journal, server, copy, monkeypatch)

    until(lambda: rows_in(copy) == 60, 20.0)

    recorder.drain()
    assert all_once(copy, 60)


def test_row_65_going_on_where_it_was_would_leave_a_hole(
    journal: SqliteJournal, server: Server, copy: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody asks the store how far it is."""
    taken = [0]

    def blind(_: object, rows: list[Row]) -> list[Row]:
        taken.append(rows[-1].seq)
        return rows

    monkeypatch.setattr(storage.follower, "begin", lambda *_: taken[-1])
    monkeypatch.setattr(Follower, "_look", lambda *_: None)
    monkeypatch.setattr(storage.intake, "following", blind)
    recorder = fail_over(journal, server, copy, monkeypatch)

    until(lambda: rows_in(copy) == 40, 20.0)

    recorder.drain()
    assert not all_once(copy, 60)
