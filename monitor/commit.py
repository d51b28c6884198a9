"""The next commit: everything heard and judged since the last one, made durable together."""

from typing import NamedTuple

from monitor.messages import Outcome, Reason
from monitor.retention_book import RetentionBook
from monitor.rows import Body, Entry, Journal, Kind
from monitor.rules.verdicts import Verdict


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

    def write(self) -> list[Written]:
        """Makes it all durable; the verdicts among it."""
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
