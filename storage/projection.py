"""What every projection of the journal is: a store that knows how far it has read."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec
import structlog

from monitor.rows import Body, Row, SetAside, read_body
from storage.chain import set_aside_of
from storage.reader import JournalReader

log = structlog.get_logger()


class Cursor(NamedTuple):
    """The last row a store has taken in; the hash says of which journal."""

    seq: int
    hash: bytes


class StoreLost(Exception):
    """The store is away, locked or slow; later it may be back."""


class StoreForeign(Exception):
    """The store's cursor is of another journal: nothing of ours may be mixed with it."""


class Projection(Protocol):
    """A store that the recorder fills. Everything may raise `StoreLost`."""

    def cursor(self) -> Cursor | None:
        """How far it has read; None: it holds nothing."""
        ...

    def project(self, rows: list[Row]) -> None:
        """Takes rows in, with the cursor, all or none; what it has already is passed over."""
        ...

    def restart(self) -> None:
        """Its cursor is of another journal: begin anew, or raise `StoreForeign` where that would lose something."""
        ...

    def close(self) -> None: ...


Picture = Callable[[str], bytes | None]
"""The PNG of this SHA-256, wherever it lies; None where it is gone."""


def bodies_of(rows: list[Row]) -> list[tuple[Row, Body]]:
    """Rows with their bodies; one that cannot be read is left out: `linectl verify` names it, and the rest goes on."""
    found = []
    for row in rows:
        try:
            found.append((row, read_body(row)))
        except msgspec.MsgspecError as error:
            log.error("row.unreadable", seq=row.seq, kind=row.kind, error=str(error))
    return found


def following(cursor: Cursor | None, rows: list[Row]) -> list[Row]:
    """Those of the rows that the store has not taken in; they must begin where it stands."""
    at = 0 if cursor is None else cursor.seq
    new = [row for row in rows if row.seq > at]
    if new and new[0].seq != at + 1 and not _swallows(set_aside_of(new[0].kind, new[0].body), at):
        raise StoreLost(f"the store stands at row {at}, and was given rows from {new[0].seq}: it lost some since")
    return new


def stands_in(cursor: Cursor, journal: JournalReader) -> bool:
    """Whether this cursor is of this journal: its row is there, with its hash."""
    lines = journal.lines(cursor.seq - 1, 1)
    return bool(lines) and lines[0].seq == cursor.seq and lines[0].hash == cursor.hash


def begin(store: Projection, name: str, journal: JournalReader) -> int:
    """The row behind which a store goes on in this journal; one that stands in another begins anew.

    So does one that has taken in rows since set aside, but for one that would lose something: it goes on.
    """
    cursor = store.cursor()
    if cursor is not None and not stands_in(cursor, journal):
        log.warning("store.foreign", store=name, seq=cursor.seq, journal=journal.last_seq())
        try:
            store.restart()
        except StoreForeign:
            if not before_break(cursor, journal):
                raise
        else:
            cursor = None
    return 0 if cursor is None else cursor.seq


def before_break(cursor: Cursor, journal: JournalReader) -> Cursor | None:
    """Of a cursor whose row was set aside with a damaged part, the sound row before that part; None for any other."""
    for line in journal.lines(cursor.seq, 1):
        said = set_aside_of(line.kind, line.body)
        if said is not None and said.last_seq < cursor.seq:
            return Cursor(said.last_seq, bytes.fromhex(said.last_hash))
    return None


def _swallows(said: SetAside | None, at: int) -> bool:
    return said is not None and said.last_seq <= at
