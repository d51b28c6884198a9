"""What `linectl verify` asks of the checkpoints: whose they are, whether one is missing, what they say of the rows.

storage/offline/verify_journal.py asks the same without any of this; docs/proof.md says what it proves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from storage.faults import Fault, Finding
from storage.projection import Cursor, before_break, stands_in
from storage.proof import keys
from storage.proof.checkpoints import CHECKPOINTS_FILE, FIRST_BEFORE, PURPOSE, Checkpoint, line_hash
from storage.proof.keys import KEYS_FILE, KeyRecord, is_signed, key_id
from storage.proof.signed_lines import read_lines, split
from storage.reader import JournalReader

BESIDE, COPY = "checkpoints", "copy"  # the stores that findings name
NO_SECOND_PLACE = "none: a journal put back with its checkpoints, or signed with a stolen key, would not be seen"


@dataclass
class Place:
    """Checkpoints and keys as they lie in one place, and what is wrong with them by themselves."""

    store: str
    key_lines: list[bytes] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)  # those that are signed by a key of the station
    findings: list[Finding] = field(default_factory=list)
    away: str = ""  # why the second place could not be read


def read_beside(folder: Path, station: str) -> Place:
    """What lies in the station's state folder."""
    return _read_place(BESIDE, folder / "journal" / CHECKPOINTS_FILE, folder / "keys" / KEYS_FILE, station)


def read_copy(folder: Path, station: str) -> Place:
    """What lies in the second place: in this folder, or in the station's own inside it."""
    here = folder / station if (folder / station).is_dir() else folder
    if not here.is_dir():
        return Place(COPY, away=f"{folder}: no such folder")
    return _read_place(COPY, here / CHECKPOINTS_FILE, here / KEYS_FILE, station)


def check_proof(beside: Place, copy: Place | None, reader: JournalReader, rows: int) -> Iterator[Finding]:
    """Every fault of both places, and of the journal of `rows` rows by what they say."""
    yield from beside.findings
    if beside.key_lines and not beside.lines:
        yield _finding(Fault.CHECKPOINT_MISSING, BESIDE, "no checkpoint", "the first, made together with the key")
    elif beside.lines and not beside.key_lines:
        yield _finding(Fault.KEY_FOREIGN, BESIDE, "no public key", f"{KEYS_FILE}")
    yield from _of_journal(beside, reader, rows)
    if copy is None or copy.away:
        return
    yield from copy.findings
    if difference := _difference(beside.key_lines, copy.key_lines):
        found = f"key {difference}: other than in the second place"
        yield _finding(Fault.KEY_FOREIGN, BESIDE, found, "the same keys in both places")
    if difference := _difference(beside.lines, copy.lines):
        found = f"checkpoint {difference}: not what the second place has"
        yield _finding(Fault.CHECKPOINT_DIFFERS, BESIDE, found, "the same line in both places")
    elif len(copy.lines) > len(beside.lines):
        found = f"{len(beside.lines)} checkpoints, the second place has {len(copy.lines)}"
        yield _finding(Fault.CHECKPOINT_MISSING, BESIDE, found, "at least as many: this folder was put back to before")
    if difference or len(copy.lines) > len(beside.lines):
        yield from _of_journal(copy, reader, rows)


def proof_counts(beside: Place, copy: Place | None, rows: int) -> dict[str, int | str]:
    """For the report: how far the journal is signed, and whether a second place says so too."""
    signed = max((checkpoint.size for checkpoint in beside.checkpoints), default=0)
    counts: dict[str, int | str] = {
        "checkpoints": len(beside.checkpoints),
        "unsigned_rows": max(0, rows - signed),
    }
    if copy is None:
        counts["second_place"] = NO_SECOND_PLACE
    elif copy.away:
        counts["second_place"] = f"away: {copy.away}"
    else:
        counts["second_place"] = len(copy.checkpoints)
    return counts


def _read_place(store: str, checkpoints: Path, ring: Path, station: str) -> Place:
    place = Place(store)
    try:
        place.key_lines, place.lines = read_lines(ring), read_lines(checkpoints)
    except OSError as error:
        place.away = str(error)
        place.findings.append(_finding(Fault.CHECKPOINT_UNREADABLE, store, str(error), "a file that can be read"))
        return place
    records = _keys(place, station)
    _checkpoints(place, records, station)
    return place


