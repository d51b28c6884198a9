"""Escapes and overkill: each stratum with its weight, 0 of n with its bound, and what nobody looked at is said."""

from collections.abc import Callable
from pathlib import Path

import pytest

import storage.reports.escape
from monitor.labels import State
from monitor.messages import Outcome
from monitor.rows import Entry
from storage.reports.escape import escape, upper_share
from storage.reports.forms import FORMS
from storage.reports.page import Page, as_json
from storage.statistics.missing import Missing
from storage.statistics.strata import Stratum
from tests.storage.builders import a_frame
from tests.storage.reports.labelled_parts import a_label, a_part, a_store
from tests.storage.reports.pages import HOSTILE, asked_of, table, the_facts


@pytest.fixture
def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'audit.sqlite'}"


def made(url: str, entries: list[Entry]) -> Page:
    with asked_of(url, entries) as asked:
        return escape(asked)


def a_day() -> list[Entry]:
    """100 passed with nothing found, 20 reviewed, 1 defective; 10 passed with something, 5 reviewed, 1 defective.

    10 rejected as grey, all reviewed, 4 good; 30 rejected clearly, 3 reviewed, 0 good; 5 not inspected.
    """
    parts = [a_part(n) for n in range(100)]
    parts += [a_part(n, areas=(10.0,)) for n in range(100, 110)]
    parts += [a_part(n, Outcome.REJECT, areas=(38.0,), grey=True) for n in range(110, 120)]
    parts += [a_part(n, Outcome.REJECT, areas=(90.0,)) for n in range(120, 150)]
    parts += [a_part(n, Outcome.NOT_INSPECTED) for n in range(150, 155)]
    labels = [a_label(n, "squat" if n == 0 else "good") for n in range(20)]
    labels += [a_label(n, "dent" if n == 100 else "good") for n in range(100, 105)]
    labels += [a_label(n, "good" if n < 114 else "squat") for n in range(110, 120)]
    labels += [a_label(n, "squat") for n in range(120, 123)]
    return a_store(parts, labels, [a_label(150, "squat")])


def test_figures_are_those_worked_out_by_hand(url: str) -> None:
    page = made(url, a_day())

    facts = the_facts(page)
    escapes, caught = 100 * 1 / 20 + 10 * 1 / 5, 10 * 6 / 10 + 30 * 3 / 3
    assert facts["escape_share"] == pytest.approx(escapes / 110)
    assert facts["overkill_share"] == pytest.approx(4 / 40)
    assert facts["miss_share"] == pytest.approx(escapes / (escapes + caught))
    assert (facts["escapes_seen"], facts["overkill_seen"], facts["not_inspected"]) == (2, 4, 5)
    assert [(r["stratum"], r["parts"], r["reviewed"], r["wrong"]) for r in as_json(page)["rows"]] == [
        ("passed, nothing found", 100, 20, 1),
        ("passed, something found", 10, 5, 1),
        ("rejected, within the grey band", 10, 10, 4),
        ("rejected, clear", 30, 3, 0),
    ]
    assert page.footer.row_count == 155
    assert as_json(page)["missing"] == []


def test_none_of_n_is_bounded_by_1_less_0_05_to_the_1_over_n(sqlite: str) -> None:
    page = made(sqlite, a_store([a_part(n) for n in range(100)], [a_label(n) for n in range(59)]))

    assert the_facts(page)["escape_share"] == 0.0
    assert the_facts(page)["escape_upper"] == pytest.approx(1 - 0.05 ** (1 / 59))
    assert table(page, "Escapes: passed parts that are defective")[0]["upper"] == pytest.approx(1 - 0.05 ** (1 / 59))


def test_a_bound_of_two_strata_holds_for_both() -> None:
    strata = [Stratum(name="a", parts=900, reviewed=50, wrong=0), Stratum(name="b", parts=100, reviewed=10, wrong=0)]

    each = 1 - 0.95**0.5
    assert upper_share(strata) == pytest.approx(0.9 * (1 - each ** (1 / 50)) + 0.1 * (1 - each ** (1 / 10)))


def test_a_stratum_that_nobody_looked_at_may_be_wrong_altogether() -> None:
    strata = [Stratum(name="a", parts=900, reviewed=50, wrong=0), Stratum(name="b", parts=100, reviewed=0, wrong=0)]

    assert upper_share(strata) == pytest.approx(0.9 * (1 - 0.05 ** (1 / 50)) + 0.1)
    assert isinstance(upper_share(strata[1:]), Missing)


