"""The line and its inspectors: calls on the same thing are compared, and the figures are those worked out by hand."""

from pathlib import Path

import pytest

import storage.reports.judgements
from monitor.labels import TWIN, State
from monitor.messages import Outcome
from monitor.rows import Entry
from storage.reports.agreement import agreement
from storage.reports.forms import FORMS
from storage.reports.page import Page, as_json
from tests.storage.reports.labelled_parts import a_label, a_part, a_store
from tests.storage.reports.pages import HOSTILE, asked_of, table, the_facts

SECOND, LAST = State.SECOND_LOOK, State.ADJUDICATED


@pytest.fixture
def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'audit.sqlite'}"


def made(url: str, entries: list[Entry]) -> Page:
    with asked_of(url, entries) as asked:
        return agreement(asked)


def parts_of(rejects: int, of: int) -> list[Entry]:
    return [a_part(n, Outcome.REJECT, areas=(90.0,)) if n < rejects else a_part(n) for n in range(of)]


def calls(by: str, rejects: set[int], of: int, state: State = State.CORRECTED, trial: int = 1) -> list[Entry]:
    return [a_label(n, "squat" if n in rejects else "good", by, state=state, trial=trial) for n in range(of)]


def a_study() -> list[Entry]:
    """20 parts, the line rejects 0-7. Ann rejects 0-9, Ben 0-6 and 15. Truly defective are 0-8."""
    return a_store(
        parts_of(8, 20),
        calls("ann", set(range(10)), 20),
        calls("ben", {*range(7), 15}, 20, SECOND),
        calls("cy", set(range(9)), 20, LAST),
    )


def test_pairs_are_those_worked_out_by_hand(url: str) -> None:
    page = made(url, a_study())

    line_ann, line_ben, ann_ben = table(page, "Two by two")
    assert [line_ann[k] for k in ("first", "second", "parts")] == ["the line", "ann", 20]
    counts = ("both_reject", "only_first_rejects", "only_second_rejects", "both_pass")
    assert [line_ann[k] for k in counts] == [8, 0, 2, 10]
    assert [line_ben[k] for k in counts] == [7, 1, 1, 11]
    assert [ann_ben[k] for k in counts] == [7, 3, 1, 9]
    chance = 0.4 * 0.5 + 0.6 * 0.5
    assert line_ann["kappa"] == pytest.approx((0.9 - chance) / (1 - chance))
    prevalence = 18 / 40
    chance = 2 * prevalence * (1 - prevalence)
    assert line_ann["ac1"] == pytest.approx((0.9 - chance) / (1 - chance))
    assert line_ann["pabak"] == pytest.approx(0.8)
    assert line_ann["kappa_low"] < line_ann["kappa"] < line_ann["kappa_high"]


def test_against_the_reference(sqlite: str) -> None:
    page = made(sqlite, a_study())

    facts = the_facts(page)
    assert facts["effectiveness"] == pytest.approx(19 / 20)
    assert facts["miss_rate"] == pytest.approx(1 / 9)
    assert facts["false_alarm_rate"] == 0.0
    chance = 0.4 * 0.45 + 0.6 * 0.55
    assert facts["kappa_reference"] == pytest.approx((0.95 - chance) / (1 - chance))
    line, ann, ben = table(page, "Against the reference")
    assert [row["appraiser"] for row in (line, ann, ben)] == ["the line", "ann", "ben"]
    assert (ann["miss_rate"], ann["false_alarm_rate"]) == (0.0, pytest.approx(1 / 11))
    assert (ben["miss_rate"], ben["false_alarm_rate"]) == (pytest.approx(2 / 9), pytest.approx(1 / 11))
    assert (line["miss_rate_n"], line["false_alarm_rate_n"]) == (9, 11)
    assert as_json(page)["missing"] == []
    assert facts["calls"] == 40


def test_an_inspector_with_himself(sqlite: str) -> None:
    trials = [*calls("ann", {0, 1}, 10), *calls("ann", {0, 2}, 10, SECOND, trial=2)]

    page = made(sqlite, a_store(parts_of(2, 10), trials))

    (within,) = table(page, "Each with himself")
    assert (within["appraiser"], within["trials"], within["within_n"], within["within"]) == ("ann", 2, 10, 0.8)


