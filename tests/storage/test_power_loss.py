"""What was acknowledged survives a kill at any write, and the loss of every write that was not synced."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from storage.journal import open_journal
from storage.reader import JournalReader
from tests.storage.conftest import missing

ROWS = 20
ROOT = Path(__file__).parent.parent.parent
CALLS = "openat,close,pwrite64,ftruncate,fsync,fdatasync,unlink,rename"


@pytest.fixture
def strace() -> str:
    program = shutil.which("strace")
    if program is None:
        missing("strace")
    return str(program)


def written(tracer: list[str], folder: Path, synchronous: str) -> int:
    """The rows that a traced writer acknowledged before its end."""
    command = [*tracer, sys.executable, str(ROOT / "tests/storage/writer.py"), str(folder), synchronous, str(ROWS)]
    said = subprocess.run(command, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
    return said.stdout.count(b"ack")


def lose_power(trace: Path, folder: Path, after: Path) -> None:
    """Writes to `after` what the disk holds of `folder` if everything not synced is lost. Names are kept: the
    journal syncs its folder after each rename, and SQLite its log's when it first syncs it."""
    now: dict[str, bytearray] = {}
    disk: dict[str, bytes] = {}
    names: dict[int, str] = {}
    inside = re.escape(str(folder).encode())
    for line in trace.read_bytes().splitlines():
        call = re.sub(rb"^\d+ +", b"", line)
        if found := re.match(rb'openat\([^,]+, "([^"]*)".* = (\d+)', call):
            path = unescaped(found[1])
            names.pop(int(found[2]), None)
            if re.match(inside, path):
                names[int(found[2])] = path.decode()
                now.setdefault(path.decode(), bytearray())
        elif found := re.match(rb"close\((\d+)\)", call):
            names.pop(int(found[1]), None)
        elif (found := re.match(rb'pwrite64\((\d+), "([^"]*)", \d+, (\d+)\)', call)) and int(found[1]) in names:
            content, offset = unescaped(found[2]), int(found[3])
            file = now[names[int(found[1])]]
            file.extend(bytes(max(0, offset + len(content) - len(file))))
            file[offset : offset + len(content)] = content
        elif (found := re.match(rb"ftruncate\((\d+), (\d+)\)", call)) and int(found[1]) in names:
            file = now[names[int(found[1])]]
            file[:] = file[: int(found[2])].ljust(int(found[2]), b"\0")
        elif (found := re.match(rb"f(?:data)?sync\((\d+)\)", call)) and int(found[1]) in names:
            disk[names[int(found[1])]] = bytes(now[names[int(found[1])]])
        elif found := re.match(rb'unlink\("([^"]*)"', call):
            now.pop(unescaped(found[1]).decode(), None)
            disk.pop(unescaped(found[1]).decode(), None)
        elif found := re.match(rb'rename\("([^"]*)", "([^"]*)"\)', call):
            old, new = (unescaped(path).decode() for path in found.groups())
            if old in now:
                now[new] = now.pop(old)
                disk[new] = disk.pop(old, b"")
    for name, durable in disk.items():
        if durable and not name.endswith("-shm"):
            left = after / Path(name).relative_to(folder)
            left.parent.mkdir(parents=True, exist_ok=True)
            left.write_bytes(durable)


def unescaped(text: bytes) -> bytes:
    return bytes.fromhex(text.replace(b"\\x", b"").decode())


def kept(folder: Path) -> int:
    """The rows that a reader finds, and a new start as well."""
    with JournalReader(folder) as reader:
        found = reader.last_seq()
    with open_journal(folder) as journal:
        assert journal.head()[0] == found
    return found


@pytest.mark.parametrize("write", [5, 30, 47, 64, 90, 121])
def test_a_kill_at_any_write_loses_nothing_acknowledged(strace: str, folder: Path, write: int) -> None:
    inject = f"inject=pwrite64:signal=KILL:when={write}"
    tracer = [strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", inject]

    acknowledged = written(tracer, folder, "FULL")

    assert acknowledged < ROWS
    assert acknowledged <= kept(folder) <= acknowledged + 1


@pytest.mark.parametrize(
    ("synchronous", "lost"), [pytest.param("FULL", False, id="full"), pytest.param("NORMAL", True, id="broken-twin")]
)
def test_a_power_loss_loses_nothing_acknowledged(
    strace: str, folder: Path, tmp_path: Path, synchronous: str, lost: bool
) -> None:
    trace, after = tmp_path / "trace", tmp_path / "after" / "rail-03"
    tracer = [strace, "-f", "-qq", "-xx", "-s", "9000000", "--seccomp-bpf", "-o", str(trace), "-e", f"trace={CALLS}"]
    after.mkdir(parents=True)

    acknowledged = written(tracer, folder, synchronous)
    lose_power(trace, folder, after)

    assert acknowledged == ROWS
    assert (kept(after) < ROWS) is lost
