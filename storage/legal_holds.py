"""Legal holds on their way into the journal, with the line running or standing; and those in force."""

import time
import uuid
from pathlib import Path

from config.loader import state_folder
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Pusher
from monitor.messages import Retained
from monitor.retention import LIFTED, HoldChange, LegalHold
from monitor.retention_book import hold_entry
from monitor.rows import Body, PersonBody, Row
from monitor.runner import AlreadyRunning, hold_station
from storage.journal import open_journal
from storage.keeping import holds_in_force
from storage.reader import JournalReader
from storage.telling import tell


class NoSuchHold(Exception):
    """None of this id is in force."""


def place_hold(
    station: Station, *, slot: int | None, since: int | None, until: int | None, who: str, why: str
) -> tuple[int, LegalHold]:
    """(its row, the hold), on a part or on all that was captured in a period; wall times, ns.

    Raises `NotHeard` or `JournalError`.
    """
    hold = LegalHold(id=uuid.uuid4().hex, slot=slot, since=since, until=until)
    return _record(station, HoldChange(hold=hold, lifts=False, who=who, why=why, at=time.time_ns())), hold


def lift_hold(station: Station, named: str, *, who: str, why: str) -> tuple[int, LegalHold]:
    """(its row, the hold that is over). `named` is an id, or how one begins. Raises `NoSuchHold` besides."""
    with JournalReader(state_folder(station)) as reader:
        found = [
            body.hold for _, body in holds_in_force(reader).values() if body.hold and body.hold.id.startswith(named)
        ]
    if len(found) != 1:
        raise NoSuchHold(f"{named!r} is how {len(found)} holds in force begin: linectl retention holds has their ids")
    return _record(station, HoldChange(hold=found[0], lifts=True, who=who, why=why, at=time.time_ns())), found[0]


def list_holds(folder: Path) -> list[tuple[Row, PersonBody]]:
    """The rows of those in force, oldest first."""
    with JournalReader(folder) as reader:
        return list(holds_in_force(reader).values())


def _record(station: Station, change: HoldChange) -> int:
    folder = state_folder(station)
    try:
        with hold_station(folder), open_journal(folder) as journal:
            return journal.append([hold_entry(change)])[0]
    except AlreadyRunning:
        pass

    def is_its_row(body: Body) -> bool:
        if not isinstance(body, PersonBody) or body.hold is None:
            return False
        return (body.hold.id, body.what == LIFTED) == (change.hold.id, change.lifts)

    with Pusher(Endpoints(station).decision) as decision, JournalReader(folder) as reader:
        return tell(decision, reader, Retained(said=change), is_its_row).seq
