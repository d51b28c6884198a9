"""How many: one run in figures, kept up while it lasts, so that its end need not read what a shift wrote."""

from collections import Counter, OrderedDict, deque
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitor.messages import Gate, Outcome, Reason
from monitor.rows import ActuatedBody, CorrectionBody, Row, RunBody, VerdictBody, pictures, read_body
from storage.reader import PAGE_ROWS, JournalReader, parse_line

RECENT = 20_000  # verdicts that a correction, or the gate's word, may still be about
TIMED = 200_000  # of the last inspected parts, the latencies


class Ending(NamedTuple):
    """How a trigger of this run ended, corrections applied."""

    slot: int
    outcome: Outcome
    reason: Reason | None
    pictures: int


class RunCounter:
    """Counts the triggers of one run as the journal grows; outcomes are those in force."""

    def __init__(self, folder: Path, run: str, *, after: int | None = None) -> None:
        """Begins behind row `after`, or at the journal's present end: a run that is yet to start."""
        self._reader, self._run = JournalReader(folder), run
        self._after = self._reader.last_seq() if after is None else after
        self._recent: OrderedDict[int, Ending] = OrderedDict()  # by seq
        self._late: set[int] = set()  # slots whose disposition came after the part; few, or the line has stopped
        self._first_slots: dict[str, int] = {}
        self.outcomes: Counter[Outcome] = Counter()
        self.reasons: Counter[str] = Counter()
        self.recovered = 0  # triggers of an earlier run that this one closed; in none of the above
        self.pictures = 0
        self.capture_to_verdict_ms: deque[float] = deque(maxlen=TIMED)
        self.inference_ms: deque[float] = deque(maxlen=TIMED)  # of the same parts
        self.first_at = 0  # capture of the first trigger, wall ns
        self.last_at = 0  # verdict of the last

    @property
    def triggers(self) -> int:
        return self.outcomes.total()

    @property
    def late(self) -> int:
        """Dispositions that missed the gate; a part already lost when decision began is lost, not late."""
        return len(self._late)

    def follow(self, pages: int | None = None) -> None:
        """Takes in what was written since; at most so many pages of rows."""
        while pages is None or pages > 0:
            lines = self._reader.lines(self._after)
            for line in lines:
                self._take(parse_line(line))
            if lines:
                self._after = lines[-1].seq
            if len(lines) < PAGE_ROWS:
                return
            pages = None if pages is None else pages - 1

    def is_passed(self, slot: int) -> bool:
        """Whether each recent verdict on this part is a PASS."""
        outcomes = {ending.outcome for ending in self._recent.values() if ending.slot == slot}
        return outcomes == {Outcome.PASS}

    def pictures_behind(self, seq: int) -> int:
        """Pictures that rows behind `seq` name."""
        return sum(ending.pictures for at, ending in self._recent.items() if at > seq)

    def close(self) -> None:
        self._reader.close()

    def _take(self, row: Row) -> None:
        match read_body(row):
            case RunBody() as body if body.run == self._run:
                self._first_slots = body.first_slots
            case VerdictBody() as body if body.run == self._run:
                self._verdict(row, body)
            case ActuatedBody() as body if body.run == self._run and row.slot is not None:
                unheard = body.gate is Gate.REJECTED and body.commanded is None
                if body.late_ms > 0 or unheard:
                    self._missed(row.slot)
            case CorrectionBody() as body if body.run == self._run and row.slot is not None and row.outcome is not None:
                self._correct(body.corrects, row.outcome, row.reason)
                if row.reason is Reason.LATE:
                    self._missed(row.slot)
            case _:
                pass

    def _verdict(self, row: Row, body: VerdictBody) -> None:
        if row.slot is None or row.outcome is None:
            return
        if row.reason is Reason.RECOVERED and row.slot < self._first_slots.get(body.camera, 0):
            self.recovered += 1
            return
        ending = Ending(row.slot, row.outcome, row.reason, len(set(pictures(body))))
        self._recent[row.seq] = ending
        if len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        self._count(ending, 1)
        self.pictures += ending.pictures
        self.first_at = min(self.first_at or body.captured_at, body.captured_at)
        self.last_at = max(self.last_at, body.decided_at)
        if row.outcome is not Outcome.NOT_INSPECTED and body.latency_ms is not None and body.inference_ms is not None:
            self.capture_to_verdict_ms.append(body.latency_ms)
            self.inference_ms.append(body.inference_ms)

    def _correct(self, seq: int, outcome: Outcome, reason: Reason | None) -> None:
        """Of a verdict of this run; one of an earlier run is not ours to count."""
        if before := self._recent.get(seq):
            self._recent[seq] = before._replace(outcome=outcome, reason=reason)
            self._count(before, -1)
            self._count(self._recent[seq], 1)

    def _count(self, ending: Ending, by: int) -> None:
        self.outcomes[ending.outcome] += by
        if ending.reason is not None:
            self.reasons[str(ending.reason)] += by

    def _missed(self, slot: int) -> None:
        ours = [ending for ending in self._recent.values() if ending.slot == slot]
        if ours and all(ending.reason is not Reason.RECOVERED for ending in ours):
            self._late.add(slot)


def count_run(folder: Path, run: str) -> RunCounter:
    """The counts of a run that is over, from the whole journal."""
    counter = RunCounter(folder, run, after=0)
    counter.follow()
    counter.close()
    return counter


def write_live_counts(folder: Path, runs: dict[str, int]) -> None:
    """Notes what Redis has taken in of each run."""
    (folder / "live-counts.json").write_bytes(msgspec.json.encode(runs))


def live_count(folder: Path, run: str) -> int | None:
    """The verdicts of a run that Redis had taken in when the recorder ended; None without Redis."""
    path = folder / "live-counts.json"
    if not path.exists():
        return None
    return msgspec.json.decode(path.read_bytes(), type=dict[str, int]).get(run)
