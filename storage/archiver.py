"""The thread of the recorder that archives: closed files of the journal in, packed ones out, at a calm pace.

A file goes when every store has all its rows and its last picture has left; the last few stay, as a start of the line
looks back over them. Nobody waits for this: what is not done by the end of a run is done in the next one. Packing needs
room before it makes any: it takes none that the disk ladder would miss, and no picture is given up for it.
"""

import errno
import os
import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import structlog

from storage.journal import BUSY_MS, journal_files
from storage.journal_errors import JournalError
from storage.packing import finish, pack, sweep
from storage.reader import RECENT_ROWS

LOOK_S = 10.0
REST = 4.0  # times as long as it worked: a fifth of a core, and of the interpreter that the followers need too
NEEDS = 1.5  # times the size of a file: its copy, the facts among it, and what is packed
MB = 1_000_000
NICE = 19  # of this thread alone; packing itself holds no lock of the interpreter
log = structlog.get_logger()


class Interrupted(Exception):
    """The recorder ends; what lies aside is swept the next time."""


class Archiver(threading.Thread):
    """Of one station, as long as its recorder lives."""

    def __init__(
        self,
        folder: Path,
        keep_files: int,
        *,
        spare_mb: float = 0.0,
        keep_rows: int = RECENT_ROWS,
        look_s: float = LOOK_S,
        rest: float = REST,
    ) -> None:
        """`keep_files` closed ones stay plain, and at least the last `keep_rows` rows with them.

        `spare_mb` of the disk stay free, however it is used meanwhile.
        """
        super().__init__(name="archive", daemon=True)
        self._folder, self._journal = folder, folder / "journal"
        self._keep_files, self._keep_rows, self._look_s, self._rest = keep_files, keep_rows, look_s, rest
        self._spare_mb = spare_mb
        self._allowed = 0
        self._refused: set[Path] = set()  # said once; looked at again after the next start
        self._stopping = threading.Event()
        self._begun_s = 0.0
        self._said = ""  # of what keeps us
        self.failure: BaseException | None = None

    def follow(self, _last: int) -> None:
        """Raises what ended this thread."""
        if self.failure is not None:
            raise self.failure

    def allow(self, upto: int) -> None:
        """Every store has the rows up to here."""
        self._allowed = upto

    def behind(self) -> int:
        """Nobody waits for it."""
        return 0

    def stop(self) -> None:
        """Asks it to end, and gives it a moment."""
        self._stopping.set()
        self.join(0.5)

    def run(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        try:
            while not self._stopping.wait(self._look_s):
                self.archive()
        except Interrupted:
            pass
        except BaseException as error:
            self.failure = error

    def archive(self) -> None:
        """Packs what may go, oldest first; one that may not keeps those behind it."""
        try:
            finish(self._journal)
            sweep(self._journal)
            for path in journal_files(self._journal)[: -1 - self._keep_files]:
                if path in self._refused or not self._pack(path):
                    break
        except OSError as error:
            self._say("archive.away", error=str(error), answer="it is tried again")
            with suppress(OSError):
                sweep(self._journal)  # what is half-written holds its room no longer
        else:
            self._said = ""

    def _pack(self, path: Path) -> bool:
        self._begun_s = time.monotonic()
        try:
            if not self._may_go(path):
                return False
            self._check_room(NEEDS * path.stat().st_size / MB)
            archived = pack(path, pace=self._pace)
        except sqlite3.OperationalError as error:  # locked, or no room: nothing is wrong with the file
            raise OSError(f"{path}: {error}") from error
        except (JournalError, sqlite3.Error) as error:
            self._refused.add(path)
            self._say("archive.refused", file=path.name, error=str(error), answer="it stays; ask linectl verify")
            return False
        facts = archived.manifest
        log.info("archive.packed", file=path.name, rows=facts.last - facts.first + 1, bytes=facts.packed_bytes)
        return True

    def _say(self, event: str, **facts: str) -> None:
        """Once, however often it is tried."""
        if str(facts) != self._said:
            self._said = str(facts)
            log.error(event, **facts)

    def _may_go(self, path: Path) -> bool:
        """Whether every store has it, no picture is left in it, and nothing in it is open any more."""
        with closing(_connect(path)) as connection:
            last = connection.execute("SELECT max(seq) FROM journal").fetchone()[0] or 0
            has_pictures = connection.execute("SELECT 1 FROM attachment LIMIT 1").fetchone() is not None
        return not has_pictures and 0 < last <= self._allowed and self._rows_behind(path) >= self._keep_rows

    def _rows_behind(self, path: Path) -> int:
        """As far as it matters; counted, since their numbers jump where rows were set aside."""
        rows = 0
        for later in reversed(journal_files(self._journal)):
            if later == path or rows >= self._keep_rows:
                break
            with closing(_connect(later)) as connection:
                counted = "SELECT count(*) FROM (SELECT 1 FROM journal LIMIT ?)"
                rows += connection.execute(counted, (self._keep_rows,)).fetchone()[0]
        return rows

    def _check_room(self, needs_mb: float = 0.0) -> None:
        """Raises OSError where the disk has not so much to spare."""
        found = os.statvfs(self._folder)
        free_mb = found.f_bavail * found.f_frsize / MB
        if free_mb - needs_mb < self._spare_mb:
            text = f"archiving needs {needs_mb:.0f} MB, and is to leave {self._spare_mb:.0f} MB"
            raise OSError(errno.ENOSPC, text, str(self._journal))

    def _pace(self) -> None:
        """Between two steps: rests for so many times as long as the last one took."""
        self._check_room()
        if self._stopping.wait(self._rest * (time.monotonic() - self._begun_s)):
            raise Interrupted
        self._begun_s = time.monotonic()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return connection
