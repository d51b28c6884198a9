"""The image store: PNG files named by the SHA-256 of their bytes, `<state folder>/images/ab/abcdef….png`.

A file in its place is whole and durable: it was written aside, synced, renamed, and its folder synced. A picture goes
when the row that says so is taken in, and for no other reason.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import structlog

from monitor.output import sync_folder
from monitor.rows import PurgeBody, Row, VerdictBody, pictures
from storage.projection import Cursor, Picture, StoreLost, bodies_of

_SHA256 = re.compile(r"[0-9a-f]{64}")
log = structlog.get_logger()


class ImageStore:
    """The pictures of one station, and the cursor that says up to which row they are here."""

    def __init__(self, folder: Path, picture: Picture | None = None) -> None:
        self._images, self._picture = folder / "images", picture
        self._incoming = self._images / "incoming"
        self._cursor_file = self._images / "cursor.json"
        self._purged_file = self._images / "purged.json"  # the last tombstone that was obeyed

    def open(self) -> None:
        """Makes the folders, and sweeps what an earlier writer left half-written. For the one writer."""
        with _lost():
            self._incoming.mkdir(parents=True, exist_ok=True)
            for orphan in self._incoming.iterdir():
                orphan.unlink()
            sync_folder(self._images.parent)
            sync_folder(self._images)

    def cursor(self) -> Cursor | None:
        with _lost():
            return _read(self._cursor_file)

    def project(self, rows: list[Row]) -> None:
        """Puts the pictures that these rows name, and deletes those that expire with them; the cursor is written last.

        Where rows come once more, a tombstone that was obeyed is passed over: a later row may have named its pictures
        anew, and the journal has dropped its copies.
        """
        if not rows:
            return
        with _lost():
            obeyed = _read(self._purged_file) or Cursor(0, b"")
        named: dict[str, int] = {}
        expired: set[str] = set()
        last = obeyed
        for row, body in bodies_of(rows):
            match body:
                case VerdictBody():
                    named |= dict.fromkeys(pictures(body), row.seq)
                    expired.difference_update(pictures(body))
                case PurgeBody() if row.seq > obeyed.seq:
                    for sha256 in body.pictures:
                        named.pop(sha256, None)
                    expired.update(body.pictures)
                    last = Cursor(row.seq, row.hash)
                case _:
                    pass
        self._remove(expired)
        missing = {sha256: self._missing(sha256, named[sha256], obeyed.seq) for sha256 in sorted(named)}
        self.put({sha256: png for sha256, png in missing.items() if png is not None})
        self.stand_at(Cursor(rows[-1].seq, rows[-1].hash), purged=None if last == obeyed else last)

    def stand_at(self, cursor: Cursor, *, purged: Cursor | None = None) -> None:
        """Says that the pictures up to this row are here; `purged`: and which tombstone was obeyed last."""
        with _lost():
            if purged is not None:
                self._note(self._purged_file, purged)
            self._note(self._cursor_file, cursor)
            sync_folder(self._images)

    def remove(self, sha256: str) -> None:
        """Takes one picture away."""
        with _lost():
            self.path(sha256).unlink(missing_ok=True)
            sync_folder(self.path(sha256).parent)

    def restart(self) -> None:
        """Begins anew; what is here stays, its names say what it is."""
        with _lost():
            self._cursor_file.unlink(missing_ok=True)

    def put(self, pngs: dict[str, bytes]) -> None:
        """Makes these pictures durable under their names; those that are here already are passed over."""
        with _lost():
            folders: set[Path] = set()
            for sha256, png in pngs.items():
                path = self.path(sha256)
                if path.exists():
                    continue
                if hashlib.sha256(png).hexdigest() != sha256:
                    log.error("image.wrong_name", sha256=sha256, found=hashlib.sha256(png).hexdigest())
                    continue
                if not path.parent.exists():
                    path.parent.mkdir()
                    folders.add(self._images)
                self._write(path, png)
                folders.add(path.parent)
            for folder in sorted(folders):
                sync_folder(folder)

    def get(self, sha256: str) -> bytes | None:
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError:
            return None

    def path(self, sha256: str) -> Path:
        """Where this picture lies; a name that is no SHA-256 reaches no file."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no SHA-256 in lower-case hex")
        return self._images / sha256[:2] / f"{sha256}.png"

    def names(self) -> Iterator[str]:
        """Every picture here."""
        return (path.stem for path in self._images.glob("[0-9a-f][0-9a-f]/*.png"))

    def count(self, named: Iterable[str] | None = None) -> int:
        """How many pictures are here, or how many of those named."""
        if named is None:
            return sum(1 for _ in self.names())
        return sum(self.path(sha256).exists() for sha256 in set(named))

    def close(self) -> None:
        """Nothing is held open."""

    def _remove(self, expired: Iterable[str]) -> None:
        """Deletes these pictures, where they are here, so that they stay away when the power fails."""
        with _lost():
            here = [path for sha256 in sorted(expired) if (path := self.path(sha256)).exists()]
            for path in here:
                path.unlink(missing_ok=True)
            for folder in sorted({path.parent for path in here}):
                sync_folder(folder)
        if here:
            log.info("images.expired", pictures=len(here))

    def _missing(self, sha256: str, seq: int, obeyed: int) -> bytes | None:
        """The bytes of a picture that is not here yet, while the journal has them."""
        if self.path(sha256).exists():
            return None
        png = None if self._picture is None else self._picture(sha256)
        if png is None and seq > obeyed:  # else it may have expired since; `linectl verify` knows
            log.error("image.missing", sha256=sha256)
        return png

    def _note(self, path: Path, at: Cursor) -> None:
        self._write(path, msgspec.json.encode(_CursorFile(seq=at.seq, hash=at.hash)))

    def _write(self, path: Path, content: bytes) -> None:
        incoming = self._incoming / path.name
        with incoming.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        incoming.rename(path)


class _CursorFile(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    hash: bytes


def _read(path: Path) -> Cursor | None:
    if not path.exists():
        return None
    try:
        stated = msgspec.json.decode(path.read_bytes(), type=_CursorFile)
    except msgspec.MsgspecError:
        log.warning("images.cursor_unreadable", file=path.name, answer="begins anew; what is here is passed over")
        return None
    return Cursor(stated.seq, stated.hash)


@contextmanager
def _lost() -> Iterator[None]:
    """A disk that is full, away or read-only loses the store until it is back."""
    try:
        yield
    except OSError as error:
        raise StoreLost(f"images: {error}") from error
