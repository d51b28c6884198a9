"""Ways to PostgreSQL that can be cut or slowed, servers that can be stopped, and what must be in them in the end."""

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from storage.audit import AuditStore
from storage.report_questions import Period
from tests.storage.builders import RUN


class Road:
    """A TCP road to the server: it can be closed, cut while one is on it, or made slow."""

    def __init__(self, url: str) -> None:
        self._to = make_url(url)
        self._listener: socket.socket | None = None
        self._open: list[socket.socket] = []
        self.slow_s = 0.0
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return self._to.set(host="127.0.0.1", port=self._port).render_as_string(hide_password=False)

    def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self._port))
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Whoever is on it is cut off, and nobody gets on it."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)  # or the thread that accepts would keep the port
            self._listener.close()
            self._listener = None
        while self._open:
            end = self._open.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                ours, _ = listener.accept()
                theirs = socket.create_connection((self._to.host or "127.0.0.1", self._to.port or 5432))
            except OSError:
                return
            self._open += [ours, theirs]
            for one, other in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while block := one.recv(65_536):
                time.sleep(self.slow_s)
                other.sendall(block)
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)


class Server:
    """A PostgreSQL of the test's own, to be stopped and started; a copy of another follows it until it is promoted."""

    def __init__(self, programs: Path, user: str | None, *, copy_of: "Server | None" = None) -> None:
        self._programs, self._user = programs, user
        self.home = Path(tempfile.mkdtemp(prefix="line-"))  # short: a socket path has 107 bytes
        if user:
            shutil.chown(self.home, user)
        if copy_of is None:
            self._run("initdb", "-D", self._db, "-U", "postgres", "-A", "trust", "-N")
        else:
            self._run("pg_basebackup", "-h", str(copy_of.home), "-U", "postgres", "-D", self._db, "-R", "-c", "fast")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self.home}"

    @property
    def _db(self) -> str:
        return str(self.home / "db")

    def start(self) -> None:
        settings = f"-c listen_addresses='' -k {self.home} -c fsync=off"
        self._run("pg_ctl", "-D", self._db, "-w", "-o", settings, "-l", str(self.home / "log"), "start")

    def stop(self) -> None:
        """As a crash would: nobody is asked to finish."""
        with suppress(subprocess.CalledProcessError):  # it is stopped already
            self._run("pg_ctl", "-D", self._db, "-m", "immediate", "stop")

    def promote(self) -> None:
        self._run("pg_ctl", "-D", self._db, "-w", "promote")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments], check=True, capture_output=True, user=self._user, cwd="/"
        )


def passed_once(audit: AuditStore, number: int) -> bool:
    """Each verdict is here once, and counted once."""
    counted = sum(each.verdicts for each in audit.reports.quality(Period(0, 2**62)))
    return audit.count(RUN) == counted == number == len({kept.seq for kept in audit.kept(0)})
