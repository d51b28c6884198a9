"""The next commit: everything heard and judged since the last one, made durable together."""

from collections.abc import Callable
from typing import NamedTuple

import structlog

from monitor.messages import Outcome, Reason
from monitor.retention_book import RetentionBook
from monitor.rows import Body, DiskFull, Entry, Journal, Kind
from monitor.rules.verdicts import Verdict, without_pictures

WAITING_MOST = 10_000  # rows for which a full disk has no room: the line stands long before

log = structlog.get_logger()


class Written(NamedTuple):
    """A verdict that is durable, and its row."""

    verdict: Verdict
    seq: int


class Commit:
    """Collects rows for the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows: list[Entry] = []
        self._verdicts: list[Verdict] = []
        self.retention = RetentionBook()
        self.projected_to = 0  # up to this row the image store has the pictures

    def add(self, *entries: Entry) -> None:
        self._rows += entries

    def row(
        self,
        kind: Kind,
        body: Body,
        *,
        frame: str | None = None,
        slot: int | None = None,
        outcome: Outcome | None = None,
        reason: Reason | None = None,
    ) -> None:
        self.add(Entry(kind=kind, frame=frame, slot=slot, outcome=outcome, reason=reason, body=body))

    def judged(self, verdict: Verdict) -> None:
        """With its pictures."""
        self._verdicts.append(verdict)
        self.add(verdict.entry)

    def write(self, make_room: Callable[[DiskFull], bool]) -> list[Written] | None:
        """Makes it all durable; the verdicts among it. None: the disk is full, and all of it waits for the next time.

        `make_room` is told so, and may add rows; then it is tried once more, without pictures: rows come first. Raises
        `DiskFull` where it says that there is nothing it can do, or where too much waits.
        """
        try:
            return self._append()
        except DiskFull as full:
            if not make_room(full):
                raise
        self._shed_pictures()
        try:
            return self._append()
        except DiskFull:
            if len(self._rows) > WAITING_MOST:
                raise
            return None

    def tidy(self, make_room: Callable[[DiskFull], bool], *, idle: bool) -> None:
        """Drops some of the pictures that the image store has; truncates the log when no trigger is open."""
        try:
            if self.projected_to:
                self._journal.prune(self.projected_to)
            if idle:
                self._journal.checkpoint()
        except DiskFull as full:
            if not make_room(full):
                raise

    def close(self) -> None:
        """Says what was never written; the next start closes those slots as recovered."""
        if self._rows:
            log.error("journal.unwritten", rows=len(self._rows))

    def _append(self) -> list[Written]:
        rows = [*self.retention.tombstones(), *self._rows]  # what is judged with them is later, and keeps its pictures
        if not rows:
            return []
        pictures = {sha256: png for verdict in self._verdicts for sha256, png in verdict.pictures.items()}
        seqs = self._journal.append(rows, pictures)
        self.retention.wrote(rows, seqs)
        places = {id(row): seq for row, seq in zip(rows, seqs, strict=True)}
        written = [Written(verdict, places[id(verdict.entry)]) for verdict in self._verdicts]
        self._rows, self._verdicts = [], []
        return written

    def _shed_pictures(self) -> None:
        bare = {id(verdict.entry): without_pictures(verdict) for verdict in self._verdicts}
        self._verdicts = list(bare.values())
        self._rows = [bare[id(row)].entry if id(row) in bare else row for row in self._rows]
