"""Redis that hangs is asked now and then, and one that will never take anything is told at once or calls a person."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.loader import ConfigError
from storage.breaker import Breaker
from storage.journal import SqliteJournal
from storage.live import check_url
from tests.storage.conftest import Valkey, valkey_binary
from tests.storage.faulty import Watcher, live_rows, pictures_to, shown
from tests.storage.servers import ROOT, GivenServer
from tests.storage.test_recorder import Recorder, inspect, until


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When a store did not answer."""
    times: list[float] = []
    failed = Breaker.failed

    def count(self: Breaker, now_s: float) -> None:
        times.append(now_s)
        failed(self, now_s)

    monkeypatch.setattr(Breaker, "failed", count)
    return times


def hang(journal: SqliteJournal, valkey: Valkey, asked: list[float]) -> int:
    """How often a server that hangs for 2 s was asked; and that no other store noticed."""
    recorder = Recorder(valkey.url)
    inspect(journal, range(1, 11))
    until(lambda: live_rows(valkey) == 10)
    asked.clear()
    valkey.stop()
    begun_s = time.monotonic()
    try:
        inspect(journal, range(11, 31))
        until(lambda: pictures_to(recorder, 30), 2.0)
        time.sleep(max(0.0, begun_s + 2.0 - time.monotonic()))
        times = len(asked)
    finally:
        valkey.go_on()
    until(lambda: live_rows(valkey) == 30)
    recorder.drain()
    assert shown(valkey) == list(range(1, 31))
    return times


def test_row_62_a_server_that_hangs_is_asked_now_and_then(
    journal: SqliteJournal, valkey: Valkey, asked: list[float]
) -> None:
    assert 1 <= hang(journal, valkey, asked) <= 6


def test_row_62_without_the_breaker_it_would_be_asked_all_the_time(
    journal: SqliteJournal, valkey: Valkey, asked: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Breaker, "wait_s", lambda *_: 0.0)

    assert hang(journal, valkey, asked) > 6


def test_row_62_a_command_that_blocks_the_server_delays_no_other_store(journal: SqliteJournal) -> None:
    server = Valkey(valkey_binary(), "--enable-debug-command", "yes")
    server.start()
    recorder = Recorder(server.url)
    try:
        inspect(journal, range(1, 11))
        until(lambda: live_rows(server) == 10)
        with server.client as client:
            sleeper = threading.Thread(target=client.execute_command, args=("DEBUG", "SLEEP", "2"))
            sleeper.start()
            time.sleep(0.1)
            inspect(journal, range(11, 31))
            until(lambda: pictures_to(recorder, 30), 1.5)
            assert sleeper.is_alive()
            sleeper.join()
        until(lambda: live_rows(server) == 30)
        recorder.drain()
    finally:
        server.kill()
        shutil.rmtree(server.home)


@pytest.fixture
def given() -> Iterator[GivenServer]:
    server = GivenServer(valkey_binary())
    server.start()
    yield server
    server.kill()
    shutil.rmtree(server.home)


@pytest.mark.parametrize("who", ["", ":wrong@", "nobody:wrong@"])
def test_row_63_a_server_that_refuses_us_is_a_configuration_error(given: GivenServer, who: str) -> None:
    with pytest.raises(ConfigError, match="LINE_REDIS_URL: the server refuses us"):
        check_url(f"redis://{who}127.0.0.1:{given.port}")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "redis://no-such-host.invalid:6379", "unix:///nowhere/redis"])
def test_row_63_a_server_that_is_not_there_may_come_back(url: str) -> None:
    check_url(url)


def test_row_63_the_line_refuses_to_start(given: GivenServer, tmp_path: Path) -> None:
    env = os.environ | {"LINE_STATE": str(tmp_path), "LINE_REDIS_URL": f"redis://127.0.0.1:{given.port}"}
    command = [sys.executable, str(ROOT / "run_line.py"), "--station", "rail-03", "--frames", "1"]

    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 78
    assert "the server refuses us" in ended.stderr
    assert not (tmp_path / "rail-03" / "journal").exists()


def test_row_63_a_read_only_replica_is_told_and_taken_when_it_is_promoted(
    journal: SqliteJournal, given: GivenServer
) -> None:
    of = ("--replicaof", f"127.0.0.1 {given.port}", "--masterauth", "s3cret")
    replica = Valkey(valkey_binary(), *of)
    replica.start()
    recorder = Recorder(replica.url)
    watcher = Watcher(recorder, after_s=0.5)
    try:
        inspect(journal, range(1, 11))
        until(lambda: ("store.lag", "live") in watcher.look())
        until(lambda: pictures_to(recorder, 10))
        assert "read only" in watcher.lags["live"].why
        with replica.client as client:
            client.execute_command("REPLICAOF", "NO", "ONE")

        until(lambda: live_rows(replica) == 10)

        until(lambda: ("store.back", "live") in watcher.look())
        recorder.drain()
    finally:
        replica.kill()
        shutil.rmtree(replica.home)
