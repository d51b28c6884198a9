"""POD from labels with sizes: the sites are the right ones, and the figures those of the statistics on them."""

import math
from pathlib import Path

import pytest

from monitor.labels import TWIN, State
from monitor.messages import Outcome
from monitor.rows import Entry
from storage.reports.curves import pod_curve
from storage.reports.figures import known
from storage.reports.forms import FORMS
from storage.reports.page import Page, Picture, as_json
from storage.reports.pod import pod
from storage.statistics.detection import Pod, probability_of_detection
from storage.statistics.logistic import fit
from storage.statistics.missing import Missing
from tests.storage.reports.labelled_parts import a_label, a_part, a_store
from tests.storage.reports.pages import HOSTILE, asked_of, table, the_facts

SIZES = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 7.0, 8.0]
HITS = [False, False, True, False, False, True, False, True, True, True, True, True]


@pytest.fixture
def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'audit.sqlite'}"


def made(url: str, entries: list[Entry]) -> Page:
    with asked_of(url, entries) as asked:
        return pod(asked)


def a_trial(times: int = 1) -> list[Entry]:
    """Each size, rejected or passed; then 40 clean parts, 2 of which were rejected."""
    parts, labels = [], []
    for slot, (size, hit) in enumerate(list(zip(SIZES, HITS, strict=True)) * times):
        parts.append(a_part(slot, Outcome.REJECT, areas=(90.0,)) if hit else a_part(slot))
        labels.append(a_label(slot, "squat", size_mm=size))
    for slot in range(1000, 1040):
        rejected = slot < 1002
        parts.append(a_part(slot, Outcome.REJECT, areas=(90.0,)) if rejected else a_part(slot))
        labels.append(a_label(slot))
    return a_store(parts, labels)


def test_figures_are_those_of_the_sites(url: str) -> None:
    page = made(url, a_trial())

    facts = the_facts(page)
    expected = probability_of_detection(SIZES, HITS)
    assert isinstance(expected, Pod)
    assert facts["sites"] == 12
    assert facts["a50_mm"] == pytest.approx(expected.a50_mm)
    assert facts["a90_mm"] == pytest.approx(expected.a90_mm)
    assert facts["a90_95_mm"] == known(expected.a90_bound_mm)
    assert facts["false_call_rate"] == 2 / 40
    rejected, _found = table(page, "In figures")
    assert (rejected["sites"], rejected["hits"], rejected["clean_sites"], rejected["false_calls"]) == (12, 7, 40, 2)
    sites = [row for row in as_json(page)["rows"] if row["kind"] == "site"]
    assert [(site["size_mm"], site["rejected"]) for site in sites] == list(zip(SIZES, HITS, strict=True))


def test_the_curve_goes_through_half_at_a50(sqlite: str) -> None:
    page = made(sqlite, a_trial(times=6))

    curve = next(row for row in as_json(page)["rows"] if row["kind"] == "curve" and row["hit"] == "rejected")
    by_hand = fit([math.log(size) for size in SIZES * 6], HITS * 6)
    assert not isinstance(by_hand, Missing)
    assert curve["slope"] == pytest.approx(by_hand.slope, rel=1e-6)
    assert curve["method"] == "maximum likelihood"
    assert curve["a50_mm"] < curve["a90_mm"] < curve["a90_95_mm"]
    assert not any("at least 60 are recommended" in gap["what"] for gap in as_json(page)["missing"])


def test_too_few_sites_are_said_beside_the_figures(sqlite: str) -> None:
    whats = [gap["what"] for gap in as_json(made(sqlite, a_trial()))["missing"]]

    assert "12 sites: at least 60 are recommended." in whats


def test_sites_that_do_not_overlap_take_firths_way(sqlite: str) -> None:
    parts = [a_part(n) for n in range(5)] + [a_part(n, Outcome.REJECT, areas=(90.0,)) for n in range(5, 10)]
    labels = [a_label(n, "squat", size_mm=1.0 + n) for n in range(10)]

    page = made(sqlite, a_store(parts, labels))

    curve = as_json(page)["rows"][0]
    assert curve["method"] == "firth"
    assert 5.0 < curve["a50_mm"] < 6.0
    assert any("do not overlap in size" in gap["what"] for gap in as_json(page)["missing"])


