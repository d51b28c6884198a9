"""Latency: quantiles are ends of buckets, and late is what the gate was told too late."""

from pathlib import Path

import pytest

from monitor.messages import Gate, Outcome
from storage.reports.latency import latency
from storage.reports.page import Gap
from tests.storage.builders import NOON, an_actuated
from tests.storage.reports.pages import asked_of, the_facts, verdict


@pytest.fixture
def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'audit.sqlite'}"


def test_figures_are_those_worked_out_by_hand(url: str) -> None:
    entries = [verdict(n, Outcome.PASS, at=NOON + n, latency_ms=900.0 if n == 99 else 55.0) for n in range(100)]
    entries += [an_actuated(n, Gate.REJECTED, late_ms=3.0 if n == 1 else 0.0) for n in range(4)]

    with asked_of(url, entries) as asked:
        page = latency(asked)

    head, late = page.rows
    assert (head["count"], head["p50_ms"], head["p99_ms"], head["p999_ms"]) == (100, 64.0, 64.0, 1024.0)
    assert late["count"] == 1
    assert late["max_ms"] == pytest.approx(2**1.75)
    assert the_facts(page)["late"] == 0.25
    assert the_facts(page)["late_parts"] == 1
    assert the_facts(page)["way_ms"] == 2400.0
    assert page.footer.row_count == 100


def test_what_takes_longer_than_any_bucket_is_still_a_number(sqlite: str) -> None:
    with asked_of(sqlite, [verdict(1, Outcome.PASS, at=NOON, latency_ms=1e9)]) as asked:
        page = latency(asked)

    assert page.rows[0]["max_ms"] == pytest.approx(2**17.75)


def test_without_a_gate_the_page_says_so(sqlite: str) -> None:
    with asked_of(sqlite, [verdict(1, Outcome.PASS, at=NOON)]) as asked:
        page = latency(asked)

    assert [part.title for part in page.parts if isinstance(part, Gap)] == ["Lateness"]
    assert the_facts(page)["late"] is None