def test_the_twin_is_a_reference_until_somebody_adjudicates(sqlite: str) -> None:
    twin = calls(TWIN, {0, 1, 2}, 4)

    alone = made(sqlite, a_store(parts_of(2, 4), twin))
    assert the_facts(alone)["miss_rate"] == pytest.approx(1 / 3)
    assert the_facts(alone)["inspectors"] == 0

    last = [a_label(2, "good", "cy", state=LAST)]
    decided = made(sqlite.replace("audit", "other"), a_store(parts_of(2, 4), last, twin))
    assert the_facts(decided)["miss_rate"] == 0.0


def test_what_is_no_call_is_left_out(sqlite: str) -> None:
    entries = a_store(
        [*parts_of(2, 4), a_part(4, Outcome.NOT_INSPECTED)],
        [a_label(0, "squat"), a_label(1, "borderline"), a_label(2, "dent", "net-8", state=State.PROPOSED)],
        [a_label(0, "squat", "ben", region=1), a_label(4, "squat")],
    )

    page = made(sqlite, entries)

    (pair,) = table(page, "Two by two")
    assert (pair["second"], pair["parts"], pair["both_reject"]) == ("ann", 1, 1)


def test_a_frame_is_compared_with_a_frame_and_a_part_with_a_part(sqlite: str) -> None:
    parts = [a_part(0), a_part(0, Outcome.REJECT, areas=(90.0,), camera="web")]
    labels = [a_label(0), a_label(0, "squat", camera="web"), a_label(0, "squat", whole_part=True)]

    page = made(sqlite, a_store(parts, labels))

    (pair,) = table(page, "Two by two")
    assert (pair["both_pass"], pair["both_reject"], pair["parts"]) == (1, 2, 3)


def test_were_calls_compared_by_part_a_match_would_be_lost(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""
    take = storage.reports.judgements._take
    monkeypatch.setattr(
        storage.reports.judgements, "_take", lambda found, unit, label: take(found, (unit[0], None), label)
    )
    parts = [a_part(0), a_part(0, Outcome.REJECT, areas=(90.0,), camera="web")]

    page = made(sqlite, a_store(parts, [a_label(0), a_label(0, "squat", camera="web")]))

    (pair,) = table(page, "Two by two")
    assert pair["parts"] == 0


def test_what_is_missing_is_said(sqlite: str) -> None:
    page = made(sqlite, a_store(parts_of(2, 4), [a_label(0, "squat", blind=False), a_label(3)]))

    whats = [gap["what"] for gap in as_json(page)["missing"]]
    assert whats == [
        "No part has an adjudicated label: who is right cannot be said, only who agrees.",
        "1 inspectors have judged parts of this period: two are needed.",
        "1 of 2 calls were not blind: they lean to the verdict.",
    ]
    assert the_facts(page)["kappa_reference"] is None


def test_labels_of_uninspected_parts_alone_say_so(sqlite: str) -> None:
    page = made(sqlite, a_store([a_part(0, Outcome.NOT_INSPECTED)], [a_label(0, "squat")]))

    assert any("ended as NOT_INSPECTED" in gap["what"] for gap in as_json(page)["missing"])


@pytest.mark.parametrize("form", FORMS)
def test_the_same_head_gives_the_same_bytes_and_names_are_text(sqlite: str, form: str) -> None:
    entries = a_store(parts_of(2, 4), calls(HOSTILE, {0}, 4))

    first, second = (FORMS[form](made(sqlite, entries)) for _ in range(2))

    assert first == second
    assert form != "html" or b"<script" not in first


@pytest.mark.parametrize("form", FORMS)
def test_without_labels_the_page_says_how_to_get_them(url: str, form: str) -> None:
    page = made(url, a_store(parts_of(1, 2)))

    assert "linectl labels import" in as_json(page)["missing"][0]["remedy"]
    assert FORMS[form](page)
