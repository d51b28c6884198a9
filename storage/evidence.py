"""All that a journal says, read once in order: verdicts and corrections, gates, runs, pictures; and its own faults."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from monitor.labels import Label
from monitor.messages import Gate, Outcome, Reason
from monitor.retention import LegalHold
from monitor.retention_book import hold_text
from monitor.rows import (
    ActuatedBody,
    AlarmBody,
    CorrectionBody,
    PersonBody,
    PurgeBody,
    Row,
    RunBody,
    SetAside,
    VerdictBody,
    pictures,
    read_body,
)
from storage import chain
from storage.chain import GENESIS, Line
from storage.faults import Fault, Finding
from storage.journal_errors import JournalError
from storage.keeping import Keeping
from storage.projection import Cursor
from storage.reader import JournalReader, camera_of, parse_line

Ending = tuple[str, str | None]  # outcome and reason
_BEGINNING = Cursor(0, GENESIS)


@dataclass(slots=True)
class Verdict:
    """One trigger's end at one camera."""

    seq: int
    frame: str
    slot: int
    camera: str
    original: Ending
    defects: int
    crops: int
    corrections: list[tuple[int, Ending]] = field(default_factory=list)  # by seq

    @property
    def effective(self) -> Ending:
        return self.corrections[-1][1] if self.corrections else self.original

    def ending_at(self, seq: int) -> tuple[int | None, Ending]:
        """The last correction up to a row, and what the verdict was then."""
        return max((each for each in self.corrections if each[0] <= seq), default=(None, self.original))


@dataclass(frozen=True, slots=True)
class Act:
    """The gate's word on a part."""

    seq: int
    gate: Gate
    commanded: Outcome | None


@dataclass
class Evidence:
    """What the journal says, up to `head`."""

    head: Cursor = _BEGINNING
    readable: bool = True
    findings: list[Finding] = field(default_factory=list)
    verdicts: dict[int, Verdict] = field(default_factory=dict)  # by seq
    parts: dict[int, dict[str, Verdict]] = field(default_factory=dict)  # slot → camera
    acts: dict[int, Act] = field(default_factory=dict)  # slot → its last word
    gates: dict[int, tuple[int, str]] = field(default_factory=dict)  # seq → slot, gate
    runs: list[tuple[int, RunBody]] = field(default_factory=list)
    keeping: Keeping = field(default_factory=Keeping)  # of pictures
    corrections: int = 0
    rows: int = 0
    breaks: list[tuple[int, SetAside]] = field(default_factory=list)  # by the row that says so
    labels: dict[str, tuple[int, str | None, Label]] = field(default_factory=dict)  # by id: first row, frame, label

    def started_after(self, seq: int) -> int | None:
        """The row of the first start of the line behind a row."""
        return next((at for at, _ in self.runs if at > seq), None)


def read_evidence(reader: JournalReader) -> Evidence:
    """Reads the whole journal; what is wrong with it by itself is among the findings."""
    evidence = Evidence()
    try:
        for broken in chain.faults(_noted(reader, evidence), after=0, previous=GENESIS):
            fault = Fault(broken.fault)
            frame = None if fault is Fault.SEQ_HOLE else f"row {broken.seq}"
            _find(evidence, fault, frame=frame, found=broken.found, expected=broken.expected)
    except JournalError as error:
        evidence.readable = False
        _find(evidence, Fault.JOURNAL_UNREADABLE, frame=None, found=str(error), expected="a sound file")
    return evidence


