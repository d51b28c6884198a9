"""What the policy keeps no longer becomes tombstones: planned from audit store and journal, written by who may write.

audit store: what is kept, how young, how it ended ─┐
journal: the legal holds in force ──────────────────┴▶ Sweep ──▶ Purging ──▶ decision, or the journal while the
                                                                            line stands ──▶ image store deletes
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from config.loader import state_folder
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Pusher
from monitor.messages import Retained
from monitor.retention import PURGED_MOST, LegalHold, Purging
from monitor.retention_book import purge_entry
from monitor.rows import Body, PurgeBody
from monitor.rules.retention import DAY_NS, is_due, shortest_days
from monitor.runner import AlreadyRunning, hold_station
from storage.alarms import NotHeard
from storage.audit import AuditStore, open_audit
from storage.journal import open_journal
from storage.keeping import holds_in_force
from storage.projection import StoreLost
from storage.reader import JournalReader
from storage.retention_questions import KeptPicture
from storage.standing import bring_up
from storage.telling import tell

SWEEP_MOST = 100_000  # pictures of one sweep, which remembers them; the next goes on
STALE_MOST = 5  # sweeps of one command that a hold, or a restart of decision, may overtake
CATCH_UP_S = 10.0  # for the audit store to take in what was purged


@dataclass(frozen=True, kw_only=True)
class Author:
    """Whom a purge is put down to."""

    by: str
    why: str


class Sweep:
    """One look through all pictures that are kept, as the rows up to `through` have them."""

    def __init__(self, station: Station, reader: JournalReader, audit: AuditStore, author: Author, *, now: int) -> None:
        cursor = audit.cursor()
        head = reader.last_seq()
        self.holds = [body.hold for _, body in holds_in_force(reader).values() if body.hold is not None]
        self.through = 0 if cursor is None else min(cursor.seq, head)
        self.complete = True  # nothing that is due was left for the next one
        self._policy, self._audit, self._author, self._now = station.retention, audit, author, now
        self._said: set[str] = set()  # a picture of two verdicts is met twice

    def purgings(self, pause: Callable[[], object] = lambda: None) -> Iterator[Purging]:
        """What is due, a row's worth at a time; `pause` is called between pages."""
        due: list[str] = []
        for page in self._pages():
            new = self._due(page) - self._said
            self._said |= new
            due += sorted(new)
            while len(due) >= PURGED_MOST:
                yield self._purging(due[:PURGED_MOST])
                del due[:PURGED_MOST]
            pause()
            if len(self._said) >= SWEEP_MOST:
                self.complete = False
                break
        if due:
            yield self._purging(due)

    def _pages(self) -> Iterator[list[KeptPicture]]:
        """The pictures that could be due, day by day; none that is younger than every term."""
        days, shortest = self._audit.pictures.days(), shortest_days(self._policy)
        if days is None or not shortest:
            return
        last = min(days[1], self._now // DAY_NS - shortest)
        for day in range(days[0], last + 1):
            after = None
            while page := self._audit.pictures.of_day(day, after):
                after = page[-1].place
                yield page

    def _due(self, page: list[KeptPicture]) -> set[str]:
        """Those of the page that no verdict keeps: neither this one, nor another that names the same bytes."""
        over = {
            each.sha256
            for each in page
            if is_due(self._policy, each.outcome, grey=each.grey, captured_at=each.captured_at, now=self._now)
        }
        if not over:
            return over
        for each in self._audit.pictures.youngest(over):
            if not is_due(self._policy, each.outcome, grey=each.grey, captured_at=each.captured_at, now=self._now):
                over.discard(each.sha256)
        return over - self._audit.pictures.held(over, self.holds)

    def _purging(self, pictures: list[str]) -> Purging:
        return Purging(
            id=uuid.uuid4().hex,
            by=self._author.by,
            why=self._author.why,
            policy=self._policy.model_dump(),
            through=self.through,
            at=self._now,
            pictures=tuple(pictures),
        )


class NothingKept(Exception):
    """There is no verdict on record."""


class Purged(NamedTuple):
    """A tombstone."""

    seq: int | None  # None: it would be one
    pictures: tuple[str, ...]


@dataclass(kw_only=True)
class Applied:
    """What a command has purged, or would."""

    purges: list[Purged] = field(default_factory=list)
    holds: list[LegalHold] = field(default_factory=list)  # that were in force
    behind: str = ""  # why a store has not obeyed yet

    @property
    def pictures(self) -> int:
        return sum(len(each.pictures) for each in self.purges)


def would_purge(station: Station, author: Author) -> Applied:
    """What `apply` would do now."""
    folder = state_folder(station)
    with JournalReader(folder) as reader, closing(_opened(folder, station.name)) as audit:
        sweep = Sweep(station, reader, audit, author, now=time.time_ns())
        return Applied(purges=[Purged(None, each.pictures) for each in sweep.purgings()], holds=sweep.holds)


def apply(station: Station, author: Author) -> Applied:
    """Writes the tombstones of all that is due, through the running line or by the station's lock.

    Raises `NothingKept`, `NotHeard`, `JournalError`, `StoreLost` or `StoreForeign`; what was written by then holds.
    """
    folder = state_folder(station)
    try:
        with hold_station(folder):
            return _write(station, folder, author)
    except AlreadyRunning:
        return _tell(station, folder, author)


def _write(station: Station, folder: Path, author: Author) -> Applied:
    """The line stands: we are the writer, and nothing comes between the plan and its rows."""
    if behind := bring_up(station, folder):
        raise StoreLost(f"what is due is asked of the audit store: {behind}")
    applied = Applied()
    complete = False
    while not complete:
        with JournalReader(folder) as reader, closing(_opened(folder, station.name)) as audit:
            sweep = Sweep(station, reader, audit, author, now=time.time_ns())
            purgings = list(sweep.purgings())
        with open_journal(folder) as journal:
            for purging in purgings:
                seq = journal.append([purge_entry(purging, purging.pictures)])[0]
                applied.purges.append(Purged(seq, purging.pictures))
        applied.holds, applied.behind = sweep.holds, bring_up(station, folder)
        complete = sweep.complete or bool(applied.behind)
    return applied


def _tell(station: Station, folder: Path, author: Author) -> Applied:
    """The line runs: decision writes each row, and its recorder obeys."""
    applied, stale = Applied(), 0
    with (
        JournalReader(folder) as reader,
        closing(_opened(folder, station.name)) as audit,
        Pusher(Endpoints(station).decision) as decision,
    ):
        complete = False
        while not complete:
            if applied.purges:
                catch_up(audit, applied.purges[-1].seq or 0)
            sweep = Sweep(station, reader, audit, author, now=time.time_ns())
            applied.holds = sweep.holds
            try:
                for purging in sweep.purgings():
                    applied.purges.append(send(decision, reader, purging))
                complete = sweep.complete
            except NotHeard:
                stale += 1
                if stale == STALE_MOST:
                    raise
    return applied


def send(decision: Pusher, reader: JournalReader, purging: Purging) -> Purged:
    """What has become of it. Raises `NotHeard` also where decision found it out of date, and wrote no row."""
    named: tuple[str, ...] = ()

    def is_its_row(body: Body) -> bool:
        nonlocal named
        if not isinstance(body, PurgeBody) or not set(body.pictures) <= set(purging.pictures):
            return False
        named = body.pictures
        return (body.at, body.by, body.through) == (purging.at, purging.by, purging.through)

    row = tell(decision, reader, Retained(said=purging), is_its_row)
    return Purged(row.seq, named)


def catch_up(audit: AuditStore, seq: int) -> None:
    """Waits until the audit store has this row: what it does not know to be purged would be planned again."""
    until_s = time.monotonic() + CATCH_UP_S
    while (cursor := audit.cursor()) is None or cursor.seq < seq:
        if time.monotonic() > until_s:
            raise StoreLost(f"the audit store has not taken in row {seq} within {CATCH_UP_S:g} s")
        time.sleep(0.1)


def _opened(folder: Path, station: str) -> AuditStore:
    audit = open_audit(folder, station)
    if audit is None:
        raise NothingKept(f"{station} has no verdict on record yet: run the line first")
    return audit
