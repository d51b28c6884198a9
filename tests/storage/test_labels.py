"""A label is on record once, by whichever way it came, and the audit store has it once too."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

import storage.intake
import storage.labels
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Puller
from monitor.label_book import LabelBook, labelled
from monitor.labels import Label, Saying, State
from monitor.messages import Labelled, Outcome
from monitor.rows import Entry
from monitor.runner import hold_station
from storage.alarms import NotHeard, list_alarms
from storage.audit import AuditStore, open_audit
from storage.journal import open_journal
from storage.label_file import Line
from storage.label_questions import Said
from storage.labels import Imported, NothingToLabel, import_labels
from storage.projection import StoreLost
from storage.reader import JournalReader
from storage.schema import Cursor
from storage.verify import verify
from tests.storage.builders import a_frame, a_region, a_verdict
from tests.storage.chained import chained
from tests.storage.labelled import a_standing_line, project, some_parts
from tests.storage.lines import RAIL_03
from tests.storage.test_audit import change

TWO = RAIL_03.model_copy(
    update={"cameras": (RAIL_03.cameras[0], RAIL_03.cameras[0].model_copy(update={"name": "web"}))}
)


@pytest.fixture
def line(folder: Path) -> Path:
    return a_standing_line(folder)


def on_record(folder: Path) -> list[Said]:
    audit = open_audit(folder, "rail-03")
    assert audit is not None
    found = audit.labels.newest(limit=1000)[::-1]
    audit.close()
    return found


def a_line(number: int = 2, slot: int | None = 2, label: str = "squat", **facts: Any) -> Line:
    return Line(number=number, slot=slot, label=label, **facts)


def taken_in(lines: list[Line], station: Station = RAIL_03, **facts: Any) -> Imported:
    return import_labels(station, lines, **({"who": "kim"} | facts))


def test_a_label_is_a_row_of_the_chain_and_one_of_the_audit_store(line: Path) -> None:
    imported = taken_in([a_line(region=2, size_mm=3.5, reviewer="ann", why="seen by eye")], why="audit")

    (said,) = on_record(line)
    with JournalReader(line) as reader:
        (row, body) = reader.labels()[0]
    assert (len(imported.added), imported.already, imported.refused) == (1, 0, [])
    assert (said.seq, said.frame, said.slot, said.who, said.why, said.old) == (
        6, a_frame(2), 2, "kim", "seen by eye", "",
    )  # fmt: skip
    assert said.label == body.label
    assert (said.label.state, said.label.reviewer, said.label.region, said.label.size_mm) == (
        State.CONFIRMED, "ann", 2, 3.5,
    )  # fmt: skip
    assert (row.seq, row.frame, row.slot, body.new, body.at) == (6, a_frame(2), 2, "confirmed: squat", said.at)


def test_the_same_lines_twice_add_nothing(line: Path) -> None:
    lines = [a_line(2, 1, "good"), a_line(3, 2), a_line(4, 2), a_line(5, frame=a_frame(2), slot=None)]

    first = taken_in(lines)
    again = taken_in(lines)

    assert (len(first.added), first.already) == (2, 2)  # by slot or by frame, at one camera, is one label
    assert (len(again.added), again.already) == (0, 4)
    assert len(on_record(line)) == 2


def test_labels_go_through_their_states(line: Path) -> None:
    taken_in([a_line(2, reviewer="ann"), a_line(3, label="good", reviewer="ben", blind=True)])
    taken_in([a_line(2, reviewer="cy", state=State.ADJUDICATED)])

    found = on_record(line)

    assert [(each.label.state, each.label.reviewer, each.old) for each in found] == [
        (State.CONFIRMED, "ann", ""),
        (State.SECOND_LOOK, "ben", "confirmed: squat"),
        (State.ADJUDICATED, "cy", "second_look: good"),
    ]


@pytest.mark.parametrize(
    ("given", "column", "expected"),
    [
        pytest.param(a_line(slot=9), "slot", "a slot with a verdict", id="no-such-slot"),
        pytest.param(a_line(slot=None, frame=a_frame(9)), "frame", "a frame with a verdict", id="no-such-frame"),
        pytest.param(a_line(slot=1, frame=a_frame(2)), "slot", "is of slot 2", id="frame-of-another-slot"),
        pytest.param(a_line(region=3), "region", "has 2 regions", id="no-such-region"),
        pytest.param(a_line(slot=1, region=1), "region", "has no regions", id="no-region"),
        pytest.param(a_line(state=State.ADJUDICATED), "state", "second_look comes before", id="out-of-turn"),
        pytest.param(a_line(slot=1, state=State.CONFIRMED), "state", "corrected would be right", id="no-confirmation"),
    ],
)
def test_a_line_that_fits_nothing_is_refused_and_the_others_are_taken_in(
    line: Path, given: Line, column: str, expected: str
) -> None:
    imported = taken_in([given, a_line(3, 1, "good")])

    assert [(each.line, each.column) for each in imported.refused] == [(2, column)]
    assert expected in imported.refused[0].expected
    assert [said.slot for said in on_record(line)] == [1]


def test_strict_takes_all_or_none(line: Path) -> None:
    imported = taken_in([a_line(slot=9), a_line(3)], strict=True)
    none = on_record(line)
    taken_in([a_line(3)], strict=True)

    assert (len(imported.added), len(imported.refused)) == (0, 1)
    assert none == []
    assert len(on_record(line)) == 1


def test_at_two_cameras_a_part_is_not_its_frame(folder: Path) -> None:
    a_standing_line(folder, [a_verdict(1), a_verdict(1, Outcome.REJECT, camera="web", regions=(a_region(),))])

    imported = taken_in([a_line(2, 1), a_line(3, 1, region=1), a_line(4, 1, "good", frame=a_frame(1))], TWO)

    assert [(each.frame, each.slot) for each in on_record(folder)] == [(None, 1), (a_frame(1), 1)]
    assert [(each.line, each.column) for each in imported.refused] == [(3, "region")]
    assert "the frame too: one of rail-03/head/1/000001, rail-03/web/1/000001" in imported.refused[0].expected


def test_without_a_verdict_there_is_nothing_to_label(folder: Path) -> None:
    with pytest.raises(NothingToLabel, match="run the line first"):
        taken_in([a_line()])


def test_a_line_that_stands_verifies_after_an_import(line: Path) -> None:
    (line / "twin.jsonl").write_text("".join(f'{{"slot":{n},"gate":"rejected"}}\n' for n in (1, 2, 3)))
    before = {(each.store, str(each.fault)) for each in verify(RAIL_03, None).rows}

    taken_in([a_line()])

    assert {(each.store, str(each.fault)) for each in verify(RAIL_03, None).rows} == before


def test_labels_are_no_alarms_and_alarms_no_labels(line: Path) -> None:
    taken_in([a_line()])

    with JournalReader(line) as reader:
        assert [row.seq for row, _ in reader.alarms_and_people()] == [5]
        assert [row.seq for row, _ in reader.labels()] == [6]
    assert len(list_alarms(line, most=10)) == 1


@contextmanager
def running(folder: Path, *, loses: int = 0, deaf: bool = False) -> Iterator[LabelBook]:
    """A line that runs: its lock is held, and a decision writes down what it hears, but for the first messages."""
    over, book = threading.Event(), LabelBook()

    def decide() -> None:
        left = loses
        with Puller(Endpoints(RAIL_03).decision) as inlet, open_journal(folder) as journal:
            while not over.is_set():
                for message, _ in inlet.messages():
                    left -= 1
                    if left < 0 and not deaf and isinstance(message, Labelled) and (rows := book.hear(message.saying)):
                        journal.append(rows)
                time.sleep(0.01)

    with hold_station(folder):
        thread = threading.Thread(target=decide)
        thread.start()
        try:
            yield book
        finally:
            over.set()
            thread.join()


def test_a_running_line_writes_each_down_once_however_often_it_is_said(line: Path) -> None:
    lines = [a_line(number, 1 + number % 3, f"kind {number}", state=State.CORRECTED) for number in range(2, 252)]
    with running(line, loses=30):
        imported = taken_in(lines)
        again = taken_in(lines)

    project(line)
    assert (len(imported.added), again.already) == (250, 250)
    assert sorted(each.label.id for each in on_record(line)) == sorted(each.label.id for each in imported.added)


def test_a_line_that_hears_nothing_is_named(line: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.labels, "HEARD_S", 0.5)

    with running(line, deaf=True), pytest.raises(NotHeard, match="0 of 1 labels down"):
        taken_in([a_line()])


@pytest.fixture
def audit(url: str) -> Iterator[AuditStore]:
    store = AuditStore(url, "rail-03")
    yield store
    store.close()


def a_saying(slot: int = 2, label: str = "squat", *, id_: str = "0") -> Saying:
    said = Label(
        id=id_ * 32, state=State.CONFIRMED, reviewer="ann", label=label, region=None, size_mm=None, blind=False, trial=1
    )
    return Saying(frame=a_frame(slot), slot=slot, label=said, who="kim", why="", old="", at=1)


def twice_in_the_journal() -> list[Entry]:
    """Decision died between two rows: it was told once more, and no longer knew."""
    return [*some_parts(), labelled(a_saying()), labelled(a_saying(1, "dent", id_="1")), labelled(a_saying())]


@pytest.mark.parametrize("page", [1, 3, 100], ids=["row-by-row", "by-three", "at-once"])
def test_the_audit_store_has_each_label_once(audit: AuditStore, page: int) -> None:
    rows = chained(twice_in_the_journal())
    for first in range(0, len(rows), page):
        audit.project(rows[first : first + page])

    assert [each.seq for each in audit.labels.newest(limit=9)] == [7, 6]
    cursor = audit.cursor()
    assert cursor is not None
    assert cursor.seq == 8


def test_a_lost_cursor_makes_no_label_twice(audit: AuditStore, url: str) -> None:
    rows = chained(twice_in_the_journal())
    audit.project(rows)
    change(url, delete(Cursor))

    audit.project(rows)

    assert audit.labels.count() == 2


def test_without_a_look_at_the_ids_the_second_would_stop_the_store(
    audit: AuditStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr(storage.intake.Intake, "_once", lambda _self, _session, labels: labels)

    with pytest.raises(StoreLost, match=r"label"):
        audit.project(chained(twice_in_the_journal()))


def test_questions_of_labels(audit: AuditStore) -> None:
    audit.project(chained(twice_in_the_journal()))

    assert [each.slot for each in audit.labels.newest(limit=1)] == [1]
    assert [each.slot for each in audit.labels.newest(limit=9, reviewer="ben")] == []
    assert [each.slot for each in audit.labels.newest(limit=9, slot=2, state=State.CONFIRMED)] == [2]
    assert [each.label.label for each in audit.labels.of_slot(2)] == ["squat"]
