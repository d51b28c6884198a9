"""Closed files of the journal, packed: what lies in the archive, and how it is read.

    <state folder>/journal/archive/000001.sqlite.xz      the file's rows, as SQLite, packed
    <state folder>/journal/archive/000001.facts.sqlite   its rows of kinds run, alarm and person, plain
    <state folder>/journal/archive/000001.json           the manifest; without it the others count for nothing

LZMA, since Python has it wherever it is: an auditor needs no library to read a journal of ten years ago. What a start
of the line asks of old files, it finds in the manifests and among the facts, and unpacks nothing.
"""

import fcntl
import hashlib
import lzma
import os
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from msgspec import Meta

from storage.chain import GENESIS

ARCHIVE = "archive"
UNPACKED = "unpacked-"  # a file that a reader unpacks; unlinked as soon as it is open
BLOCK_BYTES = 1 << 20
SPARE_BYTES = 500_000_000  # a reader leaves so much of a disk: at half of it, as a rule, the line would stand
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Range = tuple[int, int]  # the least and the greatest


class ArchiveDamaged(Exception):
    """An archived file is missing, or is not what its manifest says."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What one archived file holds."""

    number: int  # of the file
    first: int  # row
    last: int
    before: Sha256  # the hash before the first row
    head: Sha256  # the hash of the last
    packed_sha256: Sha256
    packed_bytes: int
    plain_sha256: Sha256
    plain_bytes: Annotated[int, Meta(gt=0)]
    facts_sha256: Sha256
    slots: dict[str, Range]  # of the verdicts of each camera
    epochs: dict[str, Range]  # likewise, of those that a camera announced
    archived_at: int  # wall, ns


class Archived:
    """One archived file."""

    def __init__(self, manifest_path: Path) -> None:
        self.manifest_path, self.number = manifest_path, int(manifest_path.stem)
        self.packed = manifest_path.with_name(f"{manifest_path.stem}.sqlite.xz")
        self.facts = manifest_path.with_name(f"{manifest_path.stem}.facts.sqlite")

    @cached_property
    def manifest(self) -> Manifest:
        """Raises `ArchiveDamaged`."""
        try:
            manifest = msgspec.json.decode(self.manifest_path.read_bytes(), type=Manifest)
        except (OSError, msgspec.MsgspecError) as error:
            raise ArchiveDamaged(f"{self.manifest_path}: {error}") from error
        if manifest.number != self.number or manifest.first > manifest.last:
            raise ArchiveDamaged(f"{self.manifest_path}: is of file {manifest.number}, not of {self.number}")
        return manifest

    def may_have(self, frame: str) -> bool:
        """Whether a verdict of this frame can be here: `rail-03/head/7/000123`."""
        try:
            _, camera, epoch, seq = frame.split("/")
            ranges, at = (self.manifest.epochs, int(epoch)) if int(epoch) else (self.manifest.slots, int(seq))
        except ValueError:
            return False
        least, greatest = ranges.get(camera, (0, -1))
        return least <= at <= greatest

    def unpack(self) -> Path:
        """The plain file, under a name of its own that the caller unlinks. Raises `ArchiveDamaged`."""
        wanted = self.manifest
        file, name = _private_file(self.packed.parent, wanted.plain_bytes)
        try:
            with file:
                fcntl.flock(file, fcntl.LOCK_EX)  # nobody sweeps it
                digest, size = hashlib.sha256(), 0
                for block in self.blocks():
                    size += len(block)
                    digest.update(block)
                    if size > wanted.plain_bytes:
                        break
                    file.write(block)
            if (size, digest.hexdigest()) != (wanted.plain_bytes, wanted.plain_sha256):
                raise ArchiveDamaged(f"{self.packed}: its content is not that of which the manifest has the SHA-256")
        except BaseException:
            name.unlink(missing_ok=True)
            raise
        return name

    def blocks(self) -> Iterator[bytes]:
        """The plain file, block by block. Raises `ArchiveDamaged`."""
        try:
            with lzma.open(self.packed) as packed:
                while block := packed.read(BLOCK_BYTES):
                    yield block
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise ArchiveDamaged(f"{self.packed}: {error}") from error


def archived_files(journal: Path) -> list[Archived]:
    """Those with a manifest, oldest first."""
    return [Archived(path) for path in sorted((journal / ARCHIVE).glob("[0-9][0-9][0-9][0-9][0-9][0-9].json"))]


def refuse_without_newest(journal: Path, newest: Path | None) -> None:
    """Raises `ArchiveDamaged` where the newest file is older than the archive: to begin there would fork the chain."""
    archived = archived_files(journal)
    if archived and (newest is None or int(newest.stem) <= archived[-1].number):
        found = "none" if newest is None else newest.name
        raise ArchiveDamaged(
            f"its newest file is missing: file {archived[-1].number} is archived, and the newest is {found}"
        )


def sha256_of_file(path: Path) -> str:
    """Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def head_before(archived: list[Archived], number: int) -> bytes:
    """The hash of the last row before file `number`; of the chain's beginning for the first."""
    before = [each for each in archived if each.number == number - 1]
    return bytes.fromhex(before[0].manifest.head) if before else GENESIS


def _private_file(beside: Path, size: int) -> tuple[BinaryIO, Path]:
    """Beside the archive, unless one may only read there, or the line needs the room; then in the temporary folder."""
    folders = [each for each in (beside, Path(tempfile.gettempdir())) if _may_take(each, size)]
    if not folders:
        places, needs_mb = f"there nor in {tempfile.gettempdir()} (TMPDIR)", (size + SPARE_BYTES) // 1_000_000
        raise ArchiveDamaged(f"{beside}: cannot be unpacked: neither {places} are {needs_mb} MB free")
    try:
        fd, name = tempfile.mkstemp(prefix=UNPACKED, suffix=".sqlite", dir=folders[0])
    except OSError as error:
        raise ArchiveDamaged(f"{beside}: cannot be unpacked: {error}") from error
    return os.fdopen(fd, "wb"), Path(name)


def _may_take(folder: Path, size: int) -> bool:
    found = os.statvfs(folder)
    return os.access(folder, os.W_OK) and found.f_bavail * found.f_frsize >= size + SPARE_BYTES
