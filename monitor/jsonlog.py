"""An append-only log of JSON lines that survives its writer's death: a torn last line is cut at the next start."""

import errno
import json
import os
from pathlib import Path
from typing import Any

from monitor.output import sync_folder

TAIL_BYTES = 4 << 20  # some 15,000 parts


class JsonLog:
    """One writer. A torn last line is what a kill leaves; it is cut off when the log is opened again."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self._path = path
        self._durable = durable
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        if is_new:  # its own sync keeps what it says, not that it is there
            sync_folder(path.parent)
        self._repair()

    def append(self, facts: dict[str, Any]) -> None:
        """One line, on disk before this returns (where the log is durable); all of it, or OSError and none."""
        line = json.dumps(facts, separators=(",", ":")).encode() + b"\n"
        before = os.fstat(self._fd).st_size
        if (written := os.write(self._fd, line)) != len(line):
            os.ftruncate(self._fd, before)
            raise OSError(errno.ENOSPC, f"{written} of {len(line)} bytes written", str(self._path))
        if self._durable:
            self.sync()

    def sync(self) -> None:
        """Everything appended so far is on disk when this returns."""
        os.fdatasync(self._fd)

    def tail(self) -> list[dict[str, Any]]:
        """The last lines, as many as a start needs to know: a log of years is not read whole."""
        size = os.fstat(self._fd).st_size
        begin = max(0, size - TAIL_BYTES)
        text = os.pread(self._fd, size - begin, begin)
        lines = text.split(b"\n")[1 if begin else 0 : -1]  # the first is cut where the log is longer
        return [json.loads(line) for line in lines if line]

    def clear(self) -> None:
        """Empties the log: what it said is said elsewhere."""
        os.ftruncate(self._fd, 0)

    def close(self) -> None:
        os.close(self._fd)

    def _repair(self) -> None:
        size = os.fstat(self._fd).st_size
        if size == 0:
            return
        tail = os.pread(self._fd, min(size, 1 << 20), max(0, size - (1 << 20)))
        if not tail.endswith(b"\n"):
            os.ftruncate(self._fd, size - len(tail) + tail.rfind(b"\n") + 1)


class LogFollower:
    """Reads what is appended to a log from now on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0

    def lines(self) -> list[dict[str, Any]]:
        """The whole lines since the last call."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as log:
            log.seek(self._offset)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a log; none where there is no log. A last line without its end is not there yet."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1] if line]
