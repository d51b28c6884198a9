"""PostgreSQL down, slow, cut off or replaced: the outbox grows, no other store waits, and each row arrives once."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

import storage.partitions
from monitor.messages import Outcome
from storage.audit import AuditStore
from storage.journal import SqliteJournal
from storage.partitions import PARTITIONED, make_days, partition_of
from storage.report_questions import Period
from storage.schema import DAY_NS
from tests.storage.builders import NOON, RUN, a_correction, a_verdict
from tests.storage.chained import chained
from tests.storage.conftest import Valkey
from tests.storage.roads import Road, passed_once
from tests.storage.test_migrate import connected
from tests.storage.test_recorder import Recorder, inspect, until


@pytest.fixture
def audit(postgres: str, road: Road) -> Iterator[AuditStore]:
    """The same store, by the direct way."""
    store = AuditStore(postgres, "rail-03")
    store.cursor()
    yield store
    store.close()


def test_a_server_that_is_down_delays_no_other_store_and_catches_up(
    journal: SqliteJournal, valkey: Valkey, road: Road, audit: AuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder(valkey.url)
    inspect(journal, range(1, 31))

    until(lambda: bool(recorder.projected) and recorder.projected[-1] == 30, 5.0)
    with valkey.client as client:
        until(lambda: client.hget("line:rail-03:runs", RUN) == b"30", 5.0)
    assert audit.count(RUN) == 0
    road.open()

    until(lambda: audit.count(RUN) == 30, 20.0)
    recorder.drain()
    assert passed_once(audit, 30)
    said = capsys.readouterr().out
    assert said.count("store.lost") == said.count("store.back") == 1


def test_cut_off_again_and_again_each_row_arrives_once(journal: SqliteJournal, road: Road, audit: AuditStore) -> None:
    road.open()
    recorder = Recorder()
    for slot in range(1, 61):
        inspect(journal, range(slot, slot + 1))
        if slot % 10 == 0:
            road.cut()  # wherever it is: before, in or after a commit
            time.sleep(0.05)
            road.open()

    until(lambda: audit.count(RUN) == 60, 30.0)
    recorder.drain()
    assert passed_once(audit, 60)


def test_a_server_that_ends_every_session_gets_each_row_once(
    journal: SqliteJournal, road: Road, audit: AuditStore, postgres: str
) -> None:
    road.open()
    recorder = Recorder()
    plain = postgres.replace("+psycopg", "", 1)
    inspect(journal, range(1, 21))
    until(lambda: audit.count(RUN) == 20, 20.0)
    with psycopg.connect(plain, autocommit=True) as boss:  # what a failover does to those who are connected
        boss.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND pid IN (SELECT pid FROM pg_locks WHERE granted) AND query LIKE '%%inspection%%' "
            "AND query LIKE '%%rail-03%%'"
        )
    road.cut()
    road.open()

    inspect(journal, range(21, 41))

    until(lambda: audit.count(RUN) == 40, 20.0)
    recorder.drain()
    assert passed_once(audit, 40)


def test_a_slow_server_delays_no_other_store(journal: SqliteJournal, road: Road, audit: AuditStore) -> None:
    road.slow_s = 0.02
    road.open()
    recorder = Recorder()
    inspect(journal, range(1, 21))

    until(lambda: bool(recorder.projected) and recorder.projected[-1] == 20, 2.0)

    until(lambda: audit.count(RUN) == 20, 60.0)
    road.slow_s = 0.0
    recorder.drain()
    assert passed_once(audit, 20)


def made_at_once(postgres: str, day: int) -> list[Exception]:
    """What four recorders are told that need the same days."""
    start, failures = threading.Barrier(4), []

    def make() -> None:
        try:
            with connected(postgres) as connection:
                start.wait(10)
                make_days(connection, [day, day + 1])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return failures


def test_days_are_made_once_though_recorders_need_them_at_once(postgres: str, audit: AuditStore) -> None:
    day = NOON // DAY_NS + 40

    assert made_at_once(postgres, day) == []

    with connected(postgres) as connection:
        make_days(connection, [day])  # and again: nothing to do
        for table in PARTITIONED:
            assert connection.dialect.has_table(connection, partition_of(table, day))


def test_without_a_look_after_the_lock_all_but_one_would_fail(
    postgres: str, audit: AuditStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.partitions, "_there", lambda _: set())

    assert len(made_at_once(postgres, NOON // DAY_NS + 40)) == 3


def test_who_reads_does_not_stop_a_new_day(postgres: str, audit: AuditStore) -> None:
    """ATTACH takes a lock that goes beside a reader's; CREATE … PARTITION OF would wait until it is done."""
    audit.project(chained([a_verdict(1)]))
    with connected(postgres) as reader:
        reader.exec_driver_sql("SELECT count(*) FROM inspection").scalar()

        audit.project(chained([a_verdict(2, at=NOON + 50 * DAY_NS)], after=1))

    assert audit.count(RUN) == 2


def test_a_row_without_its_day_is_refused_not_lost(postgres: str, audit: AuditStore) -> None:
    with connected(postgres) as connection, pytest.raises(Exception, match="no partition"):
        connection.exec_driver_sql("INSERT INTO crop VALUES ('rail-03', 1, 99999, 0, 'frame', 'ab', 0, 0, 1, 1)")


def test_a_correction_days_later_finds_its_verdict(postgres: str, audit: AuditStore) -> None:
    rows = chained([a_verdict(1, at=NOON - 30 * DAY_NS), a_verdict(2), a_correction(1, 1)])

    audit.project(rows)

    counts = {(each.outcome, each.verdicts) for each in audit.reports.quality(Period(0, 2**62))}
    assert counts == {("NOT_INSPECTED", 1), (str(Outcome.PASS), 1)}
