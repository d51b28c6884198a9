"""Decision without its sockets: messages in, rows, dispositions and answers out.

A REJECT leaves at once; a PASS, and every answer to capture, only when its row is durable. What has not been
confirmed is said again while its slot lies ahead, and past that the gate's own word decides.
"""

import dataclasses
import time
from collections.abc import Callable

import structlog

from config.station import Station
from config.timing import following_cameras
from monitor.alarm_book import AlarmBook
from monitor.bus.wire import Received
from monitor.commit import Commit
from monitor.disk_book import DiskBook
from monitor.disk_watch import DiskWatch
from monitor.dispositions import Dispositions, Pending, escaped, failed, missed
from monitor.label_book import LabelBook
from monitor.lifeline import Status
from monitor.messages import (
    Acknowledge,
    Actuated,
    Alarm,
    Captured,
    Closed,
    Counted,
    Counter,
    Disposition,
    Labelled,
    Outcome,
    Projected,
    Reason,
    Retained,
    Segmentation,
    Standing,
)
from monitor.recovery import Recovered
from monitor.rows import ActuatedBody, CorrectionBody, DiskFull, Journal, Kind
from monitor.rules.belt import BeltClock
from monitor.rules.ledger import Closing, Ledger
from monitor.rules.parts import PartOutcome, Parts
from monitor.rules.reconcile import Reconciling, difference
from monitor.rules.verdicts import Provenance, Verdict, decide
from monitor.tally import Tally

log = structlog.get_logger()


