"""What the benchmark of the audit store asks is answered, and means the same with and without indexes and counts."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.history import _copy_without_indexes, fill, fresh_store
from benchmarks.history_questions import NAMES, UNINDEXED, YEAR, questions
from benchmarks.history_rows import CAMERAS, STATION, year_of_rows
from monitor.messages import Outcome
from monitor.rows import Kind
from storage.audit import AuditStore
from storage.database import open_engine

ROWS = 3000


@pytest.fixture
def year(tmp_path: Path) -> Any:
    with fresh_store("sqlite", tmp_path) as url:
        folder, _ = fill(url, ROWS, tmp_path, print)
        yield url, folder


def plainly(url: str, name: str) -> list[Any]:
    engine = open_engine(url, writes=False)
    with engine.begin() as connection:
        found = list(
            connection.execute(text(UNINDEXED[name]), {"s": STATION, "since": YEAR.since, "until": YEAR.until})
        )
    engine.dispose()
    return found


def test_every_question_means_what_its_twin_means(year: tuple[str, Path]) -> None:
    url, folder = year
    store = AuditStore(url, STATION, writes=False)
    asked = questions(store, folder, random.Random(1))
    for name in NAMES:
        asked[name]()
    _copy_without_indexes(url)

    assert [row[0] for row in plainly(url, "page-first")] == [each.seq for each in asked["page-first"]()]  # type: ignore[attr-defined]
    quality: Counter[tuple[Any, ...]] = Counter()
    for starts_at, camera, outcome, reason, number in plainly(url, "report-quality"):
        quality[starts_at, camera, outcome, reason or ""] += number
    counted = {(q.starts_at, q.camera, q.outcome, q.reason): q.verdicts for q in store.reports.quality(YEAR)}
    assert counted == quality
    cells = {(c.camera, c.across, c.along): c.defects for c in store.reports.density(YEAR)}
    assert cells == {(camera, x, y): number for camera, x, y, number in plainly(url, "report-map")}
    defects = sum(each.defects for each in store.reports.pareto(YEAR))
    assert defects == sum(row[3] for row in plainly(url, "report-pareto"))
    store.close()


def test_a_year_has_what_a_line_has() -> None:
    entries = list(year_of_rows(30_000))

    verdicts = [each for each in entries if each.kind is Kind.VERDICT]
    shares = {o: sum(each.outcome is o for each in verdicts) / len(verdicts) for o in Outcome}
    assert len(verdicts) == 30_000
    assert 0.015 < shares[Outcome.REJECT] < 0.03
    assert 0 < shares[Outcome.NOT_INSPECTED] < 0.01
    assert sum(each.kind is Kind.ACTUATED for each in entries) == 30_000 // len(CAMERAS)
    assert any(each.kind is Kind.CORRECTION for each in entries)