def test_without_its_weights_the_grey_parts_would_be_the_line(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: all parts in one stratum."""
    monkeypatch.setattr(storage.reports.escape, "PASSED", ("passed", "passed"))

    assert the_facts(made(sqlite, a_day()))["escape_share"] == pytest.approx(2 / 25)


def test_what_nobody_looked_at_is_said_with_what_to_do(sqlite: str) -> None:
    page = made(sqlite, a_store([a_part(0), a_part(1, Outcome.REJECT, areas=(90.0,))], [a_label(1, "squat")]))

    facts, missing = the_facts(page), as_json(page)["missing"]
    assert (facts["escape_share"], facts["escape_upper"], facts["overkill_share"]) == (None, None, 0.0)
    assert [gap["what"] for gap in missing] == [
        "None of 1 parts (passed, nothing found) has a label that says whether it is good."
    ]
    assert "linectl labels import" in missing[0]["remedy"]


def test_who_does_not_agree_counts_nowhere_until_somebody_decides(sqlite: str) -> None:
    parts = [a_part(n) for n in range(4)]
    twice = [a_label(0), a_label(0, "dent", "ben", state=State.SECOND_LOOK), a_label(1)]

    before = made(sqlite, a_store(parts, twice))
    decided = [*twice, a_label(0, "dent", "cy", state=State.ADJUDICATED)]
    after = made(sqlite, a_store(parts, decided))

    assert the_facts(before)["escapes_seen"] == 0
    assert "as of slot 0" in as_json(before)["missing"][0]["what"]
    assert the_facts(after)["escape_share"] == 0.5


@pytest.mark.parametrize(
    ("labels", "reviewed", "wrong"),
    [
        pytest.param([a_label(0, "good")], 1, 1, id="the-frame-is-good"),
        pytest.param([a_label(0, "good", region=1)], 0, 0, id="one-region-of-two-is-none"),
        pytest.param([a_label(0, "good", region=1), a_label(0, "good", region=2)], 1, 1, id="both-are"),
        pytest.param([a_label(0, "good", region=1), a_label(0, "dent", region=2)], 1, 0, id="one-is-a-defect"),
        pytest.param([a_label(0, "borderline")], 1, 0, id="nobody-can-be-blamed"),
        pytest.param([a_label(0, "squat", "net-8", state=State.PROPOSED)], 0, 0, id="a-proposal-is-no-truth"),
        pytest.param([a_label(0, "good", whole_part=True)], 1, 1, id="the-part"),
    ],
)
def test_what_makes_a_rejected_part_good(sqlite: str, labels: list[Entry], reviewed: int, wrong: int) -> None:
    page = made(sqlite, a_store([a_part(0, Outcome.REJECT, areas=(60.0, 50.0))], labels))

    clear = table(page, "Overkill: rejected parts that are good")[1]
    assert (clear["reviewed"], clear["wrong"]) == (reviewed, wrong)


def test_a_part_of_two_cameras_is_its_worst_frame(sqlite: str) -> None:
    entries = [a_part(0), a_part(0, Outcome.REJECT, areas=(90.0,), camera="web"), a_part(1), a_part(1, camera="web")]
    labels = [
        a_label(0),
        a_label(0, "squat", camera="web"),
        a_label(1),
        a_label(1, camera="web"),
        a_label(1, "dent", whole_part=True),
    ]

    page = made(sqlite, a_store(entries, labels))

    assert [(r["parts"], r["reviewed"], r["wrong"]) for r in as_json(page)["rows"]] == [
        (1, 1, 1), (0, 0, 0), (0, 0, 0), (1, 1, 0),
    ]  # fmt: skip
    assert a_frame(0, "web") != a_frame(0)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_head_gives_the_same_bytes(sqlite: str, form: str) -> None:
    def write() -> bytes:
        return FORMS[form](made(sqlite, a_store([a_part(0)], [a_label(0, HOSTILE, by=HOSTILE)])))

    twice: list[Callable[[], bytes]] = [write, write]
    first, second = (each() for each in twice)
    assert first == second


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_store_gives_a_page_that_says_so(url: str, form: str) -> None:
    page = made(url, [])

    assert as_json(page)["missing"]
    assert FORMS[form](page)
