"""The journal: every row of a station, durable before anyone acts on it, in SQLite files of a million rows.
storage/reader.py reads it.

    <state folder>/journal/000001.sqlite …   only the newest grows, by one connection (decision)
    <state folder>/journal/archive/…         older ones, packed (archive.py)
    <state folder>/journal/writer.lock       who may write

A row's pictures lie beside it as attachments, committed with it, until the image store has them.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import structlog

from monitor.output import sync_folder
from monitor.rows import Entry
from storage.archive import ArchiveDamaged, refuse_without_newest
from storage.chain import GENESIS, Line, first_fault, hash_of, line_of
from storage.journal_errors import FULL, JournalDamaged, JournalError, JournalHeld, refusal, refusals

ROWS_PER_FILE = 1_000_000
TAIL_ROWS = 1000  # whose hashes are checked at open; `linectl verify` checks all
CHECK_BYTES = 256 << 20  # a larger file has only its tail checked at open: decision must be back within seconds
SYNCHRONOUS = "FULL"  # NORMAL and OFF lose acknowledged rows with the power; tests show it
BUSY_MS = 2000  # nobody else writes; a reader's recovery after a crash takes milliseconds
PRUNED_AT_ONCE = 100  # pictures: little enough to fit between two verdicts
WAL_PAGES = 16_384  # 64 MiB: past this a commit checkpoints though the belt runs
WAL_WORTH = 1 << 20  # a smaller log is not worth truncating
SAFE_SQLITE = (3, 51, 3)  # repaired the reset of a log that two connections checkpoint at once; we have one
PLAN = "set-aside.json"  # in the journal's folder, while storage/aside.py moves a damaged part of it
COLUMNS = "seq, kind, frame, slot, outcome, reason, body, hash"
INSERT = f"INSERT INTO journal ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)"  # noqa: S608 - a constant
ATTACH = (
    "INSERT INTO attachment (sha256, seq, png) VALUES (?,?,?) ON CONFLICT (sha256) DO UPDATE SET seq = excluded.seq"
)

_SCHEMA = """
CREATE TABLE journal (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, frame TEXT, slot INTEGER, outcome TEXT, reason TEXT,
    body TEXT NOT NULL, hash BLOB NOT NULL);
CREATE UNIQUE INDEX one_verdict ON journal (frame) WHERE kind = 'verdict';
CREATE INDEX runs ON journal (seq) WHERE kind = 'run';
CREATE INDEX people ON journal (seq) WHERE kind IN ('alarm', 'person');
CREATE TABLE attachment (sha256 TEXT PRIMARY KEY, seq INTEGER NOT NULL, png BLOB NOT NULL);
CREATE INDEX attached ON attachment (seq);
CREATE TRIGGER journal_keeps BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never changed'); END;
CREATE TRIGGER journal_stays BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'journal rows are never deleted'); END;
CREATE TRIGGER journal_grows BEFORE INSERT ON journal
    WHEN EXISTS (SELECT 1 FROM journal WHERE seq >= NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'journal rows are only appended'); END;
