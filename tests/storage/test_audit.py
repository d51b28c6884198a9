"""One contract, any database: each row once, whatever comes twice; people's questions are answered alike."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Executable, create_engine, delete

from config.loader import ConfigError
from monitor.messages import Gate, Outcome, Reason
from monitor.rows import Entry, Row
from storage.audit import AuditStore, open_audit
from storage.journal import SqliteJournal
from storage.projection import StoreForeign, StoreLost
from storage.questions import Question
from storage.reader import JournalReader
from storage.schema import Cursor
from tests.storage.builders import (
    MODEL,
    NOON,
    RUN,
    a_correction,
    a_person,
    a_png,
    a_region,
    a_run,
    a_verdict,
    an_actuated,
    an_alarm,
    sha256_of,
)

CROP, MASK, WHOLE = a_png(1), a_png(2), a_png(3)


@pytest.fixture
def audit(url: str) -> Iterator[AuditStore]:
    store = AuditStore(url, "rail-03")
    yield store
    store.close()


@pytest.fixture
def reader(journal: SqliteJournal, folder: Path) -> Iterator[JournalReader]:
    with JournalReader(folder) as opened:
        yield opened


def some_rows() -> list[Entry]:
    """A run of five parts: passed, rejected, dark, passed but late, passed long after."""
    return [
        a_run(),
        a_verdict(1),
        a_verdict(2, Outcome.REJECT, area_mm2=60.0, regions=(a_region(60.0, CROP, MASK),), picture=WHOLE),
        a_verdict(3, Outcome.NOT_INSPECTED, Reason.DARK),
        a_verdict(4),
        an_alarm(),
        a_person(),
        an_actuated(1),
        an_actuated(2, Gate.REJECTED),
        a_correction(4, 5),
        a_verdict(5, camera="web", at=NOON + 3_600_000_000_000),
    ]


def test_a_verdict_is_kept_with_all_it_rests_on(
    journal: SqliteJournal, reader: JournalReader, audit: AuditStore
) -> None:
    journal.append(some_rows())

    audit.project(reader.rows(0))

    found = {each.slot: each for each in audit.history(Question())}
    assert found[2].outcome == "REJECT"
    assert found[2].area_mm2 == 60.0
    assert found[2].crops == (sha256_of(CROP),)
    assert found[2].model == MODEL
    assert [(each.defects, each.crops) for each in audit.kept(0)] == [(0, 0), (1, 3), (0, 0), (0, 0), (0, 0)]
    assert [(slot, gate) for _, slot, gate in audit.gates(0)] == [(1, "released"), (2, "rejected")]


def test_a_correction_counts_and_the_original_is_kept(
    journal: SqliteJournal, reader: JournalReader, audit: AuditStore
) -> None:
    journal.append(some_rows())

    audit.project(reader.rows(0))

    late = next(each for each in audit.kept(0) if each.slot == 4)
    assert late.effective == ("NOT_INSPECTED", "late")
    assert late.original == ("PASS", None)
    assert late.corrected_by == 10


def test_a_repeat_changes_nothing(journal: SqliteJournal, reader: JournalReader, audit: AuditStore) -> None:
    journal.append(some_rows())
    audit.project(reader.rows(0, 4))
    before = audit.kept(0)

    audit.project(reader.rows(0, 4))
    audit.project(reader.rows(0, 2))

    assert audit.kept(0) == before
    cursor = audit.cursor()
    assert cursor is not None
    assert cursor.seq == 4


def test_a_lost_cursor_only_makes_everything_come_once_more(
    journal: SqliteJournal, reader: JournalReader, audit: AuditStore, url: str
) -> None:
    journal.append(some_rows())
    audit.project(reader.rows(0))
    before = audit.kept(0)
    change(url, delete(Cursor))

    audit.project(reader.rows(0))

    assert audit.kept(0) == before
    assert audit.count(RUN) == 5


def test_rows_and_cursor_come_together_or_not_at_all(
    journal: SqliteJournal, reader: JournalReader, audit: AuditStore
) -> None:
    journal.append(some_rows())
    audit.project(reader.rows(0, 1))
    rows = reader.rows(1, 3)

    with pytest.raises(StoreLost):
        audit.project([*rows, again(rows[0], seq=99)])  # a frame may be here once

    assert audit.kept(0) == []
    cursor = audit.cursor()
    assert cursor is not None
    assert cursor.seq == 1


def test_a_gap_is_refused(journal: SqliteJournal, reader: JournalReader, audit: AuditStore) -> None:
    journal.append(some_rows())
    audit.project(reader.rows(0, 2))

    with pytest.raises(StoreLost, match="stands at row 2"):
        audit.project(reader.rows(4))


@pytest.mark.parametrize(
    ("question", "slots"),
    [
        pytest.param(Question(), [5, 4, 3, 2, 1], id="all-newest-first"),
        pytest.param(Question(limit=2), [5, 4], id="limit"),
        pytest.param(Question(outcome=Outcome.NOT_INSPECTED), [4, 3], id="effective-outcome"),
        pytest.param(Question(outcome=Outcome.PASS), [5, 1], id="corrected-is-no-pass"),
        pytest.param(Question(camera="web"), [5], id="camera"),
        pytest.param(Question(min_area_mm2=59.9), [2], id="area"),
        pytest.param(Question(min_area_mm2=60.1), [], id="area-too-small"),
        pytest.param(Question(since=NOON + 600_000_000, until=NOON + 800_000_000), [3], id="since-and-before-until"),
    ],
)
def test_questions(
    journal: SqliteJournal, reader: JournalReader, audit: AuditStore, question: Question, slots: list[int]
) -> None:
    journal.append(some_rows())
    audit.project(reader.rows(0))

    assert [each.slot for each in audit.history(question)] == slots


def test_a_long_history_is_read_page_by_page(journal: SqliteJournal, reader: JournalReader, audit: AuditStore) -> None:
    journal.append([a_verdict(slot, at=NOON) for slot in range(1, 1201)])  # all of one moment: seq decides
    for after in (0, 1000):
        audit.project(reader.rows(after))

    assert [each.slot for each in audit.history(Question())] == list(range(1200, 0, -1))
    assert len(list(audit.history(Question(limit=700)))) == 700


def test_stations_share_a_database(journal: SqliteJournal, reader: JournalReader, audit: AuditStore, url: str) -> None:
    journal.append(some_rows())
    audit.project(reader.rows(0))
    other = AuditStore(url, "rail-07")

    assert list(other.history(Question())) == []
    assert other.cursor() is None

    other.close()


def test_another_journal_is_not_mixed_in(audit: AuditStore) -> None:
    with pytest.raises(StoreForeign, match="of another journal"):
        audit.restart()


def test_a_locked_database_is_lost_within_moments_and_back_when_unlocked(
    journal: SqliteJournal, reader: JournalReader, folder: Path
) -> None:
    store = AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")
    store.cursor()
    journal.append(some_rows())
    locker = sqlite3.connect(folder / "audit.sqlite", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreLost, match="locked"):
        store.project(reader.rows(0))
    locker.execute("ROLLBACK")
    store.project(reader.rows(0))

    assert store.count(RUN) == 5
    locker.close()
    store.close()


def test_an_unreachable_server_is_lost() -> None:
    store = AuditStore("postgresql+psycopg://postgres@127.0.0.1:9/test", "rail-03")

    with pytest.raises(StoreLost, match="refused"):
        store.cursor()

    store.close()


@pytest.mark.parametrize("url", ["no url", "nosuchdatabase://host/name"])
def test_a_url_of_no_database_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match="LINE_AUDIT_URL"):
        AuditStore(url, "rail-03")


def test_looking_makes_no_database(folder: Path) -> None:
    assert open_audit(folder, "rail-03") is None
    assert not (folder / "audit.sqlite").exists()


def change(url: str, statement: Executable) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(statement)
    engine.dispose()


def again(row: Row, *, seq: int) -> Row:
    return msgspec.structs.replace(row, seq=seq)
