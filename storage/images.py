"""The image store: PNG files named by the SHA-256 of their bytes, `<state folder>/images/ab/abcdef….png`.

A file in its place is whole and durable: it was written aside, synced, renamed, and its folder synced.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import structlog

from monitor.rows import Row, VerdictBody
from storage.audit_rows import pictures
from storage.journal import sync_folder
from storage.projection import Cursor, Picture, StoreLost, bodies_of

_SHA256 = re.compile(r"[0-9a-f]{64}")
log = structlog.get_logger()


class ImageStore:
    """The pictures of one station, and the cursor that says up to which row they are here."""

    def __init__(self, folder: Path, picture: Picture | None = None) -> None:
        self._images, self._picture = folder / "images", picture
        self._incoming = self._images / "incoming"
        self._cursor_file = self._images / "cursor.json"

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
            if not self._cursor_file.exists():
                return None
            try:
                stated = msgspec.json.decode(self._cursor_file.read_bytes(), type=_CursorFile)
            except msgspec.MsgspecError:
                log.warning("images.cursor_unreadable", answer="begins anew; what is here is passed over")
                return None
            return Cursor(stated.seq, stated.hash)

    def project(self, rows: list[Row]) -> None:
        """Puts the pictures that these rows name; the cursor is written last."""
        if not rows:
            return
        named = {sha256 for _, body in bodies_of(rows) if isinstance(body, VerdictBody) for sha256 in pictures(body)}
        self.put({sha256: png for sha256 in sorted(named) if (png := self._missing(sha256)) is not None})
        self.stand_at(Cursor(rows[-1].seq, rows[-1].hash))

    def stand_at(self, cursor: Cursor) -> None:
        """Says that the pictures up to this row are here."""
        with _lost():
            self._write(self._cursor_file, msgspec.json.encode(_CursorFile(seq=cursor.seq, hash=cursor.hash)))
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

    def _missing(self, sha256: str) -> bytes | None:
        """The bytes of a picture that is not here yet, while the journal has them."""
        if self.path(sha256).exists():
            return None
        png = None if self._picture is None else self._picture(sha256)
        if png is None:
            log.error("image.missing", sha256=sha256)  # `linectl verify` names it too
        return png

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


@contextmanager
def _lost() -> Iterator[None]:
    """A disk that is full, away or read-only loses the store until it is back."""
    try:
        yield
    except OSError as error:
        raise StoreLost(f"images: {error}") from error
