"""A real disk that is small enough to fill."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.storage.conftest import missing

MB = 1_000_000


class SmallDisk:
    """A tmpfs of a test's own."""

    def __init__(self, at: Path) -> None:
        self.at, self._filler = at, at / "filler"

    def fill(self, *, leave_mb: float = 0.0) -> None:
        """Takes all room but this."""
        with self._filler.open("ab") as file:
            try:
                while (left := self.free_mb() - leave_mb) > 0:
                    file.write(bytes(max(1, min(MB, int(left * MB)))))
                    file.flush()
            except OSError:  # full to the last page
                pass

    def empty(self) -> None:
        self._filler.unlink(missing_ok=True)

    def free_mb(self) -> float:
        found = os.statvfs(self.at)
        return found.f_bavail * found.f_frsize / MB


@contextmanager
def a_small_disk(at: Path, mb: int) -> Iterator[SmallDisk]:
    """Mounted here, of this size."""
    at.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mb * MB}", "line-monitor-test", str(at)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        missing(f"the right to mount a tmpfs (be root, or: unshare -rm pytest …): {mounted.stderr.strip()}")
        pytest.fail("unreachable")
    try:
        yield SmallDisk(at)
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)
