"""A report sees one moment of the store, whatever the recorder takes in meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.loader import load_station
from monitor.messages import Outcome
from storage.audit import AuditStore, Snapshot
from storage.audit_totals import Totals
from storage.report_rows import SingleRows
from storage.reports.asked import Asked
from storage.reports.quality import quality
from tests.storage.chained import chained
from tests.storage.reports.pages import SHIFT_0, the_facts, two_shifts, verdict


def seen_while_rows_come(url: str) -> tuple[float, float]:
    """The coverage before and after a row comes in, both of one snapshot."""
    later = [*two_shifts(), *[verdict(n, Outcome.PASS, at=SHIFT_0 + n) for n in range(100, 180)]]
    writer = AuditStore(url, "rail-03")
    writer.project(chained(two_shifts()))
    reader = AuditStore(url, "rail-03", writes=False)
    station = load_station("rail-03")
    try:
        with reader.snapshot() as snapshot:
            asked = Asked(station=station, folder=Path("/nowhere"), snapshot=snapshot)
            first = quality(asked)
            writer.project(chained(later))
            second = quality(asked)
    finally:
        reader.close()
        writer.close()
    return the_facts(first)["coverage"], the_facts(second)["coverage"]


def test_all_questions_of_a_report_see_the_same_rows(url: str) -> None:
    first, second = seen_while_rows_come(url)

    assert first == second == 0.9


def test_questions_that_each_looked_anew_would_be_seen(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def careless(self: AuditStore) -> Iterator[Snapshot]:
        asked = (self._session, "rail-03")
        yield Snapshot(self.cursor(), self.reports, SingleRows(*asked), self.labels, self.pictures, Totals(*asked))

    monkeypatch.setattr(AuditStore, "snapshot", careless)
    first, second = seen_while_rows_come(url)

    assert first != second
