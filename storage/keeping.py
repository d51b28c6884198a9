"""Which pictures the rows so far name, which have expired, and which are under a legal hold; row by row."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from monitor.retention import HELD, LegalHold
from monitor.rows import PersonBody, PurgeBody, Row, VerdictBody, pictures
from storage.projection import bodies_of
from storage.reader import JournalReader


class Naming(NamedTuple):
    """A verdict that names a picture."""

    seq: int
    frame: str
    slot: int
    captured_at: int


class Tombstone(NamedTuple):
    """The row by which a picture expired."""

    seq: int
    at: int  # wall, ns


@dataclass
class Keeping:
    """The pictures that must be there, by what the journal says up to some row."""

    named: dict[str, list[Naming]] = field(default_factory=dict)  # SHA-256 → whoever names it, the first of them first
    expired: dict[str, Tombstone] = field(default_factory=dict)
    holds: dict[str, LegalHold] = field(default_factory=dict)  # in force
    of_verdicts: dict[int, list[int]] = field(default_factory=dict)  # a verdict's row → those by which pictures expired

    def verdict(self, row: Row, body: VerdictBody) -> None:
        """A picture that had expired is there again once a later verdict names it."""
        naming = Naming(row.seq, row.frame or "", row.slot or 0, body.captured_at)
        for sha256 in pictures(body):
            self.named.setdefault(sha256, []).append(naming)
            self.expired.pop(sha256, None)

    def expired_of(self, seq: int, until: int) -> int:
        """How many pictures of a verdict had expired by a row."""
        return sum(at <= until for at in self.of_verdicts.get(seq, []))

    def person(self, body: PersonBody) -> None:
        """Where they placed or lifted a hold."""
        if body.hold is None:
            return
        if body.what == HELD:
            self.holds[body.hold.id] = body.hold
        else:
            self.holds.pop(body.hold.id, None)

    def purge(self, row: Row, body: PurgeBody) -> Iterator[tuple[str, Naming, LegalHold]]:
        """The pictures that expired though somebody had put a hold on them; one of the verdicts, and of the holds."""
        for sha256 in body.pictures:
            namings = self.named.pop(sha256, [])
            for naming in namings:
                self.of_verdicts.setdefault(naming.seq, []).append(row.seq)
            held = ((n, h) for n in namings for h in self.holds.values() if h.covers(n.slot, n.captured_at))
            for naming, hold in islice(held, 1):
                yield sha256, naming, hold
            self.expired[sha256] = Tombstone(row.seq, body.at)


def tombstones(reader: JournalReader, after: int) -> dict[str, Tombstone]:
    """The pictures that expired behind a row; reads from there to the end."""
    found: dict[str, Tombstone] = {}
    while rows := reader.rows(after):
        after = rows[-1].seq
        for row, body in bodies_of([row for row in rows if row.kind == "purge"]):
            if isinstance(body, PurgeBody):
                found |= dict.fromkeys(body.pictures, Tombstone(row.seq, body.at))
    return found


def holds_in_force(reader: JournalReader) -> dict[str, tuple[Row, PersonBody]]:
    """The rows that placed the legal holds which nobody has lifted, by id, oldest first."""
    found: dict[str, tuple[Row, PersonBody]] = {}
    for row, body in reader.alarms_and_people():
        if isinstance(body, PersonBody) and body.hold is not None:
            if body.what == HELD:
                found.setdefault(body.hold.id, (row, body))
            else:
                found.pop(body.hold.id, None)
    return found
