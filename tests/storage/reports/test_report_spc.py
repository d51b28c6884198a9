"""Control charts: limits are those of the books, and what is frozen says by whom."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import storage.reports.series
from monitor.messages import Outcome, Reason
from monitor.rows import Entry
from storage.audit import AuditStore
from storage.report_commands import app
from storage.report_rows import Ending
from storage.reports.forms import FORMS
from storage.reports.frozen import NoBaseline, read_frozen, write_frozen
from storage.reports.page import Gap, Page, Text
from storage.reports.series import between_rejects, fitting
from storage.reports.spc import limits_of, spc
from tests.storage.chained import chained
from tests.storage.reports.pages import HOUR, SHIFT_0, asked_of, the_facts, verdict

REJECTS = (1, 2, 1, 4)  # of 10 inspected, by the hour
MEAN = 0.2
SIGMA = (0.2 * 0.8 / 10) ** 0.5


@pytest.fixture
def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'audit.sqlite'}"


def hours(rejects: tuple[int, ...] = REJECTS, *, inspected: int = 10, unseen: int = 3) -> list[Entry]:
    """So many rejected in each hour, and some that were not inspected besides."""
    entries: list[Entry] = []
    for hour, bad in enumerate(rejects):
        for n in range(inspected + unseen):
            slot, at = hour * 100 + n, SHIFT_0 + hour * HOUR + n
            if n < bad:
                entries.append(verdict(slot, Outcome.REJECT, at=at, areas=(50.0 + hour,)))
            elif n < inspected:
                entries.append(verdict(slot, Outcome.PASS, at=at))
            else:
                entries.append(verdict(slot, Outcome.NOT_INSPECTED, at=at, reason=Reason.DARK))
    return entries


def points(page: Page, chart: str) -> list[dict[str, Any]]:
    return [row for row in page.rows if row["chart"] == chart]


def test_a_p_chart_is_that_of_the_books(url: str) -> None:
    with asked_of(url, hours(), charts=("p", "np", "c")) as asked:
        page = spc(asked)

    shares = points(page, "p")
    assert [point["value"] for point in shares] == pytest.approx([0.1, 0.2, 0.1, 0.4])
    assert [point["centre"] for point in shares] == pytest.approx([MEAN] * 4)
    assert shares[0]["upper"] == pytest.approx(MEAN + 3 * SIGMA)
    assert shares[0]["lower"] == 0.0
    assert points(page, "np")[0]["upper"] == pytest.approx(10 * (MEAN + 3 * SIGMA))
    assert points(page, "c")[0]["upper"] == pytest.approx(2 + 3 * 2**0.5)


def test_laneys_is_the_default_and_widens_by_the_moving_range(url: str) -> None:
    with asked_of(url, hours()) as asked:
        page = spc(asked)

    z = [(share / 10 - MEAN) / SIGMA for share in REJECTS]
    sigma_z = sum(abs(a - b) for a, b in pairwise(z)) / 3 / (2 / 3.141592653589793**0.5)
    assert points(page, "laney-p")[0]["upper"] == pytest.approx(MEAN + 3 * sigma_z * SIGMA)
    assert {str(row["chart"]) for row in page.rows} == {"laney-p", "laney-u", "ewma-area"}
    assert {part.title.split(",")[0] for part in page.parts if isinstance(part, Gap)} == {
        "EWMA of light",
        "EWMA of score",
    }


def test_what_was_not_inspected_is_in_no_subgroup(sqlite: str) -> None:
    with asked_of(sqlite, hours(unseen=50), charts=("p",)) as asked:
        assert points(spc(asked), "p")[0]["value"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("rejected", "charts"),
    [pytest.param(1, ("laney-p", "laney-u"), id="one-in-500"), pytest.param(0, ("g", "t"), id="none-in-500")],
)
def test_rare_rejects_are_drawn_by_what_lies_between(sqlite: str, rejected: int, charts: tuple[str, ...]) -> None:
    entries = hours((rejected,), inspected=500)
    with asked_of(sqlite, entries) as asked:
        found = fitting(asked.reports.spc(asked.period(), storage.reports.spc.span_of(asked, asked.period())))

    assert found[: len(charts)] == charts


def test_between_rejects_are_good_parts_alone() -> None:
    endings = [Ending(0, 10, True), Ending(1, 12, False), Ending(HOUR, 15, True), Ending(3 * HOUR, 16, True)]
    began_anew = [*endings, Ending(4 * HOUR, 3, True), Ending(5 * HOUR, 5, True)]

    at, good, between = between_rejects(began_anew)

    assert good.tolist() == [3, 0, 1]
    assert between.tolist() == [1.0, 2.0, 1.0]
    assert at == [HOUR, 3 * HOUR, 5 * HOUR]


def test_g_and_t_are_drawn_of_the_store(url: str) -> None:
    entries = [
        verdict(n, Outcome.REJECT if n % 30 == 0 else Outcome.PASS, at=SHIFT_0 + n * HOUR // 30) for n in range(121)
    ]

    with asked_of(url, entries, charts=("g", "t")) as asked:
        page = spc(asked)

    assert [point["value"] for point in points(page, "g")] == [29, 29, 29, 29]
    assert [part.missing for part in page.parts if isinstance(part, Gap)] == []
    assert [point["value"] for point in points(page, "t")] == pytest.approx([1.0] * 4)


def test_signals_name_their_rule_and_the_run_is_printed(sqlite: str) -> None:
    entries = hours((1,) * 8 + (10,) + (1,) * 2, inspected=40)

    with asked_of(sqlite, entries, charts=("p",), run=8) as asked:
        page = spc(asked)

    assert {row["signals"] for row in page.rows} == {"", "N1", "N2"}
    assert page.footer.query["run"] == 8
    assert "N2: 8 on one side" in next(part.note for part in page.parts if part.title == "Share rejected, p, head")  # type: ignore[union-attr]
    with asked_of(sqlite, [], charts=("p",)) as asked:
        assert {row["signals"] for row in spc(asked).rows} == {"", "N1"}


def test_phases_have_limits_of_their_own(sqlite: str) -> None:
    entries = hours((1, 2, 1, 6, 7, 6))

    with asked_of(sqlite, entries, charts=("p",), phases=(SHIFT_0 + 3 * HOUR,)) as asked:
        page = spc(asked)

    assert [point["centre"] for point in points(page, "p")] == pytest.approx([4 / 30] * 3 + [19 / 30] * 3)
    assert [point["phase"] for point in points(page, "p")] == [1, 1, 1, 2, 2, 2]


def test_frozen_limits_say_who_and_why(sqlite: str, tmp_path: Path) -> None:
    from storage.reports.asked import Frozen

    with asked_of(sqlite, hours(), charts=("p",)) as asked:
        kept = Frozen(who="Kim", why="new lamp <b>", source="four hours", limits=limits_of(asked))
    write_frozen(tmp_path / "kept.json", "rail-03", kept)
    frozen = read_frozen(tmp_path / "kept.json", "rail-03")
    later = [*hours(), *[verdict(900 + n, Outcome.REJECT, at=SHIFT_0 + 5 * HOUR + n, areas=(9.0,)) for n in range(9)]]

    with asked_of(sqlite, later, charts=("p",), frozen=frozen) as asked:
        page = spc(asked)

    assert [point["centre"] for point in points(page, "p")] == pytest.approx([MEAN] * 5)
    assert [point["signals"] for point in points(page, "p")] == ["", "", "", "", "N1"]
    assert page.parts[0] == Text(title="Frozen limits", text="Kept by Kim: new lamp <b> (from kept.json: four hours).")
    assert b"<b>" not in FORMS["html"](page)


@pytest.mark.parametrize(
    ("station", "text"),
    [
        pytest.param("rail-05", None, id="of-another-station"),
        pytest.param("rail-03", "{", id="torn"),
        pytest.param("rail-03", '{"format": 1}', id="nothing-in-it"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(sqlite: str, tmp_path: Path, station: str, text: str | None) -> None:
    from storage.reports.asked import Frozen

    path = tmp_path / "kept.json"
    with asked_of(sqlite, hours(), charts=("p",)) as asked:
        write_frozen(path, "rail-03", Frozen(who="Kim", why="x", source="y", limits=limits_of(asked)))
    if text is not None:
        path.write_text(text)

    with pytest.raises(NoBaseline):
        read_frozen(path, station)


def test_limits_are_frozen_kept_and_taken_again(folder: Path, tmp_path: Path) -> None:
    store = AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")
    store.project(chained(hours()))
    store.close()
    kept, ask = str(tmp_path / "kept.json"), ["spc", "--station", "rail-03", "--chart", "p"]
    period = ["--freeze-since", "2026-09-21T06:00Z", "--freeze-until", "2026-09-21T08:00Z"]

    nameless = CliRunner().invoke(app, [*ask, *period, "--keep", kept])
    first = CliRunner().invoke(app, [*ask, *period, "--who", "Kim", "--why", "lamp", "--keep", kept])
    again = CliRunner().invoke(app, [*ask, "--baseline", kept])

    assert (nameless.exit_code, first.exit_code, again.exit_code) == (2, 0, 0)
    assert "Limits: frozen" in again.output
    (tmp_path / "kept.json").write_text("{")
    assert CliRunner().invoke(app, [*ask, "--baseline", kept]).exit_code == 2


def test_an_empty_store_gives_a_page_that_says_so(sqlite: str) -> None:
    with asked_of(sqlite, []) as asked:
        page = spc(asked)

    assert isinstance(page.parts[0], Gap)
    assert the_facts(page) == {}
