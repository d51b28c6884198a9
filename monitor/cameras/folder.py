"""Replays the images of a folder in name order: the list of files is the trigger source, and its log remembers it.

The log (`source-<camera>.jsonl`) gets a line per trigger, fsynced before the file is opened, so that a file whose
reading kills the process is counted all the same.
"""

import json
import os
import time
from pathlib import Path

from config.cameras import FolderCamera
from config.loader import package_path
from monitor.bus.wire import End
from monitor.cameras import Exposed, Note
from monitor.cameras.count import TriggerCount
from monitor.cameras.picture import Unreadable, read_picture
from monitor.messages import Counter


class FolderError(Exception):
    """A folder that cannot be a source."""


class FolderStream:
    """Draws the next file when a worker has room, or at its rate."""

    ends: tuple[End, ...] = ()

    def __init__(self, camera: FolderCamera, *, run: str, log_path: Path) -> None:
        self._camera = camera
        self._root = package_path(camera.root)
        self._files = list_files(camera)
        self._count = TriggerCount(camera.name, run=run, log_path=log_path)
        self._most: int = 0  # nothing before go()
        self._told = False  # to go, or to stop
        self._next_s = 0.0

    def go(self, frames: int | None) -> None:
        self._most = len(self._files) if frames is None else min(frames, len(self._files))
        self._told = True
        self._next_s = time.monotonic()

    def stop(self) -> None:
        self._most = self._count.drawn
        self._told = True

    @property
    def ended(self) -> bool:
        """Whether every trigger of this run has been drawn."""
        return self._told and self._count.drawn >= self._most

    def take(self, *, room: int) -> list[Exposed]:
        if self._count.drawn >= self._most:
            return []
        if self._camera.rate is None:
            return [self._draw()] if room > 0 else []
        if time.monotonic() < self._next_s:
            return []
        self._next_s += 1 / self._camera.rate
        return [self._draw()]

    def counter(self) -> Counter:
        return self._count.counter(ended=self.ended)

    def notes(self) -> list[Note]:
        """A file that cannot be read is a row."""
        return []

    def close(self) -> None:
        self._count.close()

    def _draw(self) -> Exposed:
        path = self._files[self._count.drawn]
        name = os.fspath(path.relative_to(self._root))
        slot = self._count.next(file=name)
        self._count.sync()
        at_ns = time.monotonic_ns()
        try:
            picture = read_picture(path, self._camera)
        except Unreadable as found:
            return Exposed(
                slot=slot,
                trigger_count=slot,
                at_count=None,
                at_ns=at_ns,
                pixels=None,
                refusal=found.reason,
                width=found.width,
                height=found.height,
                source=name,
            )
        return Exposed(slot=slot, trigger_count=slot, at_count=None, at_ns=at_ns, pixels=picture, source=name)


def list_files(camera: FolderCamera) -> list[Path]:
    """The files that are triggers, in name order; whatever bears such a name counts, readable or not."""
    root = package_path(camera.root)
    if not root.is_dir():
        raise FolderError(f"{root}: no such folder; root of camera {camera.name!r}")
    paths = sorted(root.glob(camera.pattern))
    if camera.split is not None:
        members = _split(root, camera.split)
        paths = [path for path in paths if _belongs(path.relative_to(root), members)]
    if not paths:
        raise FolderError(
            f"{root}: no name fits {camera.pattern!r}" + (f" in split {camera.split!r}" if camera.split else "")
        )
    return paths


def _split(root: Path, split: str) -> frozenset[str]:
    """The parts named under this key of split.json: folders, or files without their ending."""
    path = root / "split.json"
    try:
        table = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FolderError(f"{path}: cannot be read: {error}") from error
    if not isinstance(table, dict) or not isinstance(table.get(split), list):
        raise FolderError(
            f"{path}: has no list {split!r}; found {sorted(table) if isinstance(table, dict) else type(table)}"
        )
    return frozenset(str(member) for member in table[split])


def _belongs(relative: Path, members: frozenset[str]) -> bool:
    names = {relative.with_suffix("").as_posix(), relative.as_posix(), *(p.as_posix() for p in relative.parents)}
    return not names.isdisjoint(members)
