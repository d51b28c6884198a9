"""Both kinds of Redis-compatible server that a station may have: its own, and one that it was given."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

import psutil
import redis

from monitor.lifeline import Ready, Rope
from tests.storage.conftest import Valkey

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "s3cret"
PROGRAM = """
import socket, sys
from pathlib import Path
from config.loader import load_station
from monitor.lifeline import Lifeline
from storage.live_server import run_live_server
run_live_server(Lifeline(socket.socket(fileno=int(sys.argv[1]))), load_station("rail-03"), Path(sys.argv[2]))
"""


class Server(Protocol):
    """What the tests of the live view need of a server."""

    @property
    def url(self) -> str: ...

    @property
    def client(self) -> redis.Redis: ...

    def start(self) -> None: ...

    def kill(self) -> None: ...


class OwnServer:
    """`run_live_server` in a process, its rope in our hand; started again as the supervisor would."""

    def __init__(self, socket_path: Path) -> None:
        self._socket = socket_path
        self.start()

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def start(self) -> None:
        self.rope = Rope()
        fd = self.rope.theirs.fileno()
        command = [sys.executable, "-c", PROGRAM, str(fd), str(self._socket)]
        self.process = subprocess.Popen(command, pass_fds=[fd], env=os.environ | {"PYTHONPATH": str(ROOT)})
        self.rope.handed_over()
        deadline_s = time.monotonic() + 10.0
        while not any(isinstance(note, Ready) for note in self.rope.notes()[0]):
            assert time.monotonic() < deadline_s
            time.sleep(0.02)

    def server(self) -> psutil.Process:
        return psutil.Process(self.process.pid).children()[0]

    def kill(self) -> None:
        """The server itself; the process that keeps it follows."""
        self.server().kill()
        self.process.wait(5)
        self.rope.cut()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.rope.cut()


class GivenServer(Valkey):
    """Over TCP, with a password, as another team would run it."""

    def __init__(self, binary: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        super().__init__(binary, "--port", str(self.port), "--requirepass", PASSWORD)

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)
