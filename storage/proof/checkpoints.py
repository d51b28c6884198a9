"""Checkpoints: at this moment the journal had so many rows, and its chain ended in this hash. Signed, and chained.

<state folder>/journal/checkpoints.signed    beside the journal
<copy_to>/<station>/checkpoints.signed       in the second place, with keys.signed and the public keys
"""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from config.loader import package_path
from config.station import Station
from monitor.output import sync_folder
from storage.projection import Cursor
from storage.proof.keys import KEYS_FILE, KeyFolder, KeyRecord, SigningKey, is_signed
from storage.proof.signed_lines import append, join, last_line, mirror, read_lines, split

PURPOSE = b"line-monitor checkpoint 1\n"
CHECKPOINTS_FILE = "checkpoints.signed"
FIRST_BEFORE = "0" * 64  # what the first checkpoint names as the one before


class CheckpointFault(Exception):
    """The last checkpoint cannot be read: nothing may follow it."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What is signed."""

    station: str
    number: int  # 1 is the first
    size: int  # rows
    head: str  # hash of row `size`, hex; zeros for no row
    at: int  # wall, ns since 1970
    key: str  # id
    before: str  # SHA-256 of the line before, without its end, hex


class CheckpointFile:
    """The checkpoints beside the journal, for their one writer."""

    def __init__(self, folder: Path, station: str) -> None:
        self.path, self._station = folder / "journal" / CHECKPOINTS_FILE, station

    def last(self) -> Checkpoint | None:
        """The last that is whole; None before the first. CheckpointFault where it is none of ours."""
        line = last_line(self.path)
        try:
            return None if line is None else msgspec.json.decode(split(line).statement, type=Checkpoint)
        except (ValueError, msgspec.MsgspecError) as error:
            raise CheckpointFault(f"{self.path}: its last line is no checkpoint: {error}") from error

    def add(self, key: SigningKey, *, size: int, head: bytes, at: int) -> Checkpoint:
        """Signs that the journal has `size` rows and ends in the hash `head`, at this wall time in ns; durable."""
        line, last = last_line(self.path), self.last()
        checkpoint = Checkpoint(
            station=self._station,
            number=1 if last is None else last.number + 1,
            size=size,
            head=head.hex(),
            at=at,
            key=key.id,
            before=FIRST_BEFORE if line is None else line_hash(line),
        )
        append(self.path, join(key.sign(PURPOSE, msgspec.json.encode(checkpoint))))
        return checkpoint


def line_hash(line: bytes) -> str:
    """The name of a checkpoint's line in the next."""
    return hashlib.sha256(line).hexdigest()


def last_signed(folder: Path) -> Cursor | None:
    """Up to where the journal in this state folder was signed, by one of its keys; None where it never was.

    CheckpointFault where the last line is no checkpoint of ours.
    """
    line = last_line(folder / "journal" / CHECKPOINTS_FILE)
    if line is None:
        return None
    cursor = _cursor(line)
    for key_line in read_lines(folder / "keys" / KEYS_FILE):
        with contextlib.suppress(ValueError, msgspec.MsgspecError):
            key = msgspec.json.decode(split(key_line).statement, type=KeyRecord)
            if is_signed(split(line), PURPOSE, bytes.fromhex(key.public)):
                return cursor
    raise CheckpointFault(f"{folder / 'journal' / CHECKPOINTS_FILE}: its last line is signed by no key of the station")


def signed_before(folder: Path) -> Iterator[Cursor]:
    """What the lines say, newest first, unproven; those that say nothing are left out."""
    for line in reversed(read_lines(folder / "journal" / CHECKPOINTS_FILE)):
        with contextlib.suppress(CheckpointFault):
            yield _cursor(line)


def second_place(station: Station) -> Path | None:
    """Where this station's checkpoints are kept besides; None where none is named."""
    return package_path(station.proof.copy_to) / station.name if station.proof.copy_to else None


def copy_proof(folder: Path, station: str, target: Path) -> int:
    """Brings the second place up to date, keys before what they signed; the bytes of checkpoints added.

    OSError where it is away, CopyForeign where it holds something else. Its parent must be there: a folder made
    where a disk should be mounted would be no second place.
    """
    keys = KeyFolder(folder, station)
    if not target.exists():
        target.mkdir()
        sync_folder(target.parent)
    for public in keys.public_files():
        _copy_whole(public, target / public.name)
    mirror(keys.ring, target / KEYS_FILE)
    return mirror(CheckpointFile(folder, station).path, target / CHECKPOINTS_FILE)


def _cursor(line: bytes) -> Cursor:
    try:
        said = msgspec.json.decode(split(line).statement, type=Checkpoint)
        return Cursor(said.size, bytes.fromhex(said.head))
    except (ValueError, msgspec.MsgspecError) as error:
        raise CheckpointFault(f"no checkpoint: {error}") from error


def _copy_whole(source: Path, copy: Path) -> None:
    """Written in its place, as one may be able to add there and nothing else; a crash may have left half of it."""
    content = source.read_bytes()
    if copy.exists() and copy.read_bytes() == content:
        return
    with copy.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(copy.parent)
