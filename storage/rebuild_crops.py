"""Makes the image store anew: what the journal still has is put back, what no row names is swept, what is gone is told.

Where rows were set aside, or cannot be read, only what has expired is swept: they may name anything.
Which pictures the rows name is kept in a file of its own while this runs: a year of them would not fit the memory.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from monitor.rows import AlarmBody, PurgeBody, SetAside, VerdictBody, pictures
from storage.chain import GENESIS
from storage.images import ImageStore
from storage.projection import Cursor, bodies_of
from storage.reader import JournalReader

log = structlog.get_logger()


class Naming(NamedTuple):
    """Where a picture is named first."""

    sha256: str
    seq: int
    frame: str


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A picture that a row names, and that nobody has as it was."""

    fault: str  # image_missing, image_corrupt
    sha256: str
    seq: int  # the first row that names it
    frame: str


class Found(msgspec.Struct, kw_only=True):
    """What became of the pictures."""

    kept: int = 0
    restored: int = 0
    swept: int = 0
    lost: list[Lost] = []  # msgspec copies it


def rebuild_crops(folder: Path, journal: JournalReader, progress: Callable[[int, int], None]) -> Found:
    """Walks the journal from its first row, then settles each picture that is named and has not expired since.

    The cursor comes last: what is broken off, the next rebuild or start of the line begins again, and finds it done.
    """
    images, found = ImageStore(folder, journal.attachment), Found()
    images.open()
    images.restart()
    last, at, purged, unread, breaks = journal.last_seq(), Cursor(0, GENESIS), None, 0, 0
    progress(0, last)
    with closing(sqlite3.connect("")) as names:  # a private file, gone when it is closed
        names.execute("CREATE TABLE named (sha256 TEXT PRIMARY KEY, seq INTEGER, frame TEXT) WITHOUT ROWID")
        names.execute("CREATE TABLE expired (sha256 TEXT PRIMARY KEY) WITHOUT ROWID")
        while rows := journal.rows(at.seq):
            bodies = bodies_of(rows)
            unread += len(rows) - len(bodies)
            for row, body in bodies:
                match body:
                    case VerdictBody():
                        named = [(sha256, row.seq, row.frame or "") for sha256 in pictures(body)]
                        names.executemany("INSERT OR IGNORE INTO named VALUES (?, ?, ?)", named)
                        names.executemany("DELETE FROM expired WHERE sha256 = ?", [(each[0],) for each in named])
                    case PurgeBody():
                        gone = [(each,) for each in body.pictures]
                        names.executemany("DELETE FROM named WHERE sha256 = ?", gone)
                        names.executemany("INSERT OR IGNORE INTO expired VALUES (?)", gone)
                        purged = Cursor(row.seq, row.hash)
                    case AlarmBody(set_aside=SetAside()):
                        breaks += 1
                    case _:
                        pass
            at = Cursor(rows[-1].seq, rows[-1].hash)
            progress(at.seq, last)
        for sha256, seq, frame in names.execute("SELECT sha256, seq, frame FROM named ORDER BY seq"):
            _settle(images, journal, found, Naming(sha256, seq, frame))
        if unread or breaks:  # what such a row names is not known: nothing may be called an orphan
            log.warning("images.not_swept", unreadable_rows=unread, breaks=breaks, answer="linectl verify names them")
            over = _expired(images, names)
        else:
            over = _orphans(images, names)
        for sha256 in list(over):
            images.remove(sha256)
            found.swept += 1
    if at.seq:
        images.stand_at(at, purged=purged)
    return found


def _settle(images: ImageStore, journal: JournalReader, found: Found, named: Naming) -> None:
    """Keeps, restores or misses one picture."""
    here = images.get(named.sha256)
    if here is not None and hashlib.sha256(here).hexdigest() == named.sha256:
        found.kept += 1
        return
    attached = journal.attachment(named.sha256)
    if attached is not None and hashlib.sha256(attached).hexdigest() == named.sha256:
        if here is not None:
            images.remove(named.sha256)
        images.put({named.sha256: attached})
        found.restored += 1
        return
    fault = "image_missing" if here is None else "image_corrupt"  # what is left of it stays, for a person
    found.lost.append(Lost(fault=fault, sha256=named.sha256, seq=named.seq, frame=named.frame))


def _expired(images: ImageStore, names: sqlite3.Connection) -> Iterator[str]:
    for (sha256,) in names.execute("SELECT sha256 FROM expired"):
        if images.path(sha256).exists():
            yield sha256


def _orphans(images: ImageStore, names: sqlite3.Connection) -> Iterator[str]:
    for sha256 in images.names():
        if names.execute("SELECT 1 FROM named WHERE sha256 = ?", (sha256,)).fetchone() is None:
            yield sha256
