"""Whether a journal is sound, as far as a start can wait for the answer, and where it first is not.

Every page of the newest files is looked at, 256 MiB of them; of older files both ends of their chain, and of the whole
whether it still is what was signed last. `linectl verify` looks at every row.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from storage.archive import ArchiveDamaged, archived_files
from storage.chain import GENESIS, Line, first_fault, hash_of
from storage.journal import BUSY_MS, CHECK_BYTES, COLUMNS, TAIL_ROWS, fault_of, journal_files
from storage.journal_errors import JournalDamaged, JournalError
from storage.projection import Cursor, before_break, stands_in
from storage.proof.checkpoints import CheckpointFault, last_signed, signed_before
from storage.reader import JournalReader

BEGINNING = Cursor(0, GENESIS)
SELECT = f"SELECT {COLUMNS} FROM journal"  # noqa: S608 - a constant


class Damage(msgspec.Struct, frozen=True, kw_only=True):
    """Where a journal ceases to be sound."""

    file: str  # the first that is damaged
    last: Cursor  # the last sound row
    why: str


def find_damage(folder: Path) -> Damage | None:
    """The first damage of the journal in this state folder; None where it is sound.

    JournalError where nobody can say: it is locked, say, or its disk cannot be read.
    """
    files = journal_files(folder / "journal")
    found: Damage | None = None
    left = CHECK_BYTES
    for at in reversed(range(len(files))):
        left -= files[at].stat().st_size
        try:
            _check_file(files[at], _end_before(files, at), every_page=left >= 0)
        except JournalDamaged as error:
            found = Damage(file=files[at].name, last=BEGINNING, why=str(error))
    if found is None:
        return _unlike_signed(folder, files)
    at = [path.name for path in files].index(found.file)
    return msgspec.structs.replace(found, last=_sound_to(files[at], _end_before(files, at)))


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A file of a journal, to be read only; whatever SQLite says against it becomes a JournalError."""
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise fault_of(path, error) from error


def _check_file(path: Path, before: Cursor | None, *, every_page: bool) -> None:
    """Raises JournalDamaged where pages, the file's last rows, or its place behind the rows before are not right."""
    with opened(path) as connection:
        if every_page and (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise JournalDamaged(f"{path.name}: quick_check says {found!r}, not 'ok'")
        first = [Line(*cells) for cells in connection.execute(f"{SELECT} ORDER BY seq LIMIT 1")]
        tail = [Line(*cells) for cells in connection.execute(f"{SELECT} ORDER BY seq DESC LIMIT {TAIL_ROWS}")][::-1]
    fault = before and first_fault(first, after=before.seq, previous=before.hash)
    if tail and not fault:
        fault = first_fault(tail[1:], after=tail[0].seq, previous=hash_of(tail[0]))
    if fault:
        raise JournalDamaged(f"{path.name}: row {fault.seq}: {fault.fault}: {fault.found}, not {fault.expected}")


def _end_before(files: list[Path], at: int) -> Cursor | None:
    """The last row before this file, be it archived; None where nobody can say, since the file before is damaged."""
    for path in reversed(files[:at]):
        try:
            with opened(path) as connection:
                if found := connection.execute(f"{SELECT} ORDER BY seq DESC LIMIT 1").fetchone():
                    return Cursor(found[0], hash_of(Line(*found)))
        except JournalDamaged:
            return None
    end = archive_end(files[0].parent)
    is_first = files[0].name == _first_file(files[0].parent)
    return end if end != BEGINNING or is_first else None  # where the oldest are gone, nobody can say


def archive_end(journal: Path) -> Cursor:
    """The last row that is archived; the beginning of the chain where none is. JournalError where nobody can say."""
    try:
        archived = archived_files(journal)
        found = archived[-1].manifest if archived else None
    except ArchiveDamaged as error:
        raise JournalError(str(error)) from error
    return BEGINNING if found is None else Cursor(found.last, bytes.fromhex(found.head))


def _sound_to(path: Path, before: Cursor | None) -> Cursor:
    """How far the rows of a file follow each other, and the one before it where that is known."""
    last = before
    try:
        with opened(path) as connection:
            for cells in connection.execute(f"{SELECT} ORDER BY seq"):
                line = Line(*cells)
                if last and first_fault([line], after=last.seq, previous=last.hash):
                    break
                last = Cursor(line.seq, hash_of(line))
    except JournalDamaged:
        pass  # this far it could be read
    return last or BEGINNING


def _unlike_signed(folder: Path, files: list[Path]) -> Damage | None:
    """A journal that is sound by itself, and is not the one that the last checkpoint was signed over."""
    try:
        signed = last_signed(folder)
    except CheckpointFault:
        return None  # `linectl verify` names it; nothing is said of the journal
    with JournalReader(folder) as reader:
        if signed is None or not signed.seq or stands_in(signed, reader) or before_break(signed, reader):
            return None
        head = Cursor(*reader.head())
        if signed.seq > head.seq:
            why = f"row {signed.seq} was signed, and the journal ends with row {head.seq}"
            return Damage(file=files[-1].name if files else _first_file(folder / "journal"), last=head, why=why)
        last = next((each for each in signed_before(folder) if stands_in(each, reader)), BEGINNING)
    why = f"row {signed.seq} was signed as {signed.hash.hex()}, and is another"
    if last.seq < archive_end(folder / "journal").seq:
        raise JournalError(f"{folder / 'journal'}: {why}, behind row {last.seq}, which is archived: linectl verify")
    return Damage(file=_file_behind(files, last.seq).name, last=last, why=why)


def _first_file(journal: Path) -> str:
    """What the first file behind the archive is called."""
    archived = archived_files(journal)
    return f"{archived[-1].number + 1 if archived else 1:06d}.sqlite"


def _file_behind(files: list[Path], seq: int) -> Path:
    """The file that has the row behind this one."""
    for path in reversed(files):
        with opened(path) as connection:
            first = connection.execute("SELECT min(seq) FROM journal").fetchone()[0]
        if first is not None and first <= seq + 1:
            return path
    return files[0]
