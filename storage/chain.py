"""The hash chain of the journal: each row's hash covers the row and the hash before it."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from monitor.rows import AlarmBody, Entry, Kind, Row, SetAside, read_body

GENESIS = bytes(32)  # the hash before row 1

Cells = tuple[int, str, str | None, int | None, str | None, str | None, object]
"""seq, kind, frame, slot, outcome, reason and body: all of a row but its hash, as JSON list its canonical form."""


class Line(NamedTuple):
    """A row as SQLite gives it, nothing believed: an edited row may hold anything."""

    seq: int
    kind: str
    frame: str | None
    slot: int | None
    outcome: str | None
    reason: str | None
    body: object  # text
    hash: object  # 32 bytes


class ChainFault(NamedTuple):
    """Where a chain stops holding."""

    seq: int
    fault: str  # "seq_hole": rows are missing here, and none says why; "hash_broken": a row was edited or replaced
    found: str
    expected: str


def row_hash(previous: bytes, cells: Cells) -> bytes:
    """SHA-256(hash before ‖ canonical row)."""
    return hashlib.sha256(previous + msgspec.json.encode(cells)).digest()


def line_of(entry: Entry, seq: int, previous: bytes) -> Line:
    """The row of this entry, behind a row of this hash.

    MsgspecError where its body would not read back: a NaN, say, would become a null that no reader takes.
    """
    body = msgspec.json.encode(entry.body)
    read_body(Row(seq=seq, kind=entry.kind, frame=None, slot=None, outcome=None, reason=None, body=body, hash=b""))
    words = (str(entry.kind), entry.frame, entry.slot, _text(entry.outcome), _text(entry.reason))
    cells = (seq, *words, body.decode())
    return Line(*cells, row_hash(previous, cells))


def faults(lines: Iterable[Line], *, after: int, previous: bytes) -> Iterator[ChainFault]:
    """Each row that does not follow the one before it as that one lies there; `previous` is the hash of row `after`."""
    for line in lines:
        if line.seq != after + 1 and not is_break(line, after):
            yield ChainFault(line.seq, "seq_hole", str(line.seq), str(after + 1))
        try:
            expected = row_hash(previous, line[:7])
        except UnicodeEncodeError:  # an edit left no UTF-8: no row of ours was ever hashed so
            expected = b""
        if line.hash != expected:
            yield ChainFault(line.seq, "hash_broken", hash_of(line).hex(), expected.hex() or "text that is UTF-8")
        after, previous = line.seq, hash_of(line)


def first_fault(lines: Iterable[Line], *, after: int, previous: bytes) -> ChainFault | None:
    """Where the chain first breaks."""
    return next(faults(lines, after=after, previous=previous), None)


def is_break(line: Line, after: int) -> bool:
    """Whether this row says that all between it and row `after`, whose hash it follows, was set aside, damaged."""
    said = set_aside_of(line.kind, line.body)
    return said is not None and said.last_seq == after < line.seq


def set_aside_of(kind: str, body: object) -> SetAside | None:
    """What a row says of a damaged part before it; None for all others, and for what cannot be read."""
    if kind != Kind.ALARM or not isinstance(body, str | bytes):
        return None
    try:
        return msgspec.json.decode(body, type=AlarmBody).set_aside
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return None


def hash_of(line: Line) -> bytes:
    """The hash a row states; empty where it is none."""
    return line.hash if isinstance(line.hash, bytes) else b""


def _text(word: str | None) -> str | None:
    return None if word is None else str(word)