def _keys(place: Place, station: str) -> list[KeyRecord]:
    """The keys, as far as each is vouched for by the one before."""
    records: list[KeyRecord] = []
    for number, line in enumerate(place.key_lines, start=1):
        try:
            signed = split(line)
            record = msgspec.json.decode(signed.statement, type=KeyRecord)
            public = bytes.fromhex(record.public)
        except (ValueError, msgspec.MsgspecError) as error:
            place.findings.append(_finding(Fault.KEY_FOREIGN, place.store, f"key {number}: {error}", "a key's record"))
            break
        voucher = records[-1] if records else record
        if (
            (record.station, record.number, record.by) != (station, number, voucher.key)
            or key_id(public) != record.key
            or not is_signed(signed, keys.PURPOSE, bytes.fromhex(voucher.public))
        ):
            found = f"key {number}: {record.key} of {record.station}, by {record.by}"
            expected = f"of {station}, and signed by {'itself' if voucher is record else voucher.key}"
            place.findings.append(_finding(Fault.KEY_FOREIGN, place.store, found, expected))
            break
        records.append(record)
    return records


def _checkpoints(place: Place, records: list[KeyRecord], station: str) -> None:
    """Notes those that are ours, and what is wrong with them."""
    by_id = {record.key: record for record in records}
    number, before, size, newest = 0, FIRST_BEFORE, 0, 0
    for position, line in enumerate(place.lines, start=1):
        at = f"checkpoint {position}"
        before, expected_before = line_hash(line), before
        number += 1
        try:
            signed = split(line)
            checkpoint = msgspec.json.decode(signed.statement, type=Checkpoint)
            bytes.fromhex(checkpoint.head)
        except (ValueError, msgspec.MsgspecError) as error:
            place.findings.append(_finding(Fault.CHECKPOINT_UNREADABLE, place.store, f"{at}: {error}", "a signed line"))
            continue
        record = by_id.get(checkpoint.key)
        if record is None or checkpoint.station != station:
            found = f"{at}: by key {checkpoint.key} of {checkpoint.station}"
            place.findings.append(_finding(Fault.KEY_FOREIGN, place.store, found, f"a key of {station}: {list(by_id)}"))
            continue
        if not is_signed(signed, PURPOSE, bytes.fromhex(record.public)):
            expected = f"the signature of key {checkpoint.key}"
            place.findings.append(_finding(Fault.CHECKPOINT_FORGED, place.store, f"{at}: {line[-16:]!r}", expected))
            continue
        heir = next((each for each in records if each.by == record.key and each is not record), None)
        if record.number < newest or (heir is not None and checkpoint.at > heir.old_until):
            found = f"{at}: by key {checkpoint.key}, at {_when(checkpoint.at)}"
            place.findings.append(_finding(Fault.KEY_RETIRED, place.store, found, "the key that followed it"))
            continue
        newest = record.number
        if (checkpoint.number, checkpoint.before) != (number, expected_before) or checkpoint.size < size:
            found = f"{at}: says it is number {checkpoint.number}, of {checkpoint.size} rows"
            expected = f"number {number}, of {size} rows or more, and names the line before"
            place.findings.append(_finding(Fault.CHECKPOINT_MISSING, place.store, found, expected))
            number = checkpoint.number
        size = checkpoint.size
        place.checkpoints.append(checkpoint)


def _of_journal(place: Place, reader: JournalReader, rows: int) -> Iterator[Finding]:
    """Where the journal first ceases to be what was signed, and whether its end is missing."""
    good = 0
    for checkpoint in place.checkpoints:
        cursor = Cursor(checkpoint.size, bytes.fromhex(checkpoint.head))
        when = f"signed at {_when(checkpoint.at)} as checkpoint {checkpoint.number}"
        if cursor.seq > rows:
            yield _finding(Fault.JOURNAL_CUT, place.store, f"{rows} rows", f"{cursor.seq} rows, {when}")
            return
        if cursor.seq and not stands_in(cursor, reader):
            if before_break(cursor, reader):
                continue  # its row was set aside, damaged: storage/proof/aside.py asks there
            found = f"another hash at row {cursor.seq}: a row from {good + 1} to {cursor.seq} was replaced"
            yield _finding(Fault.HISTORY_REWRITTEN, place.store, found, f"{checkpoint.head}, {when}")
            return
        good = cursor.seq


def _difference(ours: list[bytes], theirs: list[bytes]) -> int | None:
    """The number of the first line that is not the same; the longer may go on."""
    return next((at for at, (one, other) in enumerate(zip(ours, theirs, strict=False), 1) if one != other), None)


def _when(ns: int) -> str:
    try:
        return datetime.fromtimestamp(ns / 1e9, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return f"{ns} ns"


def _finding(fault: Fault, store: str, found: str, expected: str) -> Finding:
    return Finding(fault=fault, store=store, frame=None, found=found, expected=expected)
