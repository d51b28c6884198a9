"""Alarms on record: which stand, and how a person acknowledges them while the line runs or stands."""

import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from config.loader import state_folder
from config.station import Station
from monitor.alarm_book import acknowledged
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Pusher
from monitor.disk_watch import open_disk
from monitor.messages import Acknowledge
from monitor.rows import AlarmBody, Entry, Kind, PersonBody, read_body
from monitor.rules.alarms import LATCHED
from monitor.runner import AlreadyRunning, hold_station
from storage.aside import set_aside_damaged
from storage.journal import open_journal
from storage.journal_errors import JournalError, JournalHeld
from storage.memory import ACKNOWLEDGED, standing_alarms
from storage.reader import JournalReader

HEARD_S = 5.0  # a running line writes it down within milliseconds
SAY_S = 0.2


class NotHeard(Exception):
    """The line runs, and has not written the acknowledgement down."""


def list_alarms(folder: Path, *, most: int) -> list[dict[str, Any]]:
    """The last alarms, newest first; `stands` where somebody must still look, `acknowledged_by` where somebody has."""
    with JournalReader(folder) as reader:
        standing = {body.key for body in standing_alarms(reader)}
        found = reader.alarms_and_people()
    by: dict[str, PersonBody] = {}
    rows: list[dict[str, Any]] = []
    for row, body in reversed(found):
        match body:
            case PersonBody() if body.what == ACKNOWLEDGED:
                by |= dict.fromkeys(body.old.splitlines(), body)
            case AlarmBody():
                person = by.pop(body.key, None)
                rows.append(
                    {
                        "seq": row.seq,
                        "key": body.key,
                        "name": body.name,
                        "about": body.about,
                        "level": body.level,
                        "text": body.text,
                        "raised_at": body.raised_at,
                        "stands": body.level in LATCHED and body.key in standing,
                        "acknowledged_by": person.who if person else None,
                        "acknowledged_at": person.at if person else None,
                        "why": person.why if person else None,
                    }
                )
                standing.discard(body.key)  # of one key the newest stands
    return rows[:most]


def acknowledge(station: Station, key: str, *, who: str, why: str) -> list[str]:
    """Puts it on record, through the running line or by the station's lock; the keys that are gone."""
    folder = state_folder(station)
    said = Acknowledge(id=uuid.uuid4().hex, key=key, who=who, why=why, said_at=time.time_ns())
    with JournalReader(folder) as reader:
        before = reader.last_seq()
    try:
        with hold_station(folder):
            return _written(folder, said)
    except AlreadyRunning:
        return _told(station, said, before)


def must_look(station: Station) -> str:
    """What a person must acknowledge before the line may run again, or see to; empty where there is nothing.

    A journal that is damaged is set aside first; that is such an alarm. On a full disk both need the reserve's room.
    """
    folder = state_folder(station)
    try:
        open_disk(folder, station.disk)
        with suppress(AlreadyRunning, JournalHeld), hold_station(folder):  # it runs, or its last processes end just now
            set_aside_damaged(folder)
        with JournalReader(folder) as reader:
            standing = [body for body in standing_alarms(reader) if body.level == "hold"]
    except (JournalError, OSError) as error:
        return f"{station.name}: the journal cannot be looked at: {error}"
    lines = [f"{station.name} is held by {body.name}, {body.about}: {body.text}" for body in standing]
    ask = f'look, then: linectl alarms ack --station {station.name} --who NAME --why "…"'
    return "\n".join([*lines, ask]) if lines else ""


def _written(folder: Path, said: Acknowledge) -> list[str]:
    """The line stands: we are the writer."""
    with JournalReader(folder) as reader:
        keys = [body.key for body in standing_alarms(reader) if said.key in ("", body.key)]
    journal = open_journal(folder)
    try:
        body = acknowledged(said, keys)
        journal.append([Entry(kind=Kind.PERSON, frame=None, slot=None, outcome=None, reason=None, body=body)])
    finally:
        journal.close()
    return keys


def _told(station: Station, said: Acknowledge, before: int) -> list[str]:
    """The line runs: it is said to decision until its row is there."""
    until_s = time.monotonic() + HEARD_S
    with Pusher(Endpoints(station).decision) as decision, JournalReader(state_folder(station)) as reader:
        while time.monotonic() < until_s:
            decision.send(said)
            time.sleep(SAY_S)
            for row in reader.rows(before):
                body = read_body(row)
                if isinstance(body, PersonBody) and (body.at, body.who) == (said.said_at, said.who):
                    return body.old.splitlines()
                before = row.seq
    raise NotHeard(f"{station.name} runs, and wrote nothing down within {HEARD_S:g} s; is decision alive?")
