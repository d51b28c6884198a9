"""A disk that fails a sync, a file that somebody has locked: nothing is acknowledged that is not durable."""

import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage import journal as journals
from storage.journal import SqliteJournal, journal_files, open_journal
from storage.journal_errors import JournalError
from storage.reader import JournalReader
from tests.storage.builders import a_verdict
from tests.storage.left import check_journal
from tests.storage.traces import ROOT, promised

SYNC = re.compile(r"sync\(\d+<([^>]*)>\) += (-1|0)")


@pytest.mark.parametrize(
    "failing",
    [
        pytest.param("fdatasync:error=EIO:when=20", id="row-67-commit"),
        pytest.param("fdatasync:error=EIO:when=33", id="row-67-commit-of-the-next-file"),
        pytest.param("fdatasync:error=EIO:when=9", id="row-67-new-file"),
        pytest.param("fsync:error=EIO:when=2", id="row-67-new-name"),
    ],
)
def test_a_sync_that_fails_ends_the_writer_and_is_not_tried_again(strace: str, tmp_path: Path, failing: str) -> None:
    trace, folder = tmp_path / "trace", tmp_path / "rail-03"
    folder.mkdir()
    calls = ["-e", "trace=fsync,fdatasync", "-e", f"inject={failing}"]
    writer = [sys.executable, "-m", "tests.storage.writer", "journal", str(folder)]
    tracer = [strace, "-f", "-qq", "-y", "-o", str(trace), *calls]
    done = subprocess.run([*tracer, *writer], cwd=ROOT, capture_output=True, check=False)
    said = tuple(done.stdout.decode().splitlines())

    syncs = SYNC.findall(trace.read_text())
    failed = [result for _, result in syncs].index("-1")
    again = {path for path, _ in syncs[failed + 1 :] if ".new" not in path}  # one half made is thrown away
    assert done.returncode == 1
    assert b"disk I/O error" in done.stderr or b"Input/output error" in done.stderr
    assert again == set()
    with JournalReader(folder) as reader:
        assert reader.last_seq() - promised(said, "row") in (0, 1)  # what was written, and not synced, may be there
    check_journal(tmp_path, said)


def test_row_67_after_a_failed_sync_the_journal_takes_no_row(journal: SqliteJournal) -> None:
    journal.append([a_verdict(1)])
    journal._connection.close()
    journal._connection = Failing(":memory:", isolation_level=None)

    with pytest.raises(JournalError, match="are not written: disk I/O error"):
        journal.append([a_verdict(2)])
    with pytest.raises(JournalError, match="not written any more"):
        journal.append([a_verdict(2)])


class Failing(sqlite3.Connection):
    """What SQLite says when a sync has failed."""

    def execute(self, sql: str, *_: object) -> sqlite3.Cursor:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error


@pytest.fixture
def locked(folder: Path) -> Iterator[sqlite3.Connection]:
    """The file of a journal, which somebody has open to write."""
    open_journal(folder).close()
    other = sqlite3.connect(journal_files(folder / "journal")[0], isolation_level=None, check_same_thread=False)
    with closing(other):
        yield other


def test_row_64_a_lock_within_the_budget_is_waited_for(folder: Path, locked: sqlite3.Connection) -> None:
    with open_journal(folder) as journal:
        locked.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.3, locked.execute, ["ROLLBACK"]).start()

        assert journal.append([a_verdict(1)]) == [1]


def test_row_64_a_lock_beyond_the_budget_acknowledges_nothing(
    folder: Path, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line holds: tests/line/test_bad_journal.py."""
    monkeypatch.setattr(journals, "BUSY_MS", 200)
    with open_journal(folder) as journal:
        locked.execute("BEGIN EXCLUSIVE")
        begun_s = time.monotonic()
        with pytest.raises(JournalError, match="1 rows after 0 are not written: database is locked"):
            journal.append([a_verdict(1)])
        assert time.monotonic() - begun_s < 2.0
        locked.execute("ROLLBACK")

        assert journal.append([a_verdict(1)]) == [1]


def test_without_a_budget_any_lock_is_one_too_many(
    folder: Path, locked: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin of the wait."""
    monkeypatch.setattr(journals, "BUSY_MS", 0)
    with open_journal(folder) as journal:
        locked.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.3, locked.execute, ["ROLLBACK"]).start()

        with pytest.raises(JournalError, match="locked"):
            journal.append([a_verdict(1)])
        time.sleep(0.4)