def _noted(reader: JournalReader, evidence: Evidence) -> Iterator[Line]:
    """Passes each line on to the chain when it has been taken in."""
    for line in reader.all_lines():
        evidence.head = Cursor(line.seq, chain.hash_of(line))
        evidence.rows += 1
        try:
            row = parse_line(line)
            body = read_body(row)
        except (JournalError, msgspec.MsgspecError) as error:
            found = f"row {line.seq}: {error}"
            frame = line.frame if isinstance(line.frame, str) and line.frame.isprintable() else None
            _find(evidence, Fault.ROW_UNREADABLE, frame=frame, found=found, expected="a row of ours")
        else:
            match body:
                case VerdictBody():
                    _take_verdict(evidence, row, body)
                case CorrectionBody():
                    _take_correction(evidence, row, body)
                case ActuatedBody() if row.slot is not None:
                    evidence.acts[row.slot] = Act(row.seq, body.gate, body.commanded)
                    evidence.gates[row.seq] = row.slot, str(body.gate)
                case RunBody():
                    evidence.runs.append((row.seq, body))
                case PurgeBody():
                    _take_purge(evidence, row, body)
                case PersonBody(hold=LegalHold()):
                    evidence.keeping.person(body)
                case AlarmBody(set_aside=SetAside() as said):
                    evidence.breaks.append((row.seq, said))
                case PersonBody(label=Label() as label):
                    evidence.labels.setdefault(label.id, (row.seq, row.frame, label))
                case _:
                    pass
        yield line


def _take_verdict(evidence: Evidence, row: Row, body: VerdictBody) -> None:
    problem = "" if row.frame is None else _malformed(row, row.frame, body)
    if row.frame is None or row.slot is None or row.outcome is None or problem:
        found = f"row {row.seq}: slot {row.slot}, {row.outcome}, {row.reason}, camera {body.camera}"
        expected = problem or "frame, slot and outcome"
        _find(evidence, Fault.VERDICT_MALFORMED, frame=row.frame, found=found, expected=expected)
        return
    verdict = Verdict(
        seq=row.seq,
        frame=row.frame,
        slot=row.slot,
        camera=body.camera,
        original=_ending(row),
        defects=len(body.regions),
        crops=sum(1 for _ in pictures(body)),
    )
    evidence.verdicts[row.seq] = verdict
    evidence.keeping.verdict(row, body)
    first = evidence.parts.setdefault(row.slot, {}).setdefault(body.camera, verdict)
    if first is not verdict:
        found = f"rows {first.seq} and {row.seq} for slot {row.slot} of {body.camera}"
        _find(evidence, Fault.VERDICT_TWICE, frame=row.frame, found=found, expected="one verdict a trigger")


def _take_correction(evidence: Evidence, row: Row, body: CorrectionBody) -> None:
    evidence.corrections += 1
    verdict = evidence.verdicts.get(body.corrects)
    if verdict is None or verdict.frame != row.frame or row.outcome is None:
        found = f"row {row.seq} corrects row {body.corrects}" + (f" of {verdict.frame}" if verdict else ", no verdict")
        _find(evidence, Fault.CORRECTION_DANGLING, frame=row.frame, found=found, expected="a verdict of the same frame")
        return
    verdict.corrections.append((row.seq, _ending(row)))


def _take_purge(evidence: Evidence, row: Row, body: PurgeBody) -> None:
    for sha256, naming, hold in evidence.keeping.purge(row, body):
        found = f"row {row.seq}, by {body.by}, purges {sha256} of row {naming.seq}"
        expected = f"it is kept: {hold_text(hold)}"
        _find(evidence, Fault.PURGED_WHILE_HELD, frame=naming.frame, found=found, expected=expected)


def _malformed(row: Row, frame: str, body: VerdictBody) -> str:
    """What a verdict of this kind would have to say; empty where it does."""
    if frame.count("/") != 3 or camera_of(frame) != body.camera:
        return f"a frame of camera {body.camera}"
    if (row.outcome is Outcome.NOT_INSPECTED) != isinstance(row.reason, Reason):
        return "a reason with NOT_INSPECTED, and with nothing else"
    return ""


def _ending(row: Row) -> Ending:
    return str(row.outcome), None if row.reason is None else str(row.reason)


def _find(evidence: Evidence, fault: Fault, *, frame: str | None, found: str, expected: str) -> None:
    evidence.findings.append(Finding(fault=fault, store="journal", frame=frame, found=found, expected=expected))
