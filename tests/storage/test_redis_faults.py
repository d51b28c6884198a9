"""Redis down, emptied or full: no other store waits, a person is called once, and in the end no verdict is missing."""

from contextlib import suppress
from pathlib import Path

import pytest
import redis

import storage.follower
from storage.follower import Follower
from storage.images import ImageStore
from storage.journal import SqliteJournal
from storage.live_crops import LiveCrops
from tests.storage.conftest import Valkey
from tests.storage.faulty import Watcher, inspect_defects, live_rows, pictures_to, shown
from tests.storage.test_recorder import Recorder, inspect, until

MORE = 641  # slots; their verdicts take more than what a server frees when who filled it has gone


def full(server: Valkey, most: str = "8mb") -> None:
    with server.client as client:
        client.config_set("maxmemory", most)
        client.config_set("maxmemory-policy", "noeviction")


def fill(server: Valkey) -> None:
    """Keys of others, until nothing more fits; what the server holds for its clients would be free again later."""
    with server.client as client:
        client.client_kill_filter(_type="normal", skipme=True)
        for size in (20_000, 100):
            with suppress(redis.ResponseError):
                for number in range(10_000):
                    client.set(f"theirs:{size}:{number}", bytes(size))


def test_row_59_down_at_start_and_in_a_run_no_store_waits_and_nothing_is_missing(
    journal: SqliteJournal, valkey: Valkey
) -> None:
    valkey.kill()
    recorder = Recorder(valkey.url)
    watcher = Watcher(recorder, after_s=0.5)
    inspect(journal, range(1, 21))
    until(lambda: pictures_to(recorder, 20), 5.0)
    until(lambda: ("store.lag", "live") in watcher.look())
    unknown = watcher.lags["live"]
    assert (unknown.rows, bool(unknown.why)) == (None, True)  # it has never said how far it is
    valkey.start()
    until(lambda: live_rows(valkey) == 20)
    until(lambda: ("store.back", "live") in watcher.look())

    valkey.kill()
    inspect(journal, range(21, 41))
    until(lambda: watcher.look().count(("store.lag", "live")) == 2)
    assert watcher.lags["live"].rows == 20
    valkey.start()

    until(lambda: live_rows(valkey) == 40)
    until(lambda: watcher.look().count(("store.back", "live")) == 2)
    recorder.drain()
    assert shown(valkey) == list(range(1, 41))
    assert {about for _, about in watcher.said} == {"live"}


def test_row_60_emptied_while_nothing_comes_it_is_made_anew(
    journal: SqliteJournal, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.follower, "IDLE_S", 0.2)
    recorder = Recorder(valkey.url)
    inspect(journal, range(1, 11))
    until(lambda: live_rows(valkey) == 10)
    with valkey.client as client:
        epoch = client.get("line:rail-03:epoch")
        client.flushall()

    until(lambda: live_rows(valkey) == 10)

    recorder.drain()
    with valkey.client as client:
        assert client.get("line:rail-03:epoch") not in {None, epoch}


def test_row_60_without_that_look_it_would_stay_empty(
    journal: SqliteJournal, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.follower, "IDLE_S", 0.2)
    monkeypatch.setattr(Follower, "_look", lambda *_: None)
    recorder = Recorder(valkey.url)
    inspect(journal, range(1, 11))
    until(lambda: live_rows(valkey) == 10)
    with valkey.client as client:
        client.flushall()

    with pytest.raises(AssertionError):
        until(lambda: live_rows(valkey) == 10, 1.0)

    recorder.drain()


def test_row_61_full_it_sheds_crops_and_takes_verdicts(journal: SqliteJournal, valkey: Valkey, folder: Path) -> None:
    full(valkey)
    recorder = Recorder(valkey.url)

    inspect_defects(journal, range(1, 201))  # 12 MB of crops

    until(lambda: live_rows(valkey) == 200)
    recorder.drain()
    assert shown(valkey) == list(range(1, 201))
    assert ImageStore(folder).count() == 200
    with valkey.client as client:
        assert client.info("memory")["used_memory"] <= 8 << 20


def test_row_61_what_others_filled_is_told_and_when_there_is_room_all_come_in_order(
    journal: SqliteJournal, valkey: Valkey
) -> None:
    full(valkey)
    recorder = Recorder(valkey.url)
    watcher = Watcher(recorder, after_s=0.5)
    inspect_defects(journal, range(1, 11))
    until(lambda: live_rows(valkey) == 10)
    fill(valkey)
    with valkey.client as client:  # not even our crops make room
        crops = list(client.scan_iter("line:rail-03:crop:*"))
        client.delete(*crops)
    fill(valkey)

    inspect(journal, range(11, MORE))
    until(lambda: ("store.lag", "live") in watcher.look())
    until(lambda: pictures_to(recorder, MORE - 1))
    assert "maxmemory" in watcher.lags["live"].why
    with valkey.client as client:
        client.delete(*client.scan_iter("theirs:*"))

    until(lambda: live_rows(valkey) == MORE - 1)
    recorder.drain()
    assert shown(valkey) == list(range(1, MORE))


def test_row_61_crops_that_are_there_make_room_for_verdicts(journal: SqliteJournal, valkey: Valkey) -> None:
    recorder = Recorder(valkey.url)
    inspect_defects(journal, range(1, 41))
    until(lambda: live_rows(valkey) == 40)
    with valkey.client as client:
        before = set(client.scan_iter("line:rail-03:crop:*"))
    full(valkey)
    fill(valkey)

    inspect(journal, range(41, MORE))

    until(lambda: live_rows(valkey) == MORE - 1)
    recorder.drain()
    with valkey.client as client:
        after = set(client.scan_iter("line:rail-03:crop:*"))
    assert before
    assert not before & after, "crops of later verdicts may be there again, where there is room by then"


def test_row_61_without_shedding_verdicts_would_wait(
    journal: SqliteJournal, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveCrops, "shed", lambda *_: None)
    recorder = Recorder(valkey.url)
    inspect_defects(journal, range(1, 41))
    until(lambda: live_rows(valkey) == 40)
    full(valkey)
    fill(valkey)

    inspect(journal, range(41, MORE))

    with pytest.raises(AssertionError):
        until(lambda: live_rows(valkey) == MORE - 1, 3.0)
    recorder.drain()
