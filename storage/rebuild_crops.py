"""Makes the image store anew: what the journal still has is put back, what no row names is swept, what is gone is told.

Which pictures the rows name is kept in a file of its own while this runs: a year of them would not fit the memory.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import structlog

from monitor.rows import Row, VerdictBody
from storage.audit_rows import pictures
from storage.images import ImageStore
from storage.projection import Cursor, bodies_of
from storage.reader import JournalReader

log = structlog.get_logger()


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
    """Walks the journal from its first row; the cursor follows, so that a start of the line may go on from there."""
    images, found = ImageStore(folder, journal.attachment), Found()
    images.open()
    images.restart()
    last, after, unread = journal.last_seq(), 0, 0
    progress(0, last)
    with closing(sqlite3.connect("")) as names:  # a private file, gone when it is closed
        names.execute("CREATE TABLE named (sha256 TEXT PRIMARY KEY) WITHOUT ROWID")
        while rows := journal.rows(after):
            bodies = bodies_of(rows)
            unread += len(rows) - len(bodies)
            for row, body in bodies:
                for sha256 in pictures(body) if isinstance(body, VerdictBody) else ():
                    if names.execute("INSERT OR IGNORE INTO named VALUES (?)", (sha256,)).rowcount:
                        _settle(images, journal, found, sha256, row)
            after = rows[-1].seq
            images.stand_at(Cursor(after, rows[-1].hash))
            progress(after, last)
        if unread:  # what such a row names is not known: nothing may be called an orphan
            log.warning("images.not_swept", unreadable_rows=unread, answer="linectl verify names them")
            return found
        for sha256 in _orphans(images, names):
            images.remove(sha256)
            found.swept += 1
    return found


def _settle(images: ImageStore, journal: JournalReader, found: Found, sha256: str, row: Row) -> None:
    """Keeps, restores or misses one picture."""
    here = images.get(sha256)
    if here is not None and hashlib.sha256(here).hexdigest() == sha256:
        found.kept += 1
        return
    attached = journal.attachment(sha256)
    if attached is not None and hashlib.sha256(attached).hexdigest() == sha256:
        if here is not None:
            images.remove(sha256)
        images.put({sha256: attached})
        found.restored += 1
        return
    fault = "image_missing" if here is None else "image_corrupt"  # what is left of it stays, for a person
    found.lost.append(Lost(fault=fault, sha256=sha256, seq=row.seq, frame=row.frame or ""))


def _orphans(images: ImageStore, names: sqlite3.Connection) -> Iterator[str]:
    for sha256 in images.names():
        if names.execute("SELECT 1 FROM named WHERE sha256 = ?", (sha256,)).fetchone() is None:
            yield sha256
