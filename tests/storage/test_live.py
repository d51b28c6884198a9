"""Redis holds each row once, its counters add up, and what it lost it gets again: our own server and a given one."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from config.loader import ConfigError
from config.station import Live
from monitor.messages import Outcome, Reason
from monitor.rows import Row
from storage.journal import SqliteJournal
from storage.live import PATIENT_S, LiveStore, Snapshot
from storage.projection import StoreLost
from storage.reader import JournalReader
from tests.storage.builders import RUN, a_correction, a_png, a_region, a_run, a_verdict, an_actuated, sha256_of
from tests.storage.conftest import valkey_binary
from tests.storage.servers import GivenServer, OwnServer, Server

CROP, MASK = a_png(1), a_png(2)


class Line:
    """A journal and the Redis view of it."""

    def __init__(self, journal: SqliteJournal, folder: Path, url: str, *, maxlen: int = 100) -> None:
        self.journal, self.reader = journal, JournalReader(folder)
        self.live = LiveStore(
            url,
            "rail-03",
            Live(stream_maxlen=maxlen, crop_ttl_s=60),
            row=self.row,
            picture={sha256_of(CROP): CROP, sha256_of(MASK): MASK}.get,
            timeout_s=PATIENT_S,
        )

    def row(self, seq: int) -> Row | None:
        return next(iter(self.reader.rows(seq - 1, 1)), None)

    def catch_up(self) -> None:
        cursor = self.live.cursor()
        while rows := self.reader.rows(cursor.seq if cursor else 0):
            self.live.project(rows)
            cursor = self.live.cursor()


def but_epoch(shown: Snapshot) -> Snapshot:
    return msgspec.structs.replace(shown, epoch="")


@pytest.fixture(params=["own", "given"])
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[Server]:
    """The one that the station starts itself, and one of another team."""
    if request.param == "given":
        given = GivenServer(valkey_binary())
        given.start()
        yield given
        given.kill()
        shutil.rmtree(given.home)
        return
    valkey_binary()
    with tempfile.TemporaryDirectory(prefix="line-") as home:
        own = OwnServer(Path(home) / "redis")
        yield own
        own.end()


@pytest.fixture
def line(journal: SqliteJournal, folder: Path, server: Server) -> Iterator[Line]:
    opened = Line(journal, folder, server.url, maxlen=50)
    yield opened
    opened.live.close()
    opened.reader.close()


def test_entries_are_named_by_their_row_and_totals_are_effective(line: Line) -> None:
    line.journal.append([a_run(), a_verdict(1), a_verdict(2, Outcome.REJECT), an_actuated(1)])
    line.journal.append([a_verdict(3, Outcome.NOT_INSPECTED, Reason.DARK), a_correction(1, 2)])

    line.catch_up()

    shown = line.live.snapshot(10)
    assert [(seq, entry.outcome, entry.kind) for seq, entry in shown.entries] == [
        (6, "NOT_INSPECTED", "correction"),
        (5, "NOT_INSPECTED", "verdict"),
        (3, "REJECT", "verdict"),
        (2, "PASS", "verdict"),
    ]
    assert shown.counters == {
        "triggers": 3,
        "rejected": 1,
        "not_inspected": 2,
        "not_inspected:dark": 1,
        "not_inspected:late": 1,
    }


def test_a_verdict_corrected_twice_counts_once(line: Line) -> None:
    line.journal.append([a_verdict(1)])
    line.journal.append([a_correction(1, 1), a_correction(1, 1, Reason.RECOVERED)])
    line.catch_up()

    line.journal.append([a_correction(1, 1, Reason.HELD)])
    line.catch_up()

    assert line.live.snapshot(1).counters == {"triggers": 1, "not_inspected": 1, "not_inspected:held": 1}


def test_a_repeat_is_refused(line: Line) -> None:
    line.journal.append([a_run(), a_verdict(1), a_verdict(2)])
    line.catch_up()
    before = line.live.snapshot(10)

    line.live.project(line.reader.rows(0))

    assert line.live.snapshot(10) == before


def test_a_rival_that_was_quicker_makes_the_batch_fail_whole(line: Line, server: Server) -> None:
    line.journal.append([a_verdict(1), a_correction(1, 1), a_verdict(2)])
    rows = line.reader.rows(0)
    quick = LiveStore(server.url, "rail-03", Live(), row=line.row, picture=lambda _: None, timeout_s=PATIENT_S)

    def row(seq: int) -> Row | None:
        """Asked for between WATCH and MULTI."""
        quick.project(rows)
        return line.row(seq)

    slow = LiveStore(server.url, "rail-03", Live(), row=row, picture=lambda _: None)

    with pytest.raises(StoreLost, match=r"[Ww]atch"):
        slow.project(rows)

    assert line.live.snapshot(1).counters["triggers"] == 2
    quick.close()
    slow.close()


def test_the_stream_is_bounded_and_counts_go_on(line: Line) -> None:
    line.journal.append([a_verdict(slot) for slot in range(1, 501)])

    line.catch_up()

    assert len(line.live.snapshot(1000).entries) == 50
    assert line.live.count(RUN) == 500


def test_a_server_that_lost_everything_gets_it_again(line: Line, server: Server) -> None:
    line.journal.append([a_verdict(slot) for slot in range(1, 101)])
    line.catch_up()
    before = line.live.snapshot(1000)
    with server.client as client:
        client.flushall()

    line.catch_up()

    after = line.live.snapshot(1000)
    assert but_epoch(after) == but_epoch(before)
    assert after.epoch != before.epoch
    assert line.live.count(RUN) == 100


def test_a_cursor_lost_alone_begins_everything_anew(line: Line, server: Server) -> None:
    line.journal.append([a_verdict(slot) for slot in range(1, 101)])
    line.catch_up()
    before = line.live.snapshot(1000)
    with server.client as client:
        client.delete("line:rail-03:cursor")

    line.catch_up()

    assert but_epoch(line.live.snapshot(1000)) == but_epoch(before)
    assert line.live.snapshot(1).epoch != before.epoch


def test_rows_for_a_server_that_has_just_lost_its_own_are_refused(line: Line, server: Server) -> None:
    line.journal.append([a_verdict(slot) for slot in range(1, 11)])
    line.live.project(line.reader.rows(0, 5))
    with server.client as client:
        client.flushall()

    with pytest.raises(StoreLost, match="stands at row 0"):
        line.live.project(line.reader.rows(5))


def test_a_killed_server_goes_on_where_it_was(line: Line, server: Server) -> None:
    line.journal.append([a_verdict(slot) for slot in range(1, 11)])
    line.catch_up()
    epoch = line.live.snapshot(1).epoch
    time.sleep(1.1)  # our own server writes its state down every second
    server.kill()
    with pytest.raises(StoreLost):
        line.live.cursor()
    line.journal.append([a_verdict(slot) for slot in range(11, 21)])
    server.start()

    line.catch_up()

    assert line.live.count(RUN) == 20
    assert line.live.snapshot(1).epoch == epoch  # nothing was lost that a reader has to begin anew for


def test_crops_live_for_a_while_beside_the_stream(line: Line, server: Server) -> None:
    regions = (a_region(60.0, CROP, MASK),)
    fresh = a_verdict(1, Outcome.REJECT, regions=regions, decided_at=time.time_ns())
    line.journal.append([fresh])

    line.catch_up()

    with server.client as client:
        assert client.get(f"line:rail-03:crop:{sha256_of(CROP)}") == CROP
        assert 0 < client.ttl(f"line:rail-03:crop:{sha256_of(MASK)}") <= 60
    assert line.live.snapshot(1).entries[0][1].crops == sha256_of(CROP)


def test_a_full_server_sheds_crops_and_takes_verdicts(line: Line, server: Server) -> None:
    with server.client as client:
        client.config_set("maxmemory-policy", "volatile-ttl")
        client.config_set("maxmemory", "3mb")
        for number in range(100):
            client.set(f"line:rail-03:crop:{number}", bytes(50_000), ex=3600)
    line.journal.append([a_verdict(slot) for slot in range(1, 301)])

    line.catch_up()

    assert line.live.count(RUN) == 300


def test_nothing_but_this_station_s_keys_is_touched(line: Line, server: Server) -> None:
    with server.client as client:
        client.set("line:rail-07:cursor", "5:00")
        client.set("theirs", "1")
    line.journal.append([a_verdict(1, regions=(a_region(60.0, CROP, MASK),))])
    line.catch_up()
    line.live.restart()

    line.catch_up()

    with server.client as client:
        keys = {key.decode() for key in client.scan_iter() if not key.startswith(b"line:rail-03:")}
        assert keys == {"line:rail-07:cursor", "theirs"}
        assert client.get("line:rail-07:cursor") == b"5:00"


def test_a_url_of_no_server_is_a_configuration_error(journal: SqliteJournal, folder: Path) -> None:
    with pytest.raises(ConfigError, match="LINE_REDIS_URL"):
        Line(journal, folder, "http://127.0.0.1")
