"""Pareto: what is most stands first, ties by name, and "other" last however much it is."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

import storage.statistics.pareto
from config.quality import Quality
from monitor.messages import Outcome
from monitor.rows import Entry, VerdictBody
from storage.reports.page import Gap
from storage.reports.pareto import pareto
from tests.storage.lines import RAIL_03
from tests.storage.reports.pages import HOUR, SHIFT_0, asked_of, table, the_facts, two_shifts, verdict

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


def in_zone(entry: Entry, zone: str) -> Entry:
    assert isinstance(entry.body, VerdictBody)
    regions = tuple(msgspec.structs.replace(region, zone=zone) for region in entry.body.regions)
    return msgspec.structs.replace(entry, body=msgspec.structs.replace(entry.body, regions=regions))


def test_a_few_dear_defects_come_before_many_cheap_ones(url: str) -> None:
    edge = [in_zone(verdict(n, Outcome.REJECT, at=SHIFT_0 + n, areas=(60.0,)), "edge") for n in range(2)]
    web = [in_zone(verdict(n, Outcome.REJECT, at=SHIFT_0 + n, areas=(9.0,)), "web") for n in range(2, 8)]
    station = RAIL_03.model_copy(update={"quality": Quality(cost=0.5, zone_costs={"edge": 10.0})})
    kinds: dict[str, Any] = {}
    for weight in ("count", "area", "cost"):
        with asked_of(url, edge + web if not kinds else [], station=station, weight=weight) as asked:
            page = pareto(asked)
        kinds[weight] = [(row["kind"], row["share"]) for row in table(page, "Zone, in figures")]

    assert kinds == {
        "count": [("web", 0.75), ("edge", 0.25)],
        "area": [("edge", pytest.approx(120 / 174)), ("web", pytest.approx(54 / 174))],
        "cost": [("edge", pytest.approx(20 / 23)), ("web", pytest.approx(3 / 23))],
    }
    assert the_facts(page)["cost"] == pytest.approx(23.0)
    assert page.footer.query["weight"] == "cost"


def test_before_and_after_leaves_the_shift_of_the_change_out(url: str) -> None:
    shift = 8 * HOUR
    before = [verdict(n, Outcome.REJECT, at=SHIFT_0 + n, areas=(60.0,)) for n in range(20)]
    during = [verdict(n, Outcome.REJECT, at=SHIFT_0 + shift + n, areas=(60.0,)) for n in range(20, 40)]
    after = [verdict(n, Outcome.PASS, at=SHIFT_0 + 2 * shift + n) for n in range(40, 79)]
    after += [verdict(79, Outcome.REJECT, at=SHIFT_0 + 2 * shift + 79, areas=(60.0,))]

    with asked_of(url, before + during + after, change=SHIFT_0 + shift + HOUR) as asked:
        (row,) = table(pareto(asked), f"Zone, before and after {asked.local(SHIFT_0 + shift + HOUR)}")

    assert (row["before"], row["after"], row["change"]) == (20, 1, "fewer")
    assert (row["before_per_1000"], row["after_per_1000"]) == (1000.0, 25.0)
    assert row["ratio"] == pytest.approx(0.025)


def test_a_change_outside_the_period_says_what_is_missing(sqlite: str) -> None:
    with asked_of(sqlite, two_shifts(), change=SHIFT_0 + HOUR) as asked:
        gap = pareto(asked).parts[-1]

    assert isinstance(gap, Gap)
    assert "before" in gap.missing