class Desk:
    """What lies between a message heard and an answer given."""

    def __init__(
        self,
        station: Station,
        provenance: Provenance,
        journal: Journal,
        recovered: Recovered,
        disk: DiskWatch | None = None,  # None: nobody looks how full it is
    ) -> None:
        self._station, self._provenance = station, provenance
        self._belt = BeltClock(station)
        closed_to = recovered.closed_to
        self.reconciling = Reconciling(following_cameras(station), closed_to)
        doubted = self.reconciling.cameras
        self.ledger = Ledger(station.name, closed_to, self._belt, provenance.model_sha256, doubted=doubted)
        self._parts = Parts(cameras=frozenset(camera.name for camera in station.cameras))
        self.dispositions = Dispositions(belt=self._belt)
        self.tally = Tally()
        self._uninspected: str | None = None  # where the station holds for such a part
        self._starts_run = recovered.run_row is not None  # then what is recovered belongs to an earlier run
        # a PLC says again what it did before our start: what escaped then was said then
        self._begun_behind = max(recovered.closed_to.values(), default=0)
        self.commits = Commit(journal)
        self._answers: list[Closed] = []  # due to captures once all before them is durable
        self.alarms = AlarmBook(
            station.alarms,
            run=provenance.run,
            standing=recovered.standing,
            write=self.commits.row,
        )
        self.disk = DiskBook(disk, self.alarms.board)
        self._labels = LabelBook()
        self._passed: dict[int, dict[int, str]] = {}  # slot → seq → frame, until the part is decided
        self._resume(recovered)

    @property
    def hold(self) -> str | None:
        """Why the line must stand until a person has looked."""
        return self._uninspected or self.alarms.hold

    def hear(self, received: Received) -> list[Closing]:
        """What this message ends."""
        message, payload = received
        now_ns = time.monotonic_ns()
        closing: Closing | None = None
        match message:
            case Captured() if self.ledger.knows(message.frame.camera):
                closing = self.ledger.captured(message, payload)
                if closing is None and self.ledger.is_closed(message.frame.camera, message.slot):
                    self._answers.append(Closed(frame=message.frame))
            case Segmentation() if self.ledger.knows(message.frame.camera):
                closing = self.ledger.segmented(message, payload, now_ns=now_ns)
                if closing is None and self.ledger.is_closed(message.frame.camera, message.slot):
                    log.info("answer.without_effect", frame=str(message.frame), worker=message.worker)
            case Counter() if all(self.ledger.knows(camera) for camera in message.cameras):
                self._belt.hear(message)
                self.ledger.counted(message, now_ns=now_ns)
                self.reconciling.read(message)
                self.alarms.board.counted(message.trigger_count, moving=message.counts_per_s > 0, now_ns=now_ns)
            case Counted() if message.camera in self.reconciling.cameras:
                return self._counted(message, now_ns)
            case Actuated():
                self._actuated(message)
            case Alarm():
                self.alarms.hear(message)
            case Acknowledge():
                self.alarms.acknowledge(message)
            case Labelled():
                self.commits.add(*self._labels.hear(message.saying))
            case Retained():
                self.commits.add(*self.commits.retention.hear(message.said))
            case Projected():
                self.commits.projected_to = max(self.commits.projected_to, message.seq)
            case _:
                log.error("message.unexpected", kind=type(message).__name__)
        return [closing] if closing else []

    def settle(
        self,
        closings: list[Closing],
        *,
        send: Callable[[Disposition], object],
        answer: Callable[[Closed], object],
        note: Callable[[str], object],
    ) -> None:
        """The order of the promise: rejects leave, rows become durable, and what waited for that follows."""
        for closing in closings:
            if disposition := self._judge(closing):
                send(disposition)
        self._answers += [Closed(frame=frame) for frame in self.ledger.dropped()]
        for disposition in self.dispositions.repeats(time.monotonic()):
            send(disposition)
        for pending in self.dispositions.lost(time.monotonic_ns()):
            self._late(pending, "the gate never said what it did")
            self._correct(pending)
        self.alarms.flush()
        durable = self._commit()
        if durable is None:
            return  # the line is held, and nothing that waits for its row leaves before it is there
        for disposition in durable:
            send(disposition)
        for closed in self._answers:
            answer(closed)
        for key in self.alarms.noted():
            note(key)
        self._answers = []

    def standing(self) -> Standing:
        """What a PLC must know of the line."""
        return Standing(paused=self.reconciling.pauses, needs_person=not self.alarms.lets_pass)

    def status(self) -> Status:
        """For the panel."""
        return self.tally.status(open_=len(self.ledger), unconfirmed=len(self.dispositions))

    def tidy(self) -> None:
        """Looks at the disk; drops what the journal needs no longer."""
        self.disk.look(time.monotonic_ns())
        self.commits.tidy(self._make_room, idle=not self.ledger)

    def _make_room(self, full: DiskFull) -> bool:
        """The reserve was for this: for the rows that wait, and the alarm that says why the line stands."""
        is_watched = self.disk.full(str(full), time.monotonic_ns())
        self.alarms.flush()
        return is_watched

    def _counted(self, counted: Counted, now_ns: int) -> list[Closing]:
        """A camera's own count: compared with the PLC's, and corrected where it is another."""
        found = self.reconciling.counted(counted)
        if found is None:
            return []
        if text := difference(found):
            self.alarms.board.unreconciled(counted.camera, text, now_ns)
        return self.ledger.reconciled(found)

    def _judge(self, closing: Closing) -> Disposition | None:
        """A verdict for this trigger; its disposition, where that need not wait for the row."""
        now_ns, now_at = time.monotonic_ns(), time.time_ns()
        if closing.reason is None and not self.alarms.lets_pass:
            closing = dataclasses.replace(closing, reason=Reason.HELD)
        level = self.disk.level
        verdict = decide(closing, self._station, self._provenance, now_ns=now_ns, now_at=now_at, disk_level=level)
        self.commits.judged(verdict)
        self._answers.append(Closed(frame=closing.frame))
        earlier = self._starts_run and closing.reason is Reason.RECOVERED
        if not earlier:
            self.tally.add(verdict)
            self.alarms.board.frame(verdict.camera, verdict.reason, now_ns)
            if verdict.outcome is Outcome.NOT_INSPECTED and self._station.on_uninspected == "hold":
                self._uninspected = self._uninspected or str(verdict.reason)
        if verdict.outcome is not Outcome.PASS and (part := self._part(verdict)):
            return self._give(part, {})
        return None

    def _commit(self) -> list[Disposition] | None:
        """Makes everything heard so far durable; the dispositions that waited for it. None: it still waits."""
        written = self.commits.write(self._make_room)
        if written is None:
            return None
        given = []
        for verdict, seq in written:
            if verdict.outcome is Outcome.PASS and not self._parts.is_decided(verdict.slot):
                self._passed.setdefault(verdict.slot, {})[seq] = str(verdict.frame)
            if verdict.outcome is Outcome.PASS and (part := self._part(verdict)):
                given.append(self._give(part, self._passed.pop(part.slot)))
        return given

    def _resume(self, recovered: Recovered) -> None:
        """Takes up what earlier processes left: the run's row first, then parts without the gate's word."""
        if recovered.run_row:
            self.commits.add(recovered.run_row)
        for body in recovered.people:
            self.commits.row(Kind.PERSON, body)
        for part in recovered.open_parts:
            for verdict in part.verdicts:
                if verdict.outcome is Outcome.PASS and not self._parts.is_decided(part.slot):
                    self._passed.setdefault(part.slot, {})[verdict.seq] = verdict.frame
                outcome = self._parts.verdict(
                    verdict.camera,
                    slot=part.slot,
                    outcome=verdict.outcome,
                    reason=verdict.reason,
                    at_count=part.at_count,
                )
                if outcome is not None:
                    passes = self._passed.pop(part.slot, {})
                    rests_on = passes if outcome.outcome is Outcome.PASS else {}
                    self.dispositions.give(outcome, rests_on, resumed=self._starts_run, now_s=0.0)

    def _part(self, verdict: Verdict) -> PartOutcome | None:
        part = self._parts.verdict(
            verdict.camera,
            slot=verdict.slot,
            outcome=verdict.outcome,
            reason=verdict.reason,
            at_count=verdict.at_count,
            area_mm2=verdict.body.area_mm2,
        )
        if part and part.outcome is not Outcome.PASS:
            self._passed.pop(part.slot, None)
        if part and part.reason is not Reason.RECOVERED:
            self.alarms.board.part(part.outcome, time.monotonic_ns())
        return part

    def _give(self, part: PartOutcome, passes: dict[int, str]) -> Disposition:
        return self.dispositions.give(part, passes, resumed=False, now_s=time.monotonic())

    def _actuated(self, actuated: Actuated) -> None:
        pending = self.dispositions.confirmed(actuated)
        if escaped(actuated) and (pending is not None or actuated.slot > self._begun_behind):
            self._escape(actuated)
        if pending is None:
            return  # said twice: the first was recorded; or the gate acted by default, before there was an order
        body = ActuatedBody(
            run=self._provenance.run,
            gate=actuated.gate,
            commanded=actuated.outcome,
            at_count=actuated.at_count,
            late_ms=actuated.late_ms,
            at=time.time_ns(),
            seen=actuated.seen,
        )
        self.commits.row(Kind.ACTUATED, body, slot=actuated.slot, outcome=actuated.outcome)
        if missed(pending, actuated):
            self._late(pending, f"came {actuated.late_ms:.1f} ms after its part, or not at all")
        if failed(pending, actuated):
            self._correct(pending)

    def _escape(self, actuated: Actuated) -> None:
        """The sensor behind the gate saw a part that the gate had taken out: the line stands until a person looks."""
        text = f"{actuated.outcome or 'no order'}, gate {actuated.gate}, and seen behind it: find this part"
        self.alarms.board.call("reject.escaped", f"slot {actuated.slot}", "hold", text, time.monotonic_ns())

    def _late(self, pending: Pending, text: str) -> None:
        """A deadline was missed; the gate had rejected the part by default. Recorded, and alarmed."""
        slot, outcome = pending.disposition.slot, pending.disposition.outcome
        self.tally.late += 1
        self.alarms.board.late(slot, f"{outcome} {text}", time.monotonic_ns())

    def _correct(self, pending: Pending) -> None:
        """The PASS did not reach the gate: the part was rejected by default, and so the verdict reads."""
        for seq, frame in pending.passes.items():
            body = CorrectionBody(run=self._provenance.run, corrects=seq, decided_at=time.time_ns())
            slot, outcome, reason = pending.disposition.slot, Outcome.NOT_INSPECTED, Reason.LATE
            self.commits.row(Kind.CORRECTION, body, frame=frame, slot=slot, outcome=outcome, reason=reason)
            if not pending.resumed:
                self.tally.correct(Reason.LATE)
