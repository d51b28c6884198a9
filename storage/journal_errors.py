"""What the journal refuses, and why: damage, another writer, and a full disk are told apart."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.rows import DiskFull

FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})  # the second: no room for the index of the log


class JournalError(Exception):
    """The journal is damaged, held by another writer, or cannot be written."""


class JournalFull(JournalError, DiskFull):
    """There is no room for more of it."""


class JournalHeld(JournalError):
    """Another process writes it."""


class JournalDamaged(JournalError):
    """What lies there is no sound journal any more; storage/aside.py moves it aside at the next start of the line."""


def refusal(error: sqlite3.Error, text: str) -> JournalError:
    """A full disk is told from the rest: room can be made, and then it is tried again."""
    is_full = getattr(error, "sqlite_errorcode", None) in FULL
    return (JournalFull if is_full else JournalError)(f"{text}: {error}")


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Whatever SQLite has against it, named by the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise refusal(error, str(path)) from error