"""
log = structlog.get_logger()


class SqliteJournal:
    """The one writer. Implements `monitor.rows.Journal`."""

    def __init__(self, folder: Path, lock: int, *, rows_per_file: int) -> None:
        self._folder, self._lock, self._rows_per_file = folder, lock, rows_per_file
        files = journal_files(folder) or [folder / "000001.sqlite"]
        self._picturesque = [path for path in files[:-1] if _has_pictures(path)]  # older, with pictures left
        self._path = files[-1]
        self._unsynced = ""  # why a sync failed
        self._connection = _open_file(self._path)
        try:
            self._seq, self._hash = _checked_head(files, self._connection)
            self._first = self._first_seq()
        except (sqlite3.Error, JournalError):
            self._connection.close()
            raise

    def append(self, entries: list[Entry], attachments: Mapping[str, bytes] | None = None) -> list[int]:
        """Makes all of it durable in one commit; the seqs. `attachments` are pictures by SHA-256.

        After a failed sync nobody knows what the disk has, and a second sync would say that all is well: so there is
        none, and whoever holds this must end. The next process reads what is there.
        """
        if self._unsynced:
            raise JournalError(f"{self._path}: is not written any more, as a sync failed: {self._unsynced}")
        if self._seq + 1 - self._first >= self._rows_per_file:
            self._roll()
        lines: list[Line] = []
        seq, previous = self._seq, self._hash
        for entry in entries:
            try:
                lines.append(line_of(entry, seq + 1, previous))
            except msgspec.MsgspecError as error:
                raise JournalError(f"a {entry.kind} of {entry.frame} cannot be read back: {error}") from error
            seq, previous = lines[-1].seq, hash_of(lines[-1])
        pictures = [(sha256, seq, png) for sha256, png in (attachments or {}).items()]
        self._commit(lines, pictures)
        self._seq, self._hash = seq, previous
        return [line.seq for line in lines]

    def prune(self, seq: int) -> None:
        """Drops some of the pictures of rows up to `seq`, which the image store has: call it again for the rest."""
        with refusals(self._path):
            for path in list(self._picturesque):
                with closing(_connect(path, made=True)) as older:
                    older.execute("DELETE FROM attachment WHERE seq <= ?", (seq,))
                    is_empty = older.execute("SELECT 1 FROM attachment LIMIT 1").fetchone() is None
                if is_empty:
                    self._picturesque.remove(path)  # from now on the archiver may have it
            self._connection.execute(
                "DELETE FROM attachment WHERE sha256 IN (SELECT sha256 FROM attachment WHERE seq <= ? LIMIT ?)",
                (seq, PRUNED_AT_ONCE),
            )

    def checkpoint(self) -> None:
        """Truncates the write-ahead log where that is worth it; never waits for a reader."""
        wal = self._path.with_name(f"{self._path.name}-wal")
        if not wal.exists() or wal.stat().st_size < WAL_WORTH:
            return
        with refusals(self._path):
            self._connection.execute("PRAGMA busy_timeout = 0")
            try:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")

    def head(self) -> tuple[int, bytes]:
        """The last row's seq and hash."""
        return self._seq, self._hash

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()
        os.close(self._lock)

    def __enter__(self) -> "SqliteJournal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _commit(self, lines: list[Line], pictures: list[tuple[str, int, bytes]]) -> None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(INSERT, lines)
            connection.executemany(ATTACH, pictures)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0)
            if code & 0xFF == sqlite3.SQLITE_IOERR and code not in FULL:
                self._unsynced = str(error)
            elif connection.in_transaction:
                connection.execute("ROLLBACK")
            raise refusal(error, f"{self._path}: {len(lines)} rows after {self._seq} are not written") from error

    def _roll(self) -> None:
        """Closes the full file and begins the next, whose first row chains on."""
        following = self._folder / f"{int(self._path.stem) + 1:06d}.sqlite"
        with refusals(following):
            connection = _open_file(following)  # first: without room for it, what is open stays open
            if self._connection.execute("SELECT 1 FROM attachment LIMIT 1").fetchone():
                self._picturesque.append(self._path)
        self._connection.close()
        self._path, self._connection, self._first = following, connection, self._seq + 1

    def _first_seq(self) -> int:
        first = self._connection.execute("SELECT min(seq) FROM journal").fetchone()[0]
        return self._seq + 1 if first is None else int(first)


def open_journal(folder: Path, *, rows_per_file: int = ROWS_PER_FILE) -> SqliteJournal:
    """The journal in this state folder, for its one writer; refuses a damaged one."""
    journal = folder / "journal"
    journal.mkdir(parents=True, exist_ok=True)
    sync_folder(folder)
    if sqlite3.sqlite_version_info < SAFE_SQLITE:
        safe = ".".join(map(str, SAFE_SQLITE))
        log.warning("journal.sqlite_old", version=sqlite3.sqlite_version, safe=safe, answer="one connection writes")
    else:
        log.info("journal.sqlite", version=sqlite3.sqlite_version)
    lock = lock_writer(journal)
    try:
        if (journal / PLAN).exists():
            raise JournalError(f"{journal / PLAN}: a damaged part is being set aside: start the line, which ends that")
        refuse_without_newest(journal, max(journal_files(journal), default=None))
        return SqliteJournal(journal, lock, rows_per_file=rows_per_file)
    except ArchiveDamaged as error:
        os.close(lock)
        raise JournalError(f"{journal}: {error}") from error
    except sqlite3.Error as error:
        os.close(lock)
        raise fault_of(journal, error) from error
    except JournalError:
        os.close(lock)
        raise


