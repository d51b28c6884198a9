"""Alarms of other processes stand by their own keys, and are acknowledged by them, over a restart too."""

from monitor.alarm_book import AlarmBook
from monitor.messages import Acknowledge, Alarm
from monitor.rows import AlarmBody, Body, Kind, PersonBody
from tests.monitor.builders import a_station

HELD = Alarm(key="line.held.rail-03.77", name="line.held", about="rail-03", text="dark", raised_at=1, level="hold")


def a_book(rows: list[tuple[Kind, Body]], *standing: AlarmBody) -> AlarmBook:
    return AlarmBook(a_station().alarms, run="r", standing=standing, write=lambda kind, body: rows.append((kind, body)))


def looked(key: str = "") -> Acknowledge:
    return Acknowledge(id=f"id-{key}", key=key, who="kim", why="lamp changed", said_at=2)


def test_what_another_process_raised_is_acknowledged_by_its_key() -> None:
    rows: list[tuple[Kind, Body]] = []
    book = a_book(rows)
    for _ in range(3):
        book.hear(HELD)  # it is said until it is noted
    held = book.hold

    book.acknowledge(looked("another"))
    still = book.hold
    book.acknowledge(looked(HELD.key))

    assert (held, still, book.hold) == ("line.held", "line.held", None)
    assert [kind for kind, _ in rows] == [Kind.ALARM, Kind.PERSON, Kind.PERSON]
    assert [body.old for _, body in rows if isinstance(body, PersonBody)] == ["", HELD.key]


def test_what_stood_before_a_restart_of_decision_can_be_acknowledged_after_it() -> None:
    rows: list[tuple[Kind, Body]] = []
    a_book(rows).hear(HELD)
    body = rows[0][1]
    assert isinstance(body, AlarmBody)

    book = a_book(rows, body)
    before = book.lets_pass
    book.acknowledge(looked())

    assert (before, book.lets_pass) == (False, True)
    assert [body.old for _, body in rows if isinstance(body, PersonBody)] == [HELD.key]


def test_an_acknowledgement_said_twice_is_one_row() -> None:
    rows: list[tuple[Kind, Body]] = []
    book = a_book(rows)

    book.acknowledge(looked())
    book.acknowledge(looked())

    assert len(rows) == 1
