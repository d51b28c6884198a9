"""How many: what the journal, and the stores behind it, say of one run. For the summary of the line."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitor.messages import Outcome, Reason
from monitor.rows import ActuatedBody, CorrectionBody, Row, VerdictBody, read_body
from storage.audit_rows import pictures
from storage.reader import JournalReader, parse_line


@dataclass
class RunCounts:
    """One run, by its rows in the journal; outcomes are the effective ones."""

    passed: int = 0
    rejected: int = 0
    not_inspected: dict[str, int] = field(default_factory=dict)  # by reason
    recovered: int = 0  # triggers of an earlier run that this one closed; in none of the above
    late: int = 0  # dispositions that missed the gate
    journal_rows: int = 0  # verdicts, those recovered too
    capture_to_verdict_ms: list[float] = field(default_factory=list)  # of inspected parts
    inference_ms: list[float] = field(default_factory=list)  # of the same parts
    passed_slots: frozenset[int] = frozenset()  # of parts that each camera which spoke has passed
    first_at: int = 0  # capture of the first trigger, wall ns
    last_at: int = 0  # verdict of the last
    pictures: set[str] = field(default_factory=set)  # SHA-256 of those that its verdicts name

    @property
    def triggers(self) -> int:
        return self.passed + self.rejected + sum(self.not_inspected.values())


class Ending(NamedTuple):
    """How a trigger of this run ended, corrections applied."""

    slot: int
    camera: str
    outcome: Outcome
    reason: Reason | None


def count_run(folder: Path, station: str, run: str) -> RunCounts:  # noqa: ARG001 - a journal is of one station
    """Counts the verdicts that this run wrote, from the state folder's journal."""
    counts = RunCounts()
    endings: dict[int, Ending] = {}
    late: set[int] = set()  # slots whose disposition came after the part
    with JournalReader(folder) as reader:
        first_slots = next((body.first_slots for _, body in reader.runs() if body.run == run), {})
        for line in reader.all_lines(_row_before(reader, run)):
            row = parse_line(line)
            match read_body(row):
                case VerdictBody() as body if body.run == run:
                    _take(counts, endings, row, body, first_slots)
                case ActuatedBody() as body if body.run == run and body.late_ms > 0 and row.slot is not None:
                    late.add(row.slot)
                case CorrectionBody() as body if body.run == run:
                    if row.reason is Reason.LATE and row.slot is not None:
                        late.add(row.slot)
                    if body.corrects in endings and row.outcome is not None:
                        endings[body.corrects] = endings[body.corrects]._replace(outcome=row.outcome, reason=row.reason)
                case _:
                    pass
    # a part that was past the gate before this decision began is lost, not late; one of an earlier run is not ours
    counts.late = len(late & {end.slot for end in endings.values() if end.reason is not Reason.RECOVERED})
    reasons: Counter[str] = Counter()
    by_slot: dict[int, dict[str, Outcome]] = defaultdict(dict)
    for ending in endings.values():
        by_slot[ending.slot][ending.camera] = ending.outcome
        match ending.outcome:
            case Outcome.PASS:
                counts.passed += 1
            case Outcome.REJECT:
                counts.rejected += 1
            case Outcome.NOT_INSPECTED:
                reasons[str(ending.reason)] += 1
    counts.not_inspected = dict(reasons)
    counts.passed_slots = frozenset(slot for slot, by in by_slot.items() if set(by.values()) == {Outcome.PASS})
    return counts


def write_live_counts(folder: Path, runs: dict[str, int]) -> None:
    """Notes what Redis has taken in of each run."""
    (folder / "live-counts.json").write_bytes(msgspec.json.encode(runs))


def live_count(folder: Path, run: str) -> int | None:
    """The verdicts of a run that Redis had taken in when the recorder ended; None without Redis."""
    path = folder / "live-counts.json"
    if not path.exists():
        return None
    return msgspec.json.decode(path.read_bytes(), type=dict[str, int]).get(run)


def _row_before(reader: JournalReader, run: str) -> int:
    """A row behind which all of this run's rows lie: the start before it."""
    before = 0
    for row, body in reader.runs():
        if body.run == run:
            return before
        before = row.seq
    return before


def _take(
    counts: RunCounts,
    endings: dict[int, Ending],
    row: Row,
    body: VerdictBody,
    first_slots: dict[str, int],
) -> None:
    counts.journal_rows += 1
    if row.slot is None or row.outcome is None:
        return
    if row.reason is Reason.RECOVERED and row.slot < first_slots.get(body.camera, 0):
        counts.recovered += 1
        return
    endings[row.seq] = Ending(row.slot, body.camera, row.outcome, row.reason)
    counts.first_at = min(counts.first_at or body.captured_at, body.captured_at)
    counts.last_at = max(counts.last_at, body.decided_at)
    counts.pictures.update(pictures(body))
    if row.outcome is not Outcome.NOT_INSPECTED:
        if body.latency_ms is not None:
            counts.capture_to_verdict_ms.append(body.latency_ms)
        if body.inference_ms is not None:
            counts.inference_ms.append(body.inference_ms)
