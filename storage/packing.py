"""Puts a closed file of the journal into the archive: nothing is lost, whenever it is killed.

    plain file ──▶ tidy copy, its chain checked ──▶ packed, synced, read back ──▶ renamed, folder synced
               ──▶ manifest, synced: now the archive counts ──▶ plain file removed

What is written lies aside, as `….new`, until it is whole. The copy leaves out the room of the pictures that were there.
"""

import hashlib
import lzma
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from monitor.output import sync_folder, write_durably
from monitor.rows import Kind
from storage.archive import (
    ARCHIVE,
    UNPACKED,
    Archived,
    ArchiveDamaged,
    Manifest,
    Range,
    archived_files,
    head_before,
    sha256_of_file,
)
from storage.chain import GENESIS, Line, first_fault, hash_of
from storage.journal import BUSY_MS, COLUMNS
from storage.journal_errors import JournalError

PRESET = 1  # of LZMA: a megabyte of window, as rows are alike; the line has better use for the cores
PAGE_ROWS = 500
BLOCK_BYTES = 1 << 20
STALE_S = 3600.0  # an unpacked file of a reader that was killed; one that lives unlinks it within a minute
FACTS = frozenset({Kind.RUN, Kind.ALARM, Kind.PERSON})

Pace = Callable[[], None]
"""Called between two steps; sleeps, or raises to give up."""


def pack(path: Path, *, pace: Pace) -> Archived:
    """Archives one closed file, which nobody writes and no picture is left in. Raises `JournalError`, OSError."""
    folder = path.parent / ARCHIVE
    folder.mkdir(exist_ok=True)
    sync_folder(path.parent)
    sweep(path.parent)
    archived = Archived(folder / f"{path.stem}.json")
    before = _hash_before(path)
    _truncate_log(path)
    copy, facts, packed = (_aside(each) for each in (folder / path.name, archived.facts, archived.packed))
    found = _copied(path, copy, facts, before, pace)
    plain = _pack_file(copy, packed, pace)
    _sync_file(facts)
    manifest = Manifest(
        number=archived.number,
        first=found.first,
        last=found.last,
        before=before.hex(),
        head=found.head.hex(),
        packed_sha256=sha256_of_file(packed),
        packed_bytes=packed.stat().st_size,
        plain_sha256=plain,
        plain_bytes=copy.stat().st_size,
        facts_sha256=sha256_of_file(facts),
        slots=found.slots,
        epochs=found.epochs,
        archived_at=time.time_ns(),
    )
    _read_back(packed, manifest, pace)
    packed.rename(archived.packed)
    facts.rename(archived.facts)
    sync_folder(folder)
    write_durably(archived.manifest_path, msgspec.json.encode(manifest))
    copy.unlink()
    _remove(path)
    return archived


def finish(journal: Path) -> None:
    """Removes plain files that were archived when we were killed; one whose archive is not whole is packed again."""
    for archived in archived_files(journal):
        path = journal / archived.packed.stem
        if path.exists():
            try:
                wanted = archived.manifest
                is_whole = (wanted.packed_sha256, wanted.facts_sha256) == (
                    sha256_of_file(archived.packed),
                    sha256_of_file(archived.facts),
                )
            except (ArchiveDamaged, OSError):
                is_whole = False
            if is_whole:
                _remove(path)
            else:
                archived.manifest_path.unlink()
                sync_folder(archived.manifest_path.parent)
        elif any(journal.glob(f"{path.name}-*")):
            _remove(path)  # the log that SQLite kept beside it is left


def sweep(journal: Path) -> None:
    """Takes away what was left half-written, and what readers that were killed had unpacked."""
    for path in (journal / ARCHIVE).glob("*.new"):
        path.unlink()
    for path in (journal / ARCHIVE).glob(f"{UNPACKED}*"):
        if time.time() - path.stat().st_mtime > STALE_S:
            path.unlink()


