"""Runs a writer under strace, and hands out every disk that a power loss may have left it."""

import hashlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.audit import AuditStore
from storage.journal import open_journal
from tests.storage.power import READINGS, Disk, Replay
from tests.storage.writer import ROWS, ROWS_PER_FILE, a_row

ROOT = Path(__file__).parent.parent.parent
VERSION_1 = Path(__file__).parent / "version_1" / "sqlite.sql"
CALLS = (
    "openat,close,lseek,write,pwrite64,ftruncate,fsync,fdatasync,rename,unlink,mkdir,rmdir,"  # those are followed
    "creat,open,dup,dup2,dup3,writev,pwritev,pwritev2,copy_file_range,sendfile,truncate,fallocate,renameat,renameat2,"
    "unlinkat,mkdirat,link,linkat,symlink,symlinkat"  # these must not happen to our files
)
SAMPLE = 0.1  # of the writes after which nothing was promised and nothing became durable
_CALL = re.compile(rb"(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)(?: .*)?$")


@dataclass(frozen=True)
class Traced:
    """A process that has ended, and the folders that it wrote to."""

    trace: Path
    folders: tuple[Path, ...]
    before: Mapping[str, bytes]
    made: tuple[str, ...]  # folders that were there before
    said: tuple[str, ...]

    def disks(self, sample: float = SAMPLE) -> Iterator[Disk]:
        """Every disk that differs from those before it, or by which more was promised.

        After each sync, rename and promise, and after a seeded sample of the plain writes: one that nothing has
        followed yet differs from the next only in how much of the same transaction is lost.
        """
        replay = Replay(self.folders, self.before, self.made)
        chance, seen = random.Random(len(self.before)), set()
        for number, (call, arguments, result) in enumerate(_calls(self.trace)):
            if not replay.take(call, arguments, result):
                continue
            if (
                call in ("write", "pwrite64", "sendfile")
                and not arguments.startswith(b"1,")
                and chance.random() > sample
            ):
                continue
            for reading in READINGS:
                disk = replay.disk(number, reading)
                if (mark := _mark(disk)) not in seen:
                    seen.add(mark)
                    yield disk

    def losses(self, check: Callable[[Path, tuple[str, ...]], None], sample: float = SAMPLE) -> Iterator[str]:
        """What `check` found wrong with which disk; it is given a folder of its own, and what had been promised."""
        for disk in self.disks(sample):
            with a_place() as place:
                disk.put(*[(folder, place / folder.name) for folder in self.folders])
                try:
                    check(place, disk.said)
                except Exception as error:
                    yield f"call {disk.call}, {disk.reading}, {len(disk.said)} promised: {error!r}"


def prepared(place: Path, scenario: str) -> tuple[Path, ...]:
    """The folders that a scenario of tests/storage/writer.py writes to, its state folder first, as it finds them."""
    folder, proof = place / "rail-03", place / "proof"
    folder.mkdir()
    proof.mkdir()
    if scenario == "audit":
        with open_journal(folder) as journal:
            for slot in range(1, ROWS + 1):
                journal.append([a_row(slot)[0]])
        with closing(AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")) as audit:
            audit.cursor()  # makes the tables, in one transaction as a migration
    if scenario == "aside":
        with open_journal(folder, rows_per_file=ROWS_PER_FILE) as journal:
            for slot in range(1, 3 * ROWS_PER_FILE + 1):
                journal.append([a_row(slot)[0]])
        damaged = folder / "journal" / "000002.sqlite"
        damaged.write_bytes(damaged.read_bytes()[:-4096])
    if scenario == "migration":
        with closing(sqlite3.connect(folder / "audit.sqlite")) as old:
            old.executescript(VERSION_1.read_text())
    return folder, proof


def traced(strace: str, trace: Path, folders: tuple[Path, ...], *arguments: str) -> Traced:
    """Runs tests/storage/writer.py with these arguments under strace; `folders` are those that it may write to."""
    before, made = {}, list(map(str, folders))
    for path in (path for folder in folders for path in folder.rglob("*")):
        if path.is_dir():
            made.append(str(path))
        else:
            before[str(path)] = path.read_bytes()
    tracer = [strace, "-f", "-qq", "-xx", "-s", "9000000", "--seccomp-bpf", "-o", str(trace), "-e", f"trace={CALLS}"]
    said = written(tracer, *arguments)
    return Traced(trace, folders, before, tuple(made), said)


def written(tracer: list[str], *arguments: str) -> tuple[str, ...]:
    """What a traced writer said before its end."""
    command = [*tracer, sys.executable, "-m", "tests.storage.writer", *arguments]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False, timeout=60)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return tuple(done.stdout.decode().splitlines())


@contextmanager
def a_place() -> Iterator[Path]:
    """A folder that is gone afterwards; in memory where there is some, as its own syncs need wait for nothing."""
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(prefix="line-", dir=memory if memory.is_dir() else None))
    try:
        yield place
    finally:
        shutil.rmtree(place)


def promised(said: Iterable[str], what: str) -> int:
    """The last number that was said of this: `row 7`."""
    return max((int(line.split()[1]) for line in said if line.startswith(f"{what} ")), default=0)


def _calls(trace: Path) -> Iterator[tuple[str, bytes, int]]:
    """The calls that were answered, in their order."""
    for line in trace.read_bytes().splitlines():
        found = _CALL.match(line)
        assert found or b"<unfinished" not in line, f"two threads write: {line[:200]!r}"
        if found and int(found[3]) >= 0:
            yield found[1].decode(), found[2], int(found[3])


def _mark(disk: Disk) -> bytes:
    digest = hashlib.sha256(repr((len(disk.said), sorted(disk.folders))).encode())
    for name in sorted(disk.files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(disk.files[name]).digest())
    return digest.digest()
