"""Decision without its sockets: messages in, rows, dispositions and answers out.

A REJECT leaves at once; a PASS, and every answer to capture, only when its row is durable. What has not been
confirmed is said again while its slot lies ahead, and past that the gate's own word decides.
"""

import time
from dataclasses import dataclass, field

import structlog

from config.station import Station
from monitor.bus.wire import Received
from monitor.lifeline import Status
from monitor.messages import (
    Actuated,
    Alarm,
    Captured,
    Closed,
    Counter,
    Disposition,
    Gate,
    Outcome,
    Projected,
    Reason,
    Segmentation,
)
from monitor.recovery import Recovered
from monitor.rows import ActuatedBody, AlarmBody, CorrectionBody, Entry, Journal, Kind
from monitor.rules.belt import BeltClock
from monitor.rules.ledger import Closing, Ledger
from monitor.rules.parts import PartOutcome, Parts
from monitor.rules.verdicts import Provenance, Verdict, decide
from monitor.tally import Tally

REPEAT_S = 0.2
UNCONFIRMED_NS = 3_000_000_000  # past the gate and still no word of it: the part was not proven released

log = structlog.get_logger()


@dataclass(kw_only=True)
class Pending:
    """A disposition that the gate has not confirmed, and the PASS rows it rests on."""

    disposition: Disposition
    passes: dict[int, str]  # seq → frame, of the verdicts a correction would name
    said_s: float = 0.0
    since_ns: int = field(default_factory=time.monotonic_ns)