class _Found:
    """What was seen of the rows on their way."""

    def __init__(self) -> None:
        self.first = self.last = 0
        self.head = b""
        self.slots: dict[str, Range] = {}
        self.epochs: dict[str, Range] = {}

    def take(self, line: Line) -> None:
        self.first, self.last, self.head = self.first or line.seq, line.seq, hash_of(line)
        if line.kind == Kind.VERDICT and line.frame is not None and line.slot is not None:
            try:
                _, camera, epoch, _ = line.frame.split("/")
                announced = int(epoch)
            except ValueError as error:
                raise JournalError(
                    f"row {line.seq}: its frame is {line.frame!r}, not station/camera/epoch/seq"
                ) from error
            self.slots[camera] = _widened(self.slots.get(camera), line.slot)
            if announced:
                self.epochs[camera] = _widened(self.epochs.get(camera), announced)


def _copied(path: Path, copy: Path, facts: Path, before: bytes, pace: Pace) -> _Found:
    """Copies the rows, and the facts among them, and holds their chain on the way: a damaged file stays as it is."""
    found = _Found()
    with (
        closing(_connect(path, "ro")) as plain,
        closing(_new(copy, plain)) as whole,
        closing(_new(facts, plain)) as few,
    ):
        after, previous = _first(plain) - 1, before
        while lines := _page(plain, after):
            if fault := first_fault(lines, after=after, previous=previous):
                raise JournalError(f"{path}: row {fault.seq}: {fault.fault}: {fault.found}, not {fault.expected}")
            for line in lines:
                found.take(line)
            after, previous = lines[-1].seq, hash_of(lines[-1])
            insert = f"INSERT INTO journal ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)"  # noqa: S608 - a constant
            whole.executemany(insert, lines)
            few.executemany(insert, [line for line in lines if line.kind in FACTS])
            pace()
        for each in (whole, few):
            each.execute("COMMIT")
    return found


def _pack_file(copy: Path, packed: Path, pace: Pace) -> str:
    """Packs and syncs it; the SHA-256 of the plain one."""
    digest, packer = hashlib.sha256(), lzma.LZMACompressor(preset=PRESET)
    with copy.open("rb") as plain, packed.open("wb") as out:
        while block := plain.read(BLOCK_BYTES):
            digest.update(block)
            out.write(packer.compress(block))
            pace()
        out.write(packer.flush())
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _read_back(packed: Path, manifest: Manifest, pace: Pace) -> None:
    """What was packed comes out again as it went in; else the plain file stays."""
    digest = hashlib.sha256()
    with lzma.open(packed) as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            pace()
    if digest.hexdigest() != manifest.plain_sha256:
        raise JournalError(f"{packed}: reads back as {digest.hexdigest()}, not {manifest.plain_sha256}")


def _remove(path: Path) -> None:
    """The file first: the log beside it is empty by then, and means nothing without it."""
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        each.unlink(missing_ok=True)
    sync_folder(path.parent)


def _hash_before(path: Path) -> bytes:
    """The hash that the first row of this file follows, as the archive has it."""
    if int(path.stem) == 1:  # its first row may be a million: where all of it was set aside, nothing comes before
        return GENESIS
    before = head_before(archived_files(path.parent), int(path.stem))
    if before == GENESIS:
        raise JournalError(f"{path}: the file before it is not archived")
    return before


def _truncate_log(path: Path) -> None:
    """Brings what the log has into the file; decision has closed it for good, so we are the one that writes."""
    with closing(_connect(path, "rw")) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise BlockingIOError(f"{path}: a reader is in its log")


def _new(path: Path, like: sqlite3.Connection) -> sqlite3.Connection:
    """An empty journal file in a transaction; nothing protects it: killed, it is made again."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    for (sql,) in like.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid").fetchall():
        connection.execute(sql)
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return connection


def _page(plain: sqlite3.Connection, after: int) -> list[Line]:
    select = f"SELECT {COLUMNS} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - a constant
    return [Line(*cells) for cells in plain.execute(select, (after, PAGE_ROWS)).fetchall()]


def _first(plain: sqlite3.Connection) -> int:
    return int(plain.execute("SELECT min(seq) FROM journal").fetchone()[0])


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _widened(known: Range | None, value: int) -> Range:
    return (value, value) if known is None else (min(known[0], value), max(known[1], value))
