"""Labels on their way into the journal, with the line running or standing; what is on record is not said again."""

import hashlib
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from config.loader import state_folder
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Pusher
from monitor.label_book import labelled, state_text
from monitor.labels import Label, Saying, State
from monitor.messages import Labelled, Outcome
from monitor.rows import PersonBody, read_body
from monitor.rules.labels import next_state, refusal
from monitor.runner import AlreadyRunning, hold_station
from storage.alarms import HEARD_S, SAY_S, NotHeard
from storage.audit import open_audit
from storage.journal import open_journal
from storage.label_file import Line, Refused
from storage.label_questions import Seen
from storage.reader import JournalReader
from storage.standing import bring_up

ROWS_PER_COMMIT = 1000
SAID_AT_ONCE = 100  # to a running line, which has parts to judge: that many rows are a millisecond of its commit

Subject = tuple[str | None, int, int | None]  # frame, slot, region


class NothingToLabel(Exception):
    """There is no verdict on record to say anything of."""


class Imported(msgspec.Struct, kw_only=True):
    """What became of the lines."""

    added: list[Saying]
    already: int  # on record before
    refused: list[Refused]
    behind: str = ""  # why the audit store has not taken them in yet


def import_labels(
    station: Station, lines: Sequence[Line], *, who: str, why: str = "", strict: bool = False
) -> Imported:
    """Adds what is not on record, through the running line or by the station's lock.

    `strict` adds nothing where a line is refused. Raises `NothingToLabel`, `NotHeard`, `JournalError`, `StoreLost` or
    `StoreForeign`; what was added by then is on record, and passed over the next time.
    """
    folder = state_folder(station)
    try:
        with hold_station(folder):
            imported = plan(station, folder, lines, who=who, why=why)
            if not (strict and imported.refused):
                _write(folder, imported.added)
                imported.behind = bring_up(station, folder)
    except AlreadyRunning:
        imported = plan(station, folder, lines, who=who, why=why)
        if not (strict and imported.refused):
            _tell(station, folder, imported.added)
    if strict and imported.refused:
        return Imported(added=[], already=imported.already, refused=imported.refused)
    return imported


def plan(station: Station, folder: Path, lines: Sequence[Line], *, who: str, why: str) -> Imported:
    """What would be added; each line is judged by what is on record and the lines before it."""
    seen = _look_up(station, folder, lines)
    by_frame = {each.frame: each for each in seen}
    by_slot: dict[int, list[Seen]] = {}
    for each in seen:
        by_slot.setdefault(each.slot, []).append(each)
    before, known = _on_record(folder)
    added: list[Saying] = []
    refused: list[Refused] = []
    already = 0
    for line in lines:
        about = _about(line, by_frame, by_slot, alone=len(station.cameras) == 1)
        if isinstance(about, Refused):
            refused.append(about)
            continue
        subject, outcome = about
        label = _label(station.name, line, subject, who)
        if label.id in known:
            already += 1
            continue
        said = before.setdefault(subject, [])
        if line.state is None:
            label = msgspec.structs.replace(label, state=next_state(said, label, outcome))
        if reason := refusal(said, label, outcome):
            found = f"{label.state} by {label.reviewer}"
            refused.append(Refused(line=line.number, column="state", found=found, expected=reason))
            continue
        added.append(
            Saying(
                frame=subject[0],
                slot=subject[1],
                label=label,
                who=who,
                why=line.why or why,
                old=state_text(said[-1].state, said[-1].label) if said else "",
                at=line.at or time.time_ns(),
            )
        )
        said.append(label)
        known.add(label.id)
    return Imported(added=added, already=already, refused=refused)


def _look_up(station: Station, folder: Path, lines: Sequence[Line]) -> list[Seen]:
    audit = open_audit(folder, station.name)
    if audit is None:
        raise NothingToLabel(f"{station.name} has no verdict on record yet: run the line first")
    with closing(audit):
        frames = [line.frame for line in lines if line.frame is not None]
        slots = [line.slot for line in lines if line.slot is not None]
        return audit.labels.look_up(frames, slots)


