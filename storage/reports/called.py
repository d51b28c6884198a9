"""What called a person in a period, and what people did: of the journal, up to the row that the store has taken in."""

import msgspec

from monitor.rows import AlarmBody, PersonBody
from storage.journal_errors import JournalError
from storage.memory import ACKNOWLEDGED
from storage.reader import JournalReader
from storage.report_questions import Period
from storage.reports.asked import Asked
from storage.statistics.missing import Missing


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm, and what became of it."""

    raised_at: int
    level: str
    name: str
    about: str
    text: str
    ended_at: int | None  # when somebody had looked; None: nobody has
    by: str
    why: str


class Calls(msgspec.Struct, frozen=True, kw_only=True):
    alarms: tuple[Called, ...]
    people: tuple[PersonBody, ...]  # what they did besides


def calls(asked: Asked, period: Period) -> Calls | Missing:
    """Alarms raised in this period, oldest first; rows that the store has not taken in are not looked at.

    Missing where the journal lies on another machine, or is broken: a report closes all the same.
    """
    head = asked.snapshot.head
    if not (asked.folder / "journal").is_dir():
        return Missing(f"{asked.folder} has no journal: alarms are on the machine of the line")
    try:
        with JournalReader(asked.folder) as reader:
            found = [body for row, body in reader.alarms_and_people() if head is not None and row.seq <= head.seq]
    except JournalError as error:
        return Missing(f"the journal cannot be read: {error}")
    alarms: list[tuple[AlarmBody, PersonBody | None]] = []
    people: list[PersonBody] = []
    for body in found:
        match body:
            case AlarmBody():
                alarms.append((body, None))
            case PersonBody() if body.what == ACKNOWLEDGED:
                keys = set(body.old.splitlines())
                alarms = [(alarm, body if person is None and alarm.key in keys else person) for alarm, person in alarms]
            case PersonBody() if period.since <= body.at < period.until:
                people.append(body)
            case _:
                pass
    return Calls(
        alarms=tuple(
            Called(
                raised_at=alarm.raised_at,
                level=alarm.level,
                name=alarm.name,
                about=alarm.about,
                text=alarm.text,
                ended_at=person.at if person else None,
                by=person.who if person else "",
                why=person.why if person else "",
            )
            for alarm, person in alarms
            if period.since <= alarm.raised_at < period.until
        ),
        people=tuple(people),
    )
