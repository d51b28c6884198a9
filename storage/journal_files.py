"""The files of a journal as readers see them: plain, or archived, and unpacked where a row of them is asked for."""

import sqlite3
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

from storage.archive import ARCHIVE, Archived, ArchiveDamaged, Manifest, archived_files
from storage.journal import BUSY_MS, journal_files
from storage.journal_errors import JournalError

UNPACKED_MOST = 2  # at once, by one reader: who reads in order needs one
Cells = list[tuple[Any, ...]]


class Segment(NamedTuple):
    """One file of the journal, by its number."""

    number: int
    plain: Path | None  # where it lies as it was written
    archived: Archived | None  # else


class JournalFiles:
    """Of one reader: read-only connections, and what it has unpacked."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._open: dict[Path, sqlite3.Connection] = {}
        self._unpacked: OrderedDict[int, sqlite3.Connection] = OrderedDict()
        self._archived: dict[int, Archived] = {}
        self._firsts: dict[int, int] = {}

    def all(self) -> list[Segment]:
        """Oldest first. All but the last are complete: plain files are looked for first, and so are never missed."""
        plain = {int(path.stem): path for path in journal_files(self._journal)}
        for path in set(self._open) - set(plain.values()):
            if path.parent == self._journal:  # archived since: what we hold open keeps its room on the disk
                self._open.pop(path).close()
        if (self._journal / ARCHIVE).is_dir():
            for each in archived_files(self._journal):
                self._archived.setdefault(each.number, each)
        numbers = sorted(plain.keys() | self._archived.keys())
        return [Segment(number, plain.get(number), self._archived.get(number)) for number in numbers]

    def first(self, segment: Segment) -> int | None:
        """The first row of a file; None where it is begun, and still empty."""
        if segment.number not in self._firsts:
            if segment.plain is None and segment.archived is not None:
                cell: int | None = self._manifest(segment.archived).first
            else:
                cell = self.ask(segment, "SELECT min(seq) FROM journal")[0][0]
            if cell is None:
                return None
            self._firsts[segment.number] = int(cell)
        return self._firsts[segment.number]

    def ask(self, segment: Segment, select: str, arguments: tuple[object, ...] = ()) -> Cells:
        """What a file has; an archived one is unpacked."""
        if segment.plain is not None:
            try:
                return self._plain(segment.plain, immutable=False).execute(select, arguments).fetchall()
            except sqlite3.Error as error:
                if segment.plain.exists():
                    raise JournalError(f"{segment.plain}: {error}") from error
                segment = self._archived_since(segment)
        try:
            return self._unpack(segment).execute(select, arguments).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"file {segment.number}, unpacked: {error}") from error

    def ask_facts(self, segment: Segment, select: str, arguments: tuple[object, ...] = ()) -> Cells:
        """The same of rows of kinds run, alarm and person alone, for which nothing is unpacked."""
        if segment.plain is not None or segment.archived is None:
            return self.ask(segment, select, arguments)
        self._manifest(segment.archived)
        try:
            return self._plain(segment.archived.facts, immutable=True).execute(select, arguments).fetchall()
        except sqlite3.Error as error:
            raise JournalError(f"{segment.archived.facts}: {error}") from error

    def slots(self, segment: Segment) -> dict[str, tuple[int, int]] | None:
        """Of an archived file: camera → the least and the greatest slot with a verdict; None for a plain one."""
        if segment.plain is not None or segment.archived is None:
            return None
        return self._manifest(segment.archived).slots

    def may_have(self, segment: Segment, frame: str) -> bool:
        """Whether a verdict of this frame can be in a file."""
        if segment.plain is not None or segment.archived is None:
            return True
        self._manifest(segment.archived)
        return segment.archived.may_have(frame)

    def close(self) -> None:
        for connection in (*self._open.values(), *self._unpacked.values()):
            connection.close()
        self._open.clear()
        self._unpacked.clear()

    def _plain(self, path: Path, *, immutable: bool) -> sqlite3.Connection:
        if path not in self._open:
            self._open[path] = _connect(path, immutable=immutable)
        return self._open[path]

    def _unpack(self, segment: Segment) -> sqlite3.Connection:
        """Its file is gone from its folder as soon as it is open, so that whoever dies leaves nothing behind."""
        if segment.number in self._unpacked:
            self._unpacked.move_to_end(segment.number)
            return self._unpacked[segment.number]
        if segment.archived is None:
            raise JournalError(f"{self._journal}: file {segment.number} is missing")
        while len(self._unpacked) >= UNPACKED_MOST:
            self._unpacked.popitem(last=False)[1].close()
        try:
            path = segment.archived.unpack()
        except (ArchiveDamaged, OSError) as error:
            raise JournalError(str(error)) from error
        try:
            connection = _connect(path, immutable=True)
            connection.execute("SELECT 1 FROM journal LIMIT 1").fetchall()  # SQLite opens it now, not before
        finally:
            path.unlink(missing_ok=True)
        self._unpacked[segment.number] = connection
        return connection

    def _archived_since(self, segment: Segment) -> Segment:
        """A plain file that was there a moment ago."""
        for each in self.all():
            if each.number == segment.number and each.plain is None:
                return each
        raise JournalError(f"{segment.plain}: is gone, and not archived")

    def _manifest(self, archived: Archived) -> Manifest:
        try:
            return archived.manifest
        except ArchiveDamaged as error:
            raise JournalError(str(error)) from error


def _connect(path: Path, *, immutable: bool) -> sqlite3.Connection:
    lasting = "&immutable=1" if immutable else ""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{lasting}", uri=True, isolation_level=None)
    connection.text_factory = _as_it_lies
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return connection


def _as_it_lies(text: bytes) -> str:
    """Text that an edit has made no UTF-8 breaks its row only, not the reading of all."""
    return text.decode("utf-8", "surrogateescape")