def lock_writer(journal: Path) -> int:
    """Takes the place of its one writer, until this is closed."""
    lock = os.open(journal / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise JournalHeld(f"{journal}: another process writes this journal") from error
    return lock


def fault_of(at: Path, error: sqlite3.Error) -> JournalError:
    """What SQLite says against a file: that it is damaged, or that it is locked, full, unreadable, …"""
    damaged = getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    is_none = "no such table" in str(error)  # an empty file is a database too
    return (JournalDamaged if damaged or is_none else JournalError)(f"{at}: {error}")


def journal_files(journal: Path) -> list[Path]:
    """The files of a journal, oldest first."""
    return sorted(journal.glob("[0-9][0-9][0-9][0-9][0-9][0-9].sqlite"))


def _open_file(path: Path) -> sqlite3.Connection:
    """A connection that writes; a file that is not there is made."""
    if not path.exists():
        make_file(path)
    return _connect(path)


def make_file(path: Path, fill: Callable[[sqlite3.Connection], object] = lambda _: None) -> None:
    """Made aside, with what `fill` puts there, so that readers find whole files only."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with closing(_connect(new)) as connection:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA}")
        fill(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # closing does so too, and hides what fails
    new.rename(path)
    sync_folder(path.parent)


def _connect(path: Path, *, made: bool = False) -> sqlite3.Connection:
    """`made`: an older file is opened again, and never made anew in the place of one that was archived meanwhile."""
    mode = "rw" if made else "rwc"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        connection.execute("PRAGMA secure_delete = OFF")  # overwriting pruned pictures would double what is written
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _checked_head(files: list[Path], newest: sqlite3.Connection) -> tuple[int, bytes]:
    """The last row's seq and hash, after a look at the newest file and the chain of its last rows."""
    if files[-1].stat().st_size <= CHECK_BYTES:
        found = newest.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise JournalDamaged(f"{files[-1]}: quick_check says {found!r}, not 'ok'")
    tail = _tail(newest)
    if len(tail) <= TAIL_ROWS:  # the file begins here: its first row follows the last of the file before
        tail = (_tail_of(files[-2])[-1:] if len(files) > 1 else []) + tail
    if not tail:
        return 0, GENESIS
    begins = tail[0].seq == 1
    after, previous = (0, GENESIS) if begins else (tail[0].seq, hash_of(tail[0]))
    if fault := first_fault(tail if begins else tail[1:], after=after, previous=previous):
        raise JournalDamaged(f"{files[-1]}: row {fault.seq}: {fault.fault}: {fault.found}, not {fault.expected}")
    return tail[-1].seq, hash_of(tail[-1])


def _tail_of(path: Path) -> list[Line]:
    with closing(_connect(path, made=True)) as connection:
        return _tail(connection)


def _tail(connection: sqlite3.Connection) -> list[Line]:
    """The last rows of a file, in order; one more than are checked, for the hash before them."""
    found = connection.execute(
        f"SELECT {COLUMNS} FROM journal ORDER BY seq DESC LIMIT ?",  # noqa: S608 - a constant
        (TAIL_ROWS + 1,),
    )
    return [Line(*each) for each in found][::-1]


def _has_pictures(path: Path) -> bool:
    try:
        with closing(_connect(path, made=True)) as connection:
            return connection.execute("SELECT 1 FROM attachment LIMIT 1").fetchone() is not None
    except sqlite3.OperationalError:
        if path.exists():
            raise
        return False  # archived while we looked
