"""A line that stands, with pictures of every age, and what retention makes of it."""

import time
from pathlib import Path

from config.retention import Retention
from config.station import Station
from monitor.messages import Outcome, Reason
from monitor.rows import Entry, PurgeBody, read_body
from storage.images import ImageStore
from storage.journal import open_journal
from storage.reader import JournalReader
from storage.retention import Applied, Author, apply
from storage.standing import bring_up
from tests.storage.builders import a_png, a_region, a_run, a_verdict, sha256_of
from tests.storage.lines import RAIL_03

DAY_NS = 86_400_000_000_000
NOW = time.time_ns()
PASSED, REJECTED, CROP, DARK, YOUNG, MASK = (a_png(n) for n in (11, 12, 13, 14, 15, 16))
PICTURES = {sha256_of(png): png for png in (PASSED, REJECTED, CROP, DARK, YOUNG, MASK)}
AUTHOR = Author(by="kim", why="yearly")
POLICY = Retention(pass_days=30, reject_days=90, grey_days=0, not_inspected_days=0)
STATION = RAIL_03.model_copy(update={"retention": POLICY})


def days_ago(days: float) -> int:
    return NOW - round(days * DAY_NS)


def a_year() -> list[Entry]:
    """1 passed 40 days ago, 2 was rejected 100 days ago, 3 was dark then, 4 passed yesterday; the mask of 2 is 5's too,
    which was rejected 50 days ago."""
    return [
        a_run(first_slots={"head": 1}),
        a_verdict(2, Outcome.REJECT, at=days_ago(100), regions=(a_region(60.0, CROP, MASK),), picture=REJECTED),
        a_verdict(3, Outcome.NOT_INSPECTED, Reason.DARK, at=days_ago(100), picture=DARK),
        a_verdict(5, Outcome.REJECT, at=days_ago(50), regions=(a_region(60.0, None, MASK),)),
        a_verdict(1, at=days_ago(40), picture=PASSED),
        a_verdict(4, at=days_ago(1), picture=YOUNG),
    ]


class KeptLine:
    """Its state folder."""

    def __init__(self, folder: Path, station: Station = STATION) -> None:
        self.folder, self.station = folder, station
        self.images = ImageStore(folder)

    def write(self, *rows: Entry, projects: bool = True) -> "KeptLine":
        with open_journal(self.folder) as journal:
            for row in rows:
                journal.append([row], PICTURES)
        if projects:
            self.project()
        return self

    def project(self) -> None:
        assert bring_up(self.station, self.folder) == ""
        with open_journal(self.folder) as journal:
            journal.prune(journal.head()[0])

    def apply(self) -> Applied:
        return apply(self.station, AUTHOR)

    def is_here(self, *pngs: bytes) -> list[bool]:
        return [self.images.get(sha256_of(png)) is not None for png in pngs]

    def last_seq(self) -> int:
        with JournalReader(self.folder) as reader:
            return reader.last_seq()


def named(*pngs: bytes) -> set[str]:
    return {sha256_of(png) for png in pngs}


def purged(line: KeptLine) -> list[PurgeBody]:
    """The tombstones of its journal."""
    with JournalReader(line.folder) as reader:
        return [body for row in reader.rows(0) if isinstance(body := read_body(row), PurgeBody)]
