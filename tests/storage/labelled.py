"""A line that stands, and has judged three parts: what people can label."""

from pathlib import Path

from monitor.messages import Outcome, Reason
from monitor.rows import Entry
from storage.journal import open_journal
from storage.standing import bring_up
from tests.storage.builders import a_region, a_run, a_verdict, an_alarm
from tests.storage.lines import RAIL_03


def some_parts() -> list[Entry]:
    """1 passed, 2 was rejected for two regions, 3 was dark."""
    return [
        a_run(first_slots={"head": 1}),
        a_verdict(1),
        a_verdict(2, Outcome.REJECT, area_mm2=90.0, regions=(a_region(60.0), a_region(30.0))),
        a_verdict(3, Outcome.NOT_INSPECTED, Reason.DARK),
        an_alarm(),
    ]


def a_standing_line(folder: Path, rows: list[Entry] | None = None) -> Path:
    """The state folder, with these rows in journal and audit store."""
    with open_journal(folder) as journal:
        journal.append(some_parts() if rows is None else rows)
    project(folder)
    return folder


def project(folder: Path) -> None:
    assert bring_up(RAIL_03, folder) == ""