class Desk:
    """What lies between a message heard and an answer given."""

    def __init__(self, station: Station, provenance: Provenance, journal: Journal, recovered: Recovered) -> None:
        self._station, self._provenance, self._journal = station, provenance, journal
        self._belt = BeltClock(station)
        self.ledger = Ledger(station.name, recovered.closed_to, self._belt, provenance.model_sha256)
        self._parts = Parts(cameras=frozenset(camera.name for camera in station.cameras))
        self.pending: dict[int, Pending] = {}
        self.tally = Tally()
        self.answers: list[Closed] = []  # due to captures once all before them is durable
        self.noted: list[str] = []  # alarms that will be durable with the next commit
        self.hold: str | None = None
        self._rows: list[Entry] = []
        self._verdicts: list[Verdict] = []
        self._pruned_to = 0
        self._alarms: set[str] = set()
        self._passed: dict[int, dict[int, str]] = {}  # slot → seq → frame, until the part is decided
        self._resume(recovered)

    def hear(self, received: Received) -> list[Closing]:
        """What this message ends."""
        message, payload = received
        now_ns = time.monotonic_ns()
        closing: Closing | None = None
        match message:
            case Captured() if self.ledger.knows(message.frame.camera):
                closing = self.ledger.captured(message, payload)
                if closing is None and self.ledger.is_closed(message.frame.camera, message.slot):
                    self.answers.append(Closed(frame=message.frame))
            case Segmentation() if self.ledger.knows(message.frame.camera):
                closing = self.ledger.segmented(message, payload, now_ns=now_ns)
                if closing is None and self.ledger.is_closed(message.frame.camera, message.slot):
                    log.info("answer.without_effect", frame=str(message.frame), worker=message.worker)
            case Counter() if all(self.ledger.knows(camera) for camera in message.cameras):
                self._belt.hear(message)
                self.ledger.counted(message, now_ns=now_ns)
            case Actuated():
                self._actuated(message)
            case Alarm():
                self._alarm(message)
            case Projected():
                self._pruned_to = max(self._pruned_to, message.seq)
            case _:
                log.error("message.unexpected", kind=type(message).__name__)
        return [closing] if closing else []

    def judge(self, closings: list[Closing]) -> list[Disposition]:
        """Verdicts for these; the dispositions that need not wait for their row."""
        at_once = []
        for closing in closings:
            verdict = decide(
                closing, self._station, self._provenance, now_ns=time.monotonic_ns(), now_at=time.time_ns()
            )
            self._verdicts.append(verdict)
            self._rows.append(verdict.entry)
            self.tally.add(verdict)
            self.answers.append(Closed(frame=closing.frame))
            if verdict.outcome is Outcome.NOT_INSPECTED and self._station.on_uninspected == "hold":
                self.hold = self.hold or str(verdict.reason)
            if verdict.outcome is not Outcome.PASS and (part := self._part(verdict)):
                at_once.append(self._dispose(part, {}))
        return at_once

    def commit(self) -> list[Disposition]:
        """Makes everything heard so far durable; the dispositions that waited for it."""
        if not self._rows:
            return []
        pictures = {sha256: png for verdict in self._verdicts for sha256, png in verdict.pictures.items()}
        places = {id(row): seq for row, seq in zip(self._rows, self._journal.append(self._rows, pictures), strict=True)}
        passes = []
        for verdict in self._verdicts:
            if verdict.outcome is Outcome.PASS:
                self._passed.setdefault(verdict.slot, {})[places[id(verdict.entry)]] = str(verdict.frame)
                if part := self._part(verdict):
                    passes.append(self._dispose(part, self._passed.pop(part.slot)))
        self._rows, self._verdicts = [], []
        return passes

    def repeats(self, now_s: float) -> list[Disposition]:
        """Dispositions that nobody has confirmed for a while; a PASS past its gate without a word is corrected."""
        again = []
        for slot, pending in list(self.pending.items()):
            if self._is_lost(pending):
                self._correct(slot, pending)
            elif now_s - pending.said_s >= REPEAT_S:
                pending.said_s = now_s
                again.append(pending.disposition)
        return again

    def status(self) -> Status:
        """For the panel."""
        return self.tally.status(open_=len(self.ledger), unconfirmed=len(self.pending))

    def tidy(self) -> None:
        """When no trigger is open: drops pictures the image store has, and truncates the log."""
        if self._pruned_to:
            self._journal.prune(self._pruned_to)
            self._pruned_to = 0
        self._journal.checkpoint()

    def _resume(self, recovered: Recovered) -> None:
        """Takes up what earlier processes left: the run's row first, then PASSes without the gate's word."""
        if recovered.run_row:
            self._rows.append(recovered.run_row)
        for slot, passes in recovered.open_passes.items():
            due = self._belt.gate_count(passes[0].at_count)
            disposition = Disposition(slot=slot, outcome=Outcome.PASS, reason=None, due_count=due)
            self.pending[slot] = Pending(disposition=disposition, passes={each.seq: each.frame for each in passes})

    def _part(self, verdict: Verdict) -> PartOutcome | None:
        part = self._parts.verdict(
            verdict.camera,
            slot=verdict.slot,
            outcome=verdict.outcome,
            reason=verdict.reason,
            at_count=verdict.at_count,
        )
        if part and part.outcome is not Outcome.PASS:
            self._passed.pop(part.slot, None)
        return part

    def _dispose(self, part: PartOutcome, passes: dict[int, str]) -> Disposition:
        disposition = Disposition(
            slot=part.slot, outcome=part.outcome, reason=part.reason, due_count=self._belt.gate_count(part.at_count)
        )
        self.pending[part.slot] = Pending(disposition=disposition, passes=passes, said_s=time.monotonic())
        return disposition

    def _actuated(self, actuated: Actuated) -> None:
        pending = self.pending.pop(actuated.slot, None)
        if pending is None:
            return  # said twice: the first was recorded
        self._rows.append(
            Entry(
                kind=Kind.ACTUATED,
                frame=None,
                slot=actuated.slot,
                outcome=actuated.outcome,
                reason=None,
                body=ActuatedBody(
                    run=self._provenance.run,
                    gate=actuated.gate,
                    commanded=actuated.outcome,
                    at_count=actuated.at_count,
                    late_ms=actuated.late_ms,
                    at=time.time_ns(),
                ),
            )
        )
        disposition = pending.disposition
        if actuated.late_ms > 0 and disposition.reason is not Reason.RECOVERED:
            self._late(disposition, actuated.late_ms)
        if actuated.gate is Gate.REJECTED and disposition.outcome is Outcome.PASS:
            self._correct(actuated.slot, pending)

    def _late(self, disposition: Disposition, late_ms: float) -> None:
        """It came after its part, which the gate had rejected by default: recorded, and alarmed."""
        log.error("disposition.late", slot=disposition.slot, outcome=disposition.outcome, late_ms=round(late_ms, 1))
        self._alarm(
            Alarm(
                key=f"late.{disposition.slot}",
                name="disposition.late",
                about=f"slot {disposition.slot}",
                text=f"{disposition.outcome} came {late_ms:.1f} ms after its part",
                raised_at=time.time_ns(),
            )
        )

    def _correct(self, slot: int, pending: Pending) -> None:
        """The PASS did not reach the gate: the part was rejected by default, and so the verdict reads."""
        self.pending.pop(slot, None)
        for seq, frame in pending.passes.items():
            body = CorrectionBody(run=self._provenance.run, corrects=seq, decided_at=time.time_ns())
            self._rows.append(
                Entry(
                    kind=Kind.CORRECTION,
                    frame=frame,
                    slot=slot,
                    outcome=Outcome.NOT_INSPECTED,
                    reason=Reason.LATE,
                    body=body,
                )
            )
            self.tally.correct(Reason.LATE)

    def _is_lost(self, pending: Pending) -> bool:
        """Past the gate for long, and nobody can say what it did. Where the gate is silent, silence goes on record."""
        due = pending.disposition.due_count
        now_ns = time.monotonic_ns()
        count = self._belt.count(now_ns)
        if due is None or count is None or count < due:
            pending.since_ns = now_ns
            return False
        return now_ns - pending.since_ns > UNCONFIRMED_NS

    def _alarm(self, alarm: Alarm) -> None:
        self.noted.append(alarm.key)
        if alarm.key in self._alarms:
            return  # said again before our note was heard
        self._alarms.add(alarm.key)
        body = AlarmBody(
            run=self._provenance.run,
            key=alarm.key,
            name=alarm.name,
            about=alarm.about,
            text=alarm.text,
            raised_at=alarm.raised_at,
        )
        self._rows.append(Entry(kind=Kind.ALARM, frame=None, slot=None, outcome=None, reason=None, body=body))
