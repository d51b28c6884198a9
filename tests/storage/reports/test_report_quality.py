"""Quality: what was not inspected is never good, and every figure is the one worked out by hand."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import storage.reports.quality
from monitor.messages import Outcome
from storage.audit import AuditStore
from storage.report_commands import app
from storage.reports.forms import FORMS
from storage.reports.page import Gap, as_json
from storage.reports.quality import quality
from storage.statistics.yields import yield_of_inspected
from tests.storage.chained import chained
from tests.storage.reports.pages import HOSTILE, HOUR, SHIFT_0, asked_of, table, the_facts, two_shifts, verdict


@pytest.fixture
def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'audit.sqlite'}"


def test_figures_are_those_worked_out_by_hand(url: str) -> None:
    with asked_of(url, two_shifts()) as asked:
        page = quality(asked)

    facts = the_facts(page)
    assert facts["coverage"] == 18 / 20
    assert facts["first_pass_yield"] == 15 / 20
    assert facts["yield_of_inspected"] == 15 / 18
    assert facts["rolled_throughput_yield"] == pytest.approx(15 / 20)
    assert facts["dpu"] == pytest.approx(5 / 18)
    assert facts["dpmo"] == pytest.approx(5e6 / 18)
    assert facts["sigma_level_shifted"] == pytest.approx(facts["sigma_level"] + 1.5)
    early, late = table(page, "By shift")
    assert (early["coverage"], early["first_pass_yield"], early["dpu"]) == (0.8, 0.6, 3 / 8)
    assert (late["coverage"], late["first_pass_yield"], late["dpu"]) == (1.0, 0.9, 0.2)
    assert table(page, "Why parts were not inspected") == [
        {"reason": "dark", "camera": "head", "parts": 2, "share_of_triggers": 0.1}
    ]
    assert page.footer.row_count == 20
    assert page.footer.chain_head == chained(two_shifts())[-1].hash.hex()


def test_opportunities_are_printed(sqlite: str) -> None:
    with asked_of(sqlite, two_shifts(), opportunities=4) as asked:
        page = quality(asked)

    assert the_facts(page)["dpmo"] == pytest.approx(5e6 / 18 / 4)
    assert page.footer.query["opportunities"] == 4
    assert b"opportunities per part: 4" in FORMS["html"](page)


def test_a_yield_that_left_out_what_was_not_inspected_would_be_seen(
    sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.reports.quality, "first_pass_yield", yield_of_inspected)

    with asked_of(sqlite, two_shifts()) as asked:
        assert the_facts(quality(asked))["first_pass_yield"] != 15 / 20


def test_a_rolled_yield_is_the_product_of_the_cameras(sqlite: str) -> None:
    entries = [verdict(n, Outcome.PASS if n else Outcome.REJECT, at=SHIFT_0 + n) for n in range(4)]
    entries += [verdict(n, Outcome.PASS if n > 1 else Outcome.REJECT, at=SHIFT_0 + n, camera="web") for n in range(4)]

    with asked_of(sqlite, entries) as asked:
        page = quality(asked)

    assert the_facts(page)["rolled_throughput_yield"] == pytest.approx(3 / 4 * 2 / 4)
    assert [row["camera"] for row in table(page, "By camera")] == ["head", "web"]


def test_a_period_takes_whole_shifts(sqlite: str) -> None:
    late = SHIFT_0 + 8 * HOUR
    with asked_of(sqlite, two_shifts(), since=late + HOUR, until=late + 2 * HOUR) as asked:
        page = quality(asked)

    assert the_facts(page)["coverage"] == 1.0
    assert page.period == "2026-09-21 14:00 to 2026-09-21 22:00, UTC"


@pytest.mark.parametrize("form", FORMS)
def test_the_same_chain_head_gives_the_same_bytes(sqlite: str, form: str) -> None:
    made = []
    for _ in range(2):
        with asked_of(sqlite, two_shifts()) as asked:
            made.append(FORMS[form](quality(asked)))

    assert made[0] == made[1]


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_store_gives_a_page_that_says_so(url: str, form: str) -> None:
    with asked_of(url, []) as asked:
        page = quality(asked)

    assert isinstance(page.parts[0], Gap)
    assert as_json(page)["missing"]
    assert FORMS[form](page)


def test_a_hostile_name_is_only_a_name(sqlite: str) -> None:
    with asked_of(sqlite, [verdict(1, Outcome.PASS, at=SHIFT_0, camera=HOSTILE)]) as asked:
        page = quality(asked)

    assert b"<script" not in FORMS["html"](page)
    assert FORMS["pdf"](page).startswith(b"%PDF")


def linectl(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


@pytest.fixture
def filled(folder: Path) -> Path:
    store = AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")
    store.project(chained(two_shifts()))
    store.close()
    return folder


def test_a_report_is_written_in_each_form(filled: Path, tmp_path: Path) -> None:
    outs = [argument for form in FORMS for argument in ("--out", str(tmp_path / f"q.{form}"))]

    result = linectl("quality", "--station", "rail-03", *outs, "--json", str(tmp_path / "again.json"))

    assert result.exit_code == 0, result.output
    assert (tmp_path / "q.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "q.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "q.xlsx").read_bytes().startswith(b"PK")
    assert (tmp_path / "q.json").read_text() == (tmp_path / "again.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["qualty", "--station", "rail-03"], "'qualty' is not one of", id="name"),
        pytest.param(["quality", "--station", "rail-03", "--out", "q.docx"], "ends in none of", id="ending"),
        pytest.param(["quality", "--station", "rail-03", "--camera", "web"], "is not one of", id="camera"),
        pytest.param(["quality", "--station", "rail-03", "--since", "noon"], "neither ISO 8601", id="time"),
        pytest.param(["quality", "--station", "rail-03", "--since", "1d", "--until", "2d"], "not after", id="order"),
        pytest.param(["quality", "--station", "rail-03", "--out", "/nowhere/q.html"], "no such folder", id="folder"),
    ],
)
def test_a_wrong_question_is_said_and_ends_with_2(filled: Path, arguments: list[str], says: str) -> None:
    result = linectl(*arguments)

    assert result.exit_code == 2
    assert says in " ".join(result.output.replace("│", " ").split())


def test_without_a_store_it_ends_with_2(folder: Path) -> None:
    result = linectl("quality", "--station", "rail-03")

    assert result.exit_code == 2
    assert "no audit store yet" in result.output


def test_with_an_empty_store_it_ends_with_0(folder: Path) -> None:
    store = AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")
    store.cursor()
    store.close()

    result = linectl("quality", "--station", "rail-03")

    assert result.exit_code == 0
    assert "missing:" in result.output
