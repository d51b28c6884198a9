"""How much room the disk of the state folder has, and the reserve: a file that is given up when there is none."""

import os
from pathlib import Path

import structlog

from config.disk import Disk

MB = 1_000_000
log = structlog.get_logger()


class DiskWatch:
    """Of one station."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.disk, self._folder, self._reserve = disk, folder, folder / "reserve"

    def free_mb(self) -> float:
        """Measured now. A reserve that is missing counts as used: giving it up makes no room, but for the last rows."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize / MB - (0 if self.has_reserve else self.disk.reserve_mb)

    @property
    def has_reserve(self) -> bool:
        return self._reserve.exists()

    def make_reserve(self) -> None:
        """Really allocated, or not at all: a file with holes in it would free nothing."""
        aside = self._reserve.with_suffix(".new")
        try:
            with aside.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.disk.reserve_mb * MB)
                os.fsync(file.fileno())
            aside.rename(self._reserve)
        except OSError as error:
            aside.unlink(missing_ok=True)
            log.warning("disk.no_reserve", error=str(error))

    def give_up_reserve(self) -> None:
        """What is written next has room."""
        if self.has_reserve:
            self._reserve.unlink(missing_ok=True)
            log.error("disk.reserve_given_up", reserve_mb=self.disk.reserve_mb)


def open_disk(folder: Path, disk: Disk) -> DiskWatch:
    """Before the journal is opened, which needs some room: where there is none, the reserve makes it."""
    folder.mkdir(parents=True, exist_ok=True)
    watch = DiskWatch(folder, disk)
    if watch.free_mb() < disk.hold_mb:
        watch.give_up_reserve()
    elif not watch.has_reserve:
        watch.make_reserve()
    return watch
