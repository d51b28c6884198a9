"""A Redis that lost everything has the same totals and the same last entries as one that read the whole journal."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from config.loader import load_station
from config.station import Live, Station
from monitor.messages import Outcome, Reason
from monitor.rows import Row
from storage.audit import AuditStore
from storage.audit_totals import Totals
from storage.journal import SqliteJournal
from storage.live import PATIENT_S, LiveStore, Snapshot
from storage.live_seed import open_live
from storage.reader import JournalReader
from tests.storage.builders import a_correction, a_run, a_verdict, an_actuated
from tests.storage.conftest import Valkey

SHOWN = 20


class Watched(JournalReader):
    """Knows which rows it was asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: list[int] = []

    def rows(self, after: int, limit: int = 1000) -> list[Row]:
        self.asked.append(after)
        return super().rows(after, limit)


@pytest.fixture
def station() -> Station:
    return load_station("rail-03").model_copy(update={"live": Live(stream_maxlen=SHOWN)})


@pytest.fixture
def written(journal: SqliteJournal, folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> SqliteJournal:
    """Two runs, corrections among them, all in SQL."""
    monkeypatch.setenv("LINE_AUDIT_URL", url)
    journal.append([a_run("run-1")])  # row 1
    for slot in range(1, 101):
        reason = Reason.DARK if slot % 10 == 0 else None
        outcome = Outcome.NOT_INSPECTED if reason else Outcome.REJECT if slot % 7 == 0 else Outcome.PASS
        run = "run-1" if slot <= 60 else "run-2"
        journal.append([a_verdict(slot, outcome, reason, run=run)])  # row slot + 1
        if slot == 60:
            journal.append([a_run("run-2")])  # row 62: from here on slot + 2
    journal.append([an_actuated(1), a_correction(3, 4), a_correction(90, 92), a_correction(90, 92, Reason.HELD)])
    project(journal, folder, url)
    return journal


def project(journal: SqliteJournal, folder: Path, url: str) -> None:
    audit = AuditStore(url, "rail-03")
    with JournalReader(folder) as reader:
        cursor = audit.cursor()
        while rows := reader.rows(cursor.seq if cursor else 0):
            audit.project(rows)
            cursor = audit.cursor()
    audit.close()


@pytest.fixture
def reader(folder: Path, journal: SqliteJournal) -> Iterator[Watched]:
    with Watched(folder) as opened:
        yield opened


def catch_up(live: LiveStore, reader: JournalReader) -> None:
    cursor = live.cursor()
    while rows := reader.rows(cursor.seq if cursor else 0):
        live.project(rows)
        cursor = live.cursor()


def state(live: LiveStore) -> tuple[Snapshot, dict[str, int]]:
    return msgspec.structs.replace(live.snapshot(1000), epoch=""), live.runs()


def from_row_1(valkey: Valkey, station: Station, reader: JournalReader) -> tuple[Snapshot, dict[str, int]]:
    live = LiveStore(
        valkey.url,
        "rail-03",
        station.live,
        row=lambda seq: next(iter(reader.rows(seq - 1, 1)), None),
        picture=lambda _: None,
        timeout_s=PATIENT_S,
    )
    live.wipe()
    catch_up(live, reader)
    said = state(live)
    live.wipe()
    live.close()
    return said


def opened(valkey: Valkey, station: Station, folder: Path, reader: JournalReader) -> LiveStore:
    return open_live(valkey.url, station, folder, reader, timeout_s=PATIENT_S)


def test_row_60_what_was_lost_comes_from_the_totals_and_is_the_same(
    written: SqliteJournal, folder: Path, valkey: Valkey, station: Station, reader: Watched
) -> None:
    expected = from_row_1(valkey, station, reader)
    reader.asked.clear()

    live = opened(valkey, station, folder, reader)

    assert state(live) == expected
    assert len(expected[0].entries) == SHOWN
    assert min(reader.asked) >= 70  # not from row 1
    live.close()


def test_row_60_what_comes_later_counts_on_from_there(
    written: SqliteJournal, folder: Path, valkey: Valkey, station: Station, reader: Watched
) -> None:
    live = opened(valkey, station, folder, reader)
    written.append([a_correction(90, 92, Reason.LATE), a_verdict(101), a_correction(2, 3)])
    catch_up(live, reader)
    said = state(live)
    live.close()

    assert said == from_row_1(valkey, station, reader)


def test_row_60_sql_that_is_behind_is_where_it_begins(
    written: SqliteJournal, folder: Path, valkey: Valkey, station: Station, reader: Watched
) -> None:
    written.append([a_verdict(slot) for slot in range(101, 131)] + [a_correction(90, 92, Reason.LATE)])

    live = opened(valkey, station, folder, reader)
    at = live.cursor()
    catch_up(live, reader)
    said = state(live)
    live.close()

    assert at is not None
    assert at.seq == 106
    assert said == from_row_1(valkey, station, reader)


def test_row_60_without_the_corrected_verdicts_a_second_correction_would_count_wrong(
    written: SqliteJournal,
    folder: Path,
    valkey: Valkey,
    station: Station,
    reader: Watched,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Totals, "corrected", lambda *_: {})
    live = opened(valkey, station, folder, reader)
    written.append([a_correction(90, 92, Reason.LATE)])
    catch_up(live, reader)
    said = state(live)
    live.close()

    assert said[0].counters != from_row_1(valkey, station, reader)[0].counters


def test_row_60_readers_see_that_it_was_made_anew(
    written: SqliteJournal, folder: Path, valkey: Valkey, station: Station, reader: Watched
) -> None:
    live = opened(valkey, station, folder, reader)
    first = live.snapshot(1).epoch
    live.close()
    again = opened(valkey, station, folder, reader)
    same = again.snapshot(1).epoch
    with valkey.client as client:
        client.flushall()
    again.close()

    anew = opened(valkey, station, folder, reader)

    assert first == same != anew.snapshot(1).epoch
    assert first
    anew.close()


def test_without_sql_it_reads_the_journal(
    journal: SqliteJournal, folder: Path, valkey: Valkey, station: Station, reader: Watched
) -> None:
    journal.append([a_run(), *(a_verdict(slot) for slot in range(1, 51))])

    live = opened(valkey, station, folder, reader)

    assert live.cursor() is None
    catch_up(live, reader)
    assert state(live)[0].counters == {"triggers": 50, "passed": 50}
    live.close()
