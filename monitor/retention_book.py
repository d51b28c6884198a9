"""Legal holds and purges that people and the recorder send to a running line, as rows: each once.

A purge was planned from rows up to some place, and its row comes later. What rows between the two name is taken out of
it here, and one that a hold may have overtaken is dropped: it is planned again. So the row is right where it stands.
"""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime

import structlog

from monitor.retention import HELD, LIFTED, HoldChange, LegalHold, Purging
from monitor.rows import Entry, Kind, PersonBody, PurgeBody, VerdictBody, pictures

REMEMBERED = 1000  # what was heard: it is said again for seconds
NAMED_MOST = 100_000  # pictures of the last rows; a plan is younger than that, or is made again

log = structlog.get_logger()


class RetentionBook:
    """Between decision's desk and whoever keeps or purges."""

    def __init__(self, *, named_most: int = NAMED_MOST) -> None:
        self._heard: OrderedDict[str, None] = OrderedDict()
        self._purges: list[Purging] = []
        self._named: OrderedDict[str, int] = OrderedDict()  # SHA-256 → the last row that names it
        self._named_most = named_most
        self._known_from: int | None = None  # what rows behind this one name is known; None: nothing was written yet
        self._held_at = 0  # the last row that placed or lifted a hold

    def hear(self, said: HoldChange | Purging) -> list[Entry]:
        """The row for the next commit; none of what was heard before. A purge waits for `tombstones`."""
        key = f"{said.hold.id} {said.lifts}" if isinstance(said, HoldChange) else said.id
        if key in self._heard:
            return []
        self._heard[key] = None
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        if isinstance(said, HoldChange):
            return [hold_entry(said)]
        self._purges.append(said)
        return []

    def tombstones(self) -> list[Entry]:
        """Rows of the purges that were heard, to stand before everything else in the next commit."""
        purges, self._purges = self._purges, []
        rows = []
        for purging in purges:
            if self._known_from is None or purging.through < max(self._known_from, self._held_at):
                log.info("purge.stale", through=purging.through, known_from=self._known_from, held_at=self._held_at)
                continue
            left = [sha256 for sha256 in purging.pictures if self._named.get(sha256, 0) <= purging.through]
            if left:
                rows.append(purge_entry(purging, left))
        return rows

    def wrote(self, rows: Iterable[Entry], seqs: Iterable[int]) -> None:
        """These rows are durable."""
        for row, seq in zip(rows, seqs, strict=True):
            if self._known_from is None:
                self._known_from = seq - 1
            match row.body:
                case VerdictBody():
                    self._name(row.body, seq)
                case PersonBody(hold=LegalHold()):
                    self._held_at = seq
                case _:
                    pass

    def _name(self, body: VerdictBody, seq: int) -> None:
        for sha256 in pictures(body):
            self._named[sha256] = seq
            self._named.move_to_end(sha256)
        while len(self._named) > self._named_most:
            _, self._known_from = self._named.popitem(last=False)


def hold_entry(change: HoldChange) -> Entry:
    """The row of a hold that is placed or lifted."""
    said = hold_text(change.hold)
    body = PersonBody(
        who=change.who,
        what=LIFTED if change.lifts else HELD,
        why=change.why,
        old=said if change.lifts else "",
        new="" if change.lifts else said,
        at=change.at,
        hold=change.hold,
    )
    return Entry(kind=Kind.PERSON, frame=None, slot=None, outcome=None, reason=None, body=body)


def purge_entry(purging: Purging, left: Iterable[str]) -> Entry:
    """The tombstone of these pictures."""
    body = PurgeBody(
        by=purging.by,
        why=purging.why,
        policy=purging.policy,
        through=purging.through,
        at=purging.at,
        pictures=tuple(sorted(left)),
    )
    return Entry(kind=Kind.PURGE, frame=None, slot=None, outcome=None, reason=None, body=body)


def hold_text(hold: LegalHold) -> str:
    """What `old` or `new` of its row says."""
    if hold.slot is not None:
        return f"{hold.id}: slot {hold.slot}"
    ends = [None if at is None else datetime.fromtimestamp(at // 1_000_000_000, UTC) for at in (hold.since, hold.until)]
    since, until = ("" if end is None else f"{end:%Y-%m-%dT%H:%M:%SZ}" for end in ends)
    return f"{hold.id}: captured {since}/{until}"