def _on_record(folder: Path) -> tuple[dict[Subject, list[Label]], set[str]]:
    """Labels by what they are about, and their ids; from the journal, which the audit store may lag behind."""
    before: dict[Subject, list[Label]] = {}
    known: set[str] = set()
    with JournalReader(folder) as reader:
        for row, body in reader.labels():
            if body.label is None or row.slot is None or body.label.id in known:
                continue
            before.setdefault((row.frame, row.slot, body.label.region), []).append(body.label)
            known.add(body.label.id)
    return before, known


def _about(
    line: Line, by_frame: dict[str, Seen], by_slot: dict[int, list[Seen]], *, alone: bool
) -> tuple[Subject, Outcome] | Refused:
    """What this line is about, and how the line judged it. At a station of one camera the frame is the part."""

    def wrong(column: str, found: object, expected: str) -> Refused:
        return Refused(line=line.number, column=column, found=str(found), expected=expected)

    if line.frame is not None:
        if line.frame not in by_frame:
            return wrong(
                "frame", repr(line.frame), "a frame with a verdict in the audit store; linectl history has them"
            )
        frames = [by_frame[line.frame]]
        if line.slot not in {None, frames[0].slot}:
            return wrong("slot", line.slot, f"{line.frame} is of slot {frames[0].slot}")
    else:
        frames = by_slot.get(line.slot or 0, [])
        if not frames:
            return wrong("slot", line.slot, "a slot with a verdict in the audit store; linectl history has them")
    slot, outcome = frames[0].slot, _worst(frames)
    frame = frames[0].frame if line.frame is not None or (alone and len(frames) == 1) else None
    if line.region is None:
        return (frame, slot, None), outcome
    if frame is None:
        return wrong("region", line.region, f"the frame too: one of {', '.join(each.frame for each in frames)}")
    if line.region > frames[0].regions:
        return wrong("region", line.region, f"the verdict of {frame} has {frames[0].regions or 'no'} regions")
    return (frame, slot, line.region), outcome


def _worst(frames: Iterable[Seen]) -> Outcome:
    """The outcome of the part."""
    outcomes = {each.outcome for each in frames}
    return next(each for each in (Outcome.REJECT, Outcome.NOT_INSPECTED, Outcome.PASS) if each in outcomes)


def _label(station: str, line: Line, subject: Subject, who: str) -> Label:
    """The id is of what was said, so that the same line twice is one label; another time makes it another."""
    reviewer = line.reviewer or who
    said = [
        station,
        *subject,
        reviewer,
        str(line.state or ""),
        line.label,
        line.size_mm,
        line.blind,
        line.trial,
        line.at,
    ]
    return Label(
        id=hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:32],
        state=line.state or State.PROPOSED,  # until it is known what may follow
        reviewer=reviewer,
        label=line.label,
        region=line.region,
        size_mm=line.size_mm,
        blind=line.blind,
        trial=line.trial,
    )


def _write(folder: Path, sayings: list[Saying]) -> None:
    """The line stands: we are the writer."""
    if not sayings:
        return
    with open_journal(folder) as journal:
        for first in range(0, len(sayings), ROWS_PER_COMMIT):
            journal.append([labelled(saying) for saying in sayings[first : first + ROWS_PER_COMMIT]])


def _tell(station: Station, folder: Path, sayings: list[Saying]) -> None:
    """The line runs: it is said to decision until each row is there."""
    with Pusher(Endpoints(station).decision) as decision, JournalReader(folder) as reader:
        before = reader.last_seq()
        for first in range(0, len(sayings), SAID_AT_ONCE):
            left = {saying.label.id: saying for saying in sayings[first : first + SAID_AT_ONCE]}
            until_s = time.monotonic() + HEARD_S
            while left:
                if time.monotonic() > until_s:
                    raise NotHeard(
                        f"{station.name} runs, and wrote {first} of {len(sayings)} labels down, then none within "
                        f"{HEARD_S:g} s; is decision alive? What is on record is passed over when this is said again"
                    )
                for saying in left.values():
                    decision.send(Labelled(saying=saying))
                time.sleep(SAY_S)
                while rows := reader.rows(before):
                    before = rows[-1].seq
                    for body in map(read_body, rows):
                        if isinstance(body, PersonBody) and body.label:
                            left.pop(body.label.id, None)
