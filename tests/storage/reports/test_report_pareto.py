"""Pareto: what is most stands first, ties by name, and "other" last however much it is."""

from pathlib import Path

import pytest

import storage.statistics.pareto
from monitor.messages import Outcome
from storage.reports.page import Gap
from storage.reports.pareto import pareto
from tests.storage.reports.pages import SHIFT_0, asked_of, table, the_facts, two_shifts, verdict

EVERY_SIZE = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@pytest.fixture
def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'audit.sqlite'}"


def test_figures_are_those_worked_out_by_hand(url: str) -> None:
    with asked_of(url, two_shifts()) as asked:
        page = pareto(asked)

    sizes = table(page, "Size of a defect, in figures")
    assert [(row["kind"], row["defects"], row["vital"]) for row in sizes] == [
        ("50 to 100 mm²", 3, True),
        ("0.2 to 0.5 mm²", 1, True),
        ("1 to 2 mm²", 1, False),
    ]
    assert [row["cumulative"] for row in sizes] == pytest.approx([0.6, 0.8, 1.0])
    assert [row["area_mm2"] for row in sizes] == pytest.approx([190.0, 0.3, 1.0], abs=0.05)
    shifts = table(page, "Shift, by when it begins, in figures")
    assert [(row["kind"], row["defects"]) for row in shifts] == [("06:00", 3), ("14:00", 2)]
    assert the_facts(page)["defects"] == 5
    assert the_facts(page)["largest_size"] == "50 to 100 mm²"
    assert page.footer.row_count == 20


def test_other_is_last_and_ties_are_by_name(sqlite: str) -> None:
    entries = [verdict(1, Outcome.REJECT, at=SHIFT_0, areas=EVERY_SIZE)]

    with asked_of(sqlite, entries) as asked:
        sizes = table(pareto(asked), "Size of a defect, in figures")

    assert [(row["kind"], row["defects"]) for row in (sizes[0], sizes[-1])] == [("0 to 0.1 mm²", 1), ("other", 5)]
    assert sizes[-1]["area_mm2"] == pytest.approx(500 + 1000 + 2000 + 5000 + 10_000)


def test_an_other_that_took_its_place_by_size_would_be_seen(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.statistics.pareto, "OTHER", "rest")
    entries = [
        *[verdict(n, Outcome.REJECT, at=SHIFT_0 + n, areas=(60.0,), camera="other") for n in range(3)],
        verdict(4, Outcome.REJECT, at=SHIFT_0 + 4, areas=(60.0,)),
    ]

    with asked_of(sqlite, entries) as asked:
        assert table(pareto(asked), "Camera, in figures")[0]["kind"] == "other"


def test_without_a_defect_the_page_says_so(sqlite: str) -> None:
    with asked_of(sqlite, [verdict(1, Outcome.PASS, at=SHIFT_0)]) as asked:
        page = pareto(asked)

    assert isinstance(page.parts[0], Gap)
    assert "None of 1 verdicts" in page.parts[0].missing
