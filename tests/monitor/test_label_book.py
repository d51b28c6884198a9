"""What a person labels while the line runs is one row of the next commit, however often it is said."""

from monitor.desk import Desk
from monitor.label_book import LabelBook
from monitor.labels import LABELLED, Label, Saying, State
from monitor.messages import Labelled
from monitor.recovery import Recovered
from monitor.rows import Kind, PersonBody
from tests.monitor.builders import PROVENANCE, a_station
from tests.monitor.test_said_until_answered import MemoryJournal

RECOVERED = Recovered(closed_to={"head": 0}, gaps=[], open_parts=[], run_row=None)


def a_saying(number: int = 1) -> Saying:
    label = Label(
        id=f"{number:032x}",
        state=State.CORRECTED,
        reviewer="ann",
        label="squat",
        region=None,
        size_mm=3.5,
        blind=True,
        trial=1,
    )
    return Saying(frame="rail-03/head/1/000007", slot=7, label=label, who="kim", why="audit", old="", at=5)


def test_a_running_line_writes_a_label_down_once() -> None:
    journal = MemoryJournal()
    desk = Desk(a_station(), PROVENANCE, journal, RECOVERED)

    for _ in range(3):
        assert desk.hear((Labelled(saying=a_saying()), {})) == []
        desk.settle([], send=lambda _: None, answer=lambda _: None, note=lambda _: None)

    (row,) = journal.of(Kind.PERSON)
    assert (row.frame, row.slot, row.outcome) == ("rail-03/head/1/000007", 7, None)
    assert row.body == PersonBody(
        who="kim", what=LABELLED, why="audit", old="", new="corrected: squat", at=5, label=a_saying().label
    )


def test_what_was_heard_is_forgotten_in_time() -> None:
    book = LabelBook(remembered=2)
    for number in (1, 2, 3):
        book.hear(a_saying(number))

    assert [len(book.hear(a_saying(number))) for number in (3, 2, 1)] == [0, 0, 1]
