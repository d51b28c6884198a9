"""History by what people said last of a frame, or of its part."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from monitor.label_book import labelled
from monitor.labels import GOOD, Label, Saying, State
from storage.audit import AuditStore
from storage.commands import app
from storage.questions import Question
from tests.storage.builders import NOON, a_frame, a_verdict
from tests.storage.chained import chained


def said(number: int, slot: int, label: str, state: State, *, whole: bool = False, region: int | None = None) -> Any:
    of = Label(
        id=f"{number:032x}", state=state, reviewer="ann", label=label, region=region, size_mm=None, blind=False, trial=1
    )
    return labelled(
        Saying(frame=None if whole else a_frame(slot), slot=slot, label=of, who="ann", why="", old="", at=NOON)
    )


ROWS = [
    *[a_verdict(slot, at=NOON + slot) for slot in range(1, 7)],
    said(1, 1, "scratch", State.CONFIRMED),
    said(2, 2, "scratch", State.CONFIRMED),
    said(3, 2, GOOD, State.SECOND_LOOK),  # the last word on 2
    said(4, 3, GOOD, State.CORRECTED, whole=True),
    said(5, 4, "dent", State.CONFIRMED, region=1),
]


@pytest.fixture
def audit(url: str) -> Iterator[AuditStore]:
    store = AuditStore(url, "rail-03")
    store.project(chained(ROWS))
    yield store
    store.close()


@pytest.mark.parametrize(
    ("asked", "slots"),
    [
        pytest.param({"label": "scratch"}, [1], id="type"),
        pytest.param({"label": GOOD}, [3, 2], id="good"),
        pytest.param({"label": "dent"}, [4], id="of-a-region"),
        pytest.param({"label_state": State.CONFIRMED}, [4, 1], id="state"),
        pytest.param({"label": GOOD, "label_state": State.CORRECTED}, [3], id="both"),
        pytest.param({"unlabelled": True}, [6, 5], id="none"),
        pytest.param({"label": "nothing"}, [], id="unknown"),
        pytest.param({"label_state": State.CONFIRMED, "oldest_first": True}, [1, 4], id="oldest"),
        pytest.param({"label": GOOD, "slot": 2}, [2], id="and-part"),
    ],
)
def test_what_was_said_last_counts(audit: AuditStore, asked: dict[str, Any], slots: list[int]) -> None:
    assert [each.slot for each in audit.history(Question(**asked))] == slots


def test_pages_of_one_row_are_the_same(audit: AuditStore) -> None:
    question, found = Question(label_state=State.CONFIRMED), []
    place = None
    while page := audit.page(question, place, rows=1):
        found += page
        place = page[-1].place

    assert [each.slot for each in found] == [4, 1]


def test_another_stations_labels_say_nothing_of_ours(url: str) -> None:
    for name, rows in (("rail-03", ROWS[:6]), ("rail-04", ROWS)):
        store = AuditStore(url, name)
        store.project(chained(rows))
        store.close()
    ours = AuditStore(url, "rail-03", writes=False)

    assert list(ours.history(Question(label="scratch"))) == []
    assert len(list(ours.history(Question(unlabelled=True)))) == 6
    ours.close()


@pytest.mark.parametrize(("words", "code"), [("confirmed", 0), ("NONE", 2), ("none", 0), ("sure", 2)])
def test_the_command_knows_the_states(folder: Path, words: str, code: int) -> None:
    store = AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")
    store.project(chained(ROWS))
    store.close()

    result = CliRunner().invoke(app, ["history", "--station", "rail-03", "--label-state", words])

    assert result.exit_code == code, result.output
