"""Every store has every row in the end, whichever of them was away, and none waits for another."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.loader import load_station
from monitor.lifeline import Drain, Lifeline, Ready, Rope
from storage.audit import AuditStore, open_audit
from storage.counts import count_run, live_count
from storage.images import ImageStore
from storage.journal import SqliteJournal, open_journal
from storage.recorder import run_recorder
from tests.storage.builders import RUN, a_png, a_run, a_verdict, sha256_of
from tests.storage.conftest import Valkey


class Recorder:
    """`run_recorder` in a thread, its rope in our hand."""

    def __init__(self, live_url: str | None = None) -> None:
        self.rope = Rope()
        self.projected: list[int] = []
        self.failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(Lifeline(self.rope.theirs), live_url), daemon=True)
        self._thread.start()
        until(lambda: any(isinstance(note, Ready) for note in self.rope.notes()[0]))

    def drain(self) -> float:
        """Seconds until it has ended."""
        begun_s = time.monotonic()
        self.rope.order(Drain())
        self._thread.join(10)
        assert not self._thread.is_alive()
        self.rope.cut()
        self.rope.theirs.close()
        if self.failure is not None:
            raise self.failure
        return time.monotonic() - begun_s

    def _run(self, lifeline: Lifeline, live_url: str | None) -> None:
        try:
            run_recorder(lifeline, load_station("rail-03"), live_url=live_url, projected=self.projected.append)
        except Exception as error:
            self.failure = error


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def inspect(journal: SqliteJournal, slots: range) -> None:
    for slot in slots:
        png = a_png(slot)
        journal.append([a_verdict(slot, picture=png)], {sha256_of(png): png})


@pytest.fixture
def audit(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuditStore]:
    monkeypatch.setenv("LINE_AUDIT_URL", url)
    store = AuditStore(url, "rail-03")
    store.cursor()  # makes the tables
    yield store
    store.close()


def test_every_store_has_every_row(journal: SqliteJournal, folder: Path, valkey: Valkey, audit: AuditStore) -> None:
    journal.append([a_run(first_slots={"head": 1})])
    inspect(journal, range(1, 21))
    recorder = Recorder(valkey.url)
    inspect(journal, range(21, 41))

    recorder.drain()

    assert audit.count(RUN) == 40
    assert ImageStore(folder).count() == count_run(folder, RUN).pictures == 40
    assert live_count(folder, RUN) == 40
    assert recorder.projected[-1] == 41
    assert recorder.projected == sorted(set(recorder.projected))


def test_rows_arrive_within_moments(journal: SqliteJournal, audit: AuditStore) -> None:
    recorder = Recorder()

    for slot in range(1, 6):
        inspect(journal, range(slot, slot + 1))
        begun_s = time.monotonic()
        until(lambda slot=slot: audit.count(RUN) == slot)  # type: ignore[misc]
        assert time.monotonic() - begun_s < 1.0

    recorder.drain()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)  # tests of PostgreSQL that is away have files of their own
def test_a_locked_audit_store_delays_no_other_and_catches_up(
    journal: SqliteJournal, folder: Path, valkey: Valkey, audit: AuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    locker = sqlite3.connect(folder / "audit.sqlite", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    recorder = Recorder(valkey.url)
    inspect(journal, range(1, 11))

    until(lambda: bool(recorder.projected) and recorder.projected[-1] == 10, 2.0)
    with valkey.client as client:
        until(lambda: client.hget("line:rail-03:runs", RUN) == b"10", 2.0)
    time.sleep(1.0)
    locker.execute("ROLLBACK")
    locker.close()

    until(lambda: audit.count(RUN) == 10)
    recorder.drain()
    said = capsys.readouterr().out
    assert said.count("store.lost") == 1
    assert said.count("store.back") == 1


def test_a_redis_that_was_away_and_lost_everything_gets_it_again(journal: SqliteJournal, valkey: Valkey) -> None:
    recorder = Recorder(valkey.url)
    inspect(journal, range(1, 6))
    with valkey.client as client:
        until(lambda: client.hget("line:rail-03:runs", RUN) == b"5")
    valkey.kill()
    for path in (valkey.home / "appendonlydir").iterdir():
        path.unlink()
    inspect(journal, range(6, 11))
    time.sleep(0.3)

    valkey.start()

    with valkey.client as client:
        until(lambda: client.hget("line:rail-03:runs", RUN) == b"10")
    recorder.drain()


def test_the_end_comes_though_a_store_is_away(journal: SqliteJournal, audit: AuditStore) -> None:
    recorder = Recorder("unix:///nowhere/redis")
    inspect(journal, range(1, 11))

    assert recorder.drain() < 5.0

    assert audit.count(RUN) == 10


def test_what_another_journal_left_in_redis_gives_way(folder: Path, valkey: Valkey) -> None:
    with valkey.client as client:
        client.set("line:rail-03:cursor", f"500:{'00' * 32}")
        client.hset("line:rail-03:counters", "triggers", "500")
    with open_journal(folder) as journal:
        recorder = Recorder(valkey.url)
        inspect(journal, range(1, 6))

        with valkey.client as client:
            until(lambda: client.hget("line:rail-03:counters", "triggers") == b"5")
        recorder.drain()


def test_what_another_journal_left_in_sql_is_kept_and_nothing_mixed_in(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "rail-03"
    other.mkdir(parents=True)
    with open_journal(other) as journal:
        inspect(journal, range(1, 4))
    (folder / "journal").parent.mkdir(exist_ok=True)
    (other / "journal").rename(folder / "journal")
    Recorder().drain()
    (folder / "journal").rename(other / "journal")

    with open_journal(folder) as journal:
        inspect(journal, range(11, 20))
        Recorder().drain()

    kept = open_audit(folder, "rail-03")
    assert kept is not None
    assert [each.slot for each in kept.kept(0)] == [1, 2, 3]
    kept.close()


def test_a_fault_of_a_follower_ends_the_process(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ImageStore, "project", broken)
    recorder = Recorder()
    inspect(journal, range(1, 2))

    with pytest.raises(ZeroDivisionError):
        recorder.drain()