BAD = a_part(0, Outcome.REJECT, areas=(90.0,))
SIZED = a_label(0, "squat", size_mm=3.0)


@pytest.mark.parametrize(
    ("part", "labels", "sites", "clean"),
    [
        pytest.param(BAD, [SIZED], [(True, True)], 0, id="rejected"),
        pytest.param(a_part(0, areas=(10.0,)), [SIZED], [(True, False)], 0, id="found-and-passed"),
        pytest.param(a_part(0), [a_label(0, "good", size_mm=1.0)], [(False, False)], 0, id="a-flaw-within-the-limits"),
        pytest.param(a_part(0), [a_label(0)], [], 1, id="clean"),
        pytest.param(a_part(0, Outcome.NOT_INSPECTED), [SIZED], [], 0, id="not-inspected"),
        pytest.param(a_part(0), [a_label(0, "squat")], [], 0, id="nobody-measured"),
        pytest.param(a_part(0), [a_label(0, "x", "net", state=State.PROPOSED, size_mm=3.0)], [], 0, id="proposed"),
        pytest.param(a_part(0), [SIZED, a_label(0, "good", "ben", state=State.SECOND_LOOK)], [], 0, id="disputed"),
        pytest.param(
            BAD,
            [a_label(0, "squat", region=1, size_mm=5.0), a_label(0, "dent", size_mm=2.0)],
            [(True, True), (False, False)],
            0,
            id="a-flaw-beside-the-region",
        ),
        pytest.param(BAD, [a_label(0, region=1)], [], 0, id="a-region-that-is-none"),
    ],
)
def test_what_a_site_is(
    sqlite: str, part: Entry, labels: list[Entry], sites: list[tuple[bool, bool]], clean: int
) -> None:
    page = made(sqlite, a_store([part], labels))

    rows = as_json(page)["rows"]
    assert [(row["found"], row["rejected"]) for row in rows if row["kind"] == "site"] == sites
    assert rows[0]["clean_sites"] == clean


def test_flaws_that_only_the_line_knew_are_said(sqlite: str) -> None:
    parts = [a_part(n, Outcome.REJECT, areas=(90.0,)) for n in range(3)]
    labels = [a_label(n, "squat", region=1, size_mm=3.0 + n, blind=n == 0) for n in range(3)]

    page = made(sqlite, a_store(parts, labels))

    assert any("2 of 3 sites name a region" in gap["what"] for gap in as_json(page)["missing"])


def test_a_bench_line_has_its_curve_from_the_twin(sqlite: str) -> None:
    parts = [a_part(n, Outcome.REJECT, areas=(90.0,)) if hit else a_part(n) for n, hit in enumerate(HITS)]
    labels = [a_label(n, "good" if size < 5 else "squat", TWIN, size_mm=size) for n, size in enumerate(SIZES)]

    assert the_facts(made(sqlite, a_store(parts, labels)))["a50_mm"] is not None


def test_the_picture_is_the_same_each_time_and_without_a_date() -> None:
    found = probability_of_detection(SIZES, HITS)
    assert isinstance(found, Pod)

    first, second = (pod_curve(found, SIZES, HITS) for _ in range(2))

    assert first == second
    assert first.startswith("<svg")
    assert "date" not in first.lower()


@pytest.mark.parametrize("form", FORMS)
def test_the_same_head_gives_the_same_bytes_and_labels_are_text(sqlite: str, form: str) -> None:
    parts = [a_part(n, Outcome.REJECT, areas=(90.0,)) if hit else a_part(n) for n, hit in enumerate(HITS)]
    entries = a_store(parts, [a_label(n, HOSTILE, size_mm=size) for n, size in enumerate(SIZES)])

    pages = [made(sqlite, entries) for _ in range(2)]

    assert FORMS[form](pages[0]) == FORMS[form](pages[1])
    assert form != "html" or b"<script" not in FORMS[form](pages[0])
    assert sum(isinstance(part, Picture) for part in pages[0].parts) == 2


@pytest.mark.parametrize("form", FORMS)
def test_without_sizes_the_page_says_how_to_get_them(url: str, form: str) -> None:
    page = made(url, a_store([a_part(0)]))

    whats = as_json(page)["missing"]
    assert whats[0]["what"] == "No label in this period has a size."
    assert "--from-twin --station rail-03" in whats[0]["remedy"]
    assert FORMS[form](page)
