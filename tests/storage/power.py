"""What a disk may hold after a power loss: replays the trace of a process, up to every call that it made.

A file's content is durable by the file's own fsync alone; a name (made, renamed or removed) by the fsync of its
folder alone. From one prefix of the trace come several disks, by what of the rest had reached them:

    strict       nothing: what was not synced is as it was before
    names        the names, and no content: the empty file of a rename without fsync
    content      the content, and no name
    shuffled     any of the writes, in any order, and the names of any of the folders; seeded
    everything   all of it, as after a kill
"""

import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

READINGS = ("strict", "names", "content", "shuffled", "everything")
TORN = 4096  # bytes of a write that reach a disk together
_TEXT = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')


@dataclass
class Inode:
    """A file, whatever its name: what it says now, what is durable, and what was done to it since."""

    now: bytearray = field(default_factory=bytearray)
    disk: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)  # offset and bytes; None: cut, or filled, there

    def write(self, offset: int, content: bytes) -> None:
        _write(self.now, offset, content)
        self.since.append((offset, content))

    def cut(self, size: int) -> None:
        _cut(self.now, size)
        self.since.append((size, None))

    def sync(self) -> None:
        self.disk, self.since = bytes(self.now), []

    def shuffled(self, chance: random.Random) -> bytes:
        """With some of what was done since, in any order, and of a long write any of its parts."""
        pieces: list[tuple[int, bytes | None]] = []
        for offset, content in self.since:
            if content is None:
                pieces.append((offset, None))
            else:
                pieces += [(offset + at, content[at : at + TORN]) for at in range(0, len(content), TORN)]
        pieces = [piece for piece in pieces if chance.random() < 0.5]
        chance.shuffle(pieces)
        file = bytearray(self.disk)
        for offset, content in pieces:
            _cut(file, offset) if content is None else _write(file, offset, content)
        return bytes(file)


@dataclass
class Opened:
    """A file descriptor."""

    path: str
    file: Inode | None  # None: a folder
    at: int = 0
    appends: bool = False


@dataclass(frozen=True)
class Disk:
    """What may be there after a power loss, and what had been promised before it."""

    call: int  # of the trace, after which the power failed
    reading: str
    files: Mapping[str, bytes]  # by path
    folders: frozenset[str]
    said: tuple[str, ...]  # lines that the process had written to its output

    def put(self, *places: tuple[Path, Path]) -> None:
        """Writes it to other folders: of each of `places` the first is the traced one, the second the new one."""
        for traced, place in places:
            place.mkdir(parents=True)
            for name in sorted(self.folders):
                if Path(name).is_relative_to(traced):
                    (place / Path(name).relative_to(traced)).mkdir(parents=True, exist_ok=True)
            for name, content in self.files.items():
                if Path(name).is_relative_to(traced) and not name.endswith("-shm"):  # memory: SQLite makes it anew
                    path = place / Path(name).relative_to(traced)
                    path.write_bytes(content)
                    path.chmod(0o600)  # as private keys have it


