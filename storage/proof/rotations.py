"""Rotations as rows of the journal: who handed the signing key on, and why."""

from pathlib import Path

import msgspec

from monitor.rows import Entry, Kind, PersonBody
from storage.journal import open_journal
from storage.proof.keys import KEYS_FILE, KeyRecord
from storage.proof.signed_lines import read_lines, split
from storage.reader import JournalReader

ROTATED = "key.rotate"


def unrecorded_rotations(folder: Path, reader: JournalReader) -> list[PersonBody]:
    """Those of which the journal has no row yet: the line ran, or the command died in between."""
    known = {
        body.new for _, body in reader.alarms_and_people() if isinstance(body, PersonBody) and body.what == ROTATED
    }
    return [
        PersonBody(who=key.who, what=ROTATED, why=key.why, old=key.by, new=key.key, at=key.at)
        for key in read_keys(folder)
        if key.by != key.key and key.key not in known
    ]


def record_rotations(folder: Path) -> int:
    """Writes their rows, for who holds the station's lock; how many there were."""
    with JournalReader(folder) as reader:
        bodies = unrecorded_rotations(folder, reader)
    if bodies:
        with open_journal(folder) as journal:
            journal.append(
                [
                    Entry(kind=Kind.PERSON, frame=None, slot=None, outcome=None, reason=None, body=body)
                    for body in bodies
                ]
            )
    return len(bodies)


def read_keys(folder: Path) -> list[KeyRecord]:
    """What the station's key file says, unproven; a line that is none is left out: `linectl verify` names it."""
    records = []
    for line in read_lines(folder / "keys" / KEYS_FILE):
        try:
            records.append(msgspec.json.decode(split(line).statement, type=KeyRecord))
        except (ValueError, msgspec.MsgspecError):
            continue
    return records