class Replay:
    """The file system under some folders, as the calls of a trace change it."""

    def __init__(self, roots: Iterable[Path], before: Mapping[str, bytes], folders: Iterable[str]) -> None:
        """`before` and `folders` were there, durable, when the process began."""
        self._roots = tuple(map(str, roots))
        files = {name: Inode(bytearray(content), content) for name, content in before.items()}
        self._now: dict[str, Inode | None] = dict(files) | dict.fromkeys(folders)  # None: a folder
        self._disk = dict(self._now)
        self._open: dict[int, Opened] = {}
        self.said: list[str] = []

    def take(self, call: str, arguments: bytes, result: int) -> bool:
        """Whether it may have changed what a power loss leaves, or has promised something."""
        texts = [bytes.fromhex(text.replace(b"\\x", b"").decode()) for text in _TEXT.findall(arguments)]
        plain = [part.strip() for part in _TEXT.sub(b"", arguments).split(b",")]
        first = int(plain[0]) if plain[0].isdigit() else -1
        opened = self._open.get(first)
        match call:
            case "openat":
                self._opens(texts[0].decode(), plain[2], result)
                return False
            case "close":
                self._open.pop(first, None)
                return False
            case "lseek" if opened:
                opened.at = result
                return False
            case "write" if first == 1:
                self.said += texts[0].decode().splitlines()
                return True
            case "write" if opened and opened.file:
                opened.at = len(opened.file.now) if opened.appends else opened.at
                opened.file.write(opened.at, texts[0][:result])
                opened.at += result
            case "pwrite64" if opened and opened.file:
                opened.file.write(int(plain[3]), texts[0][:result])
            case "ftruncate" if opened and opened.file:
                opened.file.cut(int(plain[1]))
            case "fsync" | "fdatasync" if opened:
                self._sync(opened)
            case "rename" if self._is_ours(texts[1].decode()):
                old, new = (text.decode() for text in texts)
                assert self._now[old] is not None, "a folder that is renamed is not followed"
                self._now[new] = self._now.pop(old)
            case "unlink" | "rmdir" if self._is_ours(texts[0].decode()):
                self._now.pop(texts[0].decode())
            case "mkdir" if self._is_ours(texts[0].decode()):
                self._now[texts[0].decode()] = None
            case _:
                harmless = not opened and not any(self._is_ours(text.decode(errors="replace")) for text in texts)
                assert harmless, f"{call} changes files, and is not followed"
                return False
        return True

    def disk(self, call: int, reading: str) -> Disk:
        """What the disk holds, if the power fails now."""
        chance = random.Random(f"{call} {reading}")
        names = self._disk if reading in ("strict", "content") else self._now
        if reading == "shuffled":
            names = self._some_names(chance)
        reached = {name: file for name, file in names.items() if _reachable(name, names, self._roots)}
        return Disk(
            call=call,
            reading=reading,
            files={name: _content(file, reading, chance) for name, file in reached.items() if file is not None},
            folders=frozenset(name for name, file in reached.items() if file is None),
            said=tuple(self.said),
        )

    def _opens(self, name: str, flags: bytes, number: int) -> None:
        self._open.pop(number, None)
        if not self._is_ours(name):
            return
        if name not in self._now:
            assert b"O_CREAT" in flags, f"{name} was opened, and is not followed"
            self._now[name] = Inode()
        file = self._now[name]
        if file is not None and b"O_TRUNC" in flags:
            file.cut(0)
        self._open[number] = Opened(name, file, appends=b"O_APPEND" in flags)

    def _sync(self, opened: Opened) -> None:
        if opened.file is not None:
            opened.file.sync()
            return
        inside = {name for name in self._now.keys() | self._disk.keys() if str(Path(name).parent) == opened.path}
        for name in inside:
            if name in self._now:
                self._disk[name] = self._now[name]
            else:
                self._disk.pop(name, None)

    def _some_names(self, chance: random.Random) -> dict[str, Inode | None]:
        """Each folder's names as they are now, or as they are durable."""
        new = {
            folder: chance.random() < 0.5 for folder in sorted({str(Path(n).parent) for n in self._now | self._disk})
        }
        now = {name: file for name, file in self._now.items() if new[str(Path(name).parent)]}
        names = now | {name: file for name, file in self._disk.items() if not new[str(Path(name).parent)]}
        kept, alive = set(map(id, names.values())), set(map(id, self._now.values()))
        for name, file in self._disk.items():  # a rename from folder to folder is one step: the old name, or the new
            if file is not None and id(file) in alive - kept:
                names[name] = file
        return names

    def _is_ours(self, name: str) -> bool:
        return name.startswith(tuple(f"{root}/" for root in self._roots)) or name in self._roots


def _content(file: Inode, reading: str, chance: random.Random) -> bytes:
    match reading:
        case "strict" | "names":
            return file.disk
        case "shuffled":
            return file.shuffled(chance)
        case _:
            return bytes(file.now)


def _reachable(name: str, names: Mapping[str, Inode | None], roots: tuple[str, ...]) -> bool:
    """Whether every folder above it has its name."""
    parent = str(Path(name).parent)
    return name in roots or (parent in names and _reachable(parent, names, roots))


def _write(file: bytearray, offset: int, content: bytes) -> None:
    file.extend(bytes(max(0, offset + len(content) - len(file))))
    file[offset : offset + len(content)] = content


def _cut(file: bytearray, size: int) -> None:
    file[:] = file[:size].ljust(size, b"\0")
