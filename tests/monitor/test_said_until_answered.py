"""What is said until answered survives the loss of any message: captures' announcements, decision's dispositions."""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import pytest

import monitor.capture
import monitor.desk
from monitor.bus.wire import Publisher, Pusher, Router
from monitor.cameras import Exposed
from monitor.messages import Actuated, Captured, Closed, Disposition, Frame, Gate, Outcome
from monitor.recovery import Recovered
from monitor.rows import Entry, Kind
from tests.monitor.builders import PROVENANCE, a_counter, a_region, a_segmentation, a_station

PARTS = 40
ROUNDS = 200


@dataclass
class Memory:
    """A journal that remembers, in memory."""

    entries: list[Entry] = field(default_factory=list)

    def append(self, entries: list[Entry], attachments: Mapping[str, bytes] | None = None) -> list[int]:
        del attachments
        self.entries += entries
        return list(range(len(self.entries) - len(entries) + 1, len(self.entries) + 1))

    def prune(self, seq: int) -> None:
        del seq

    def checkpoint(self) -> None:
        """There is no log."""

    def close(self) -> None:
        """There is no file."""

    def of(self, kind: Kind) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind is kind]


@dataclass
class LossyPipe:
    """Remembers what arrived; loses the rest."""

    loss: float
    luck: random.Random
    arrived: list[Any] = field(default_factory=list)

    def send(self, *said: Any) -> bool:
        if self.luck.random() >= self.loss:
            self.arrived.append(said)
        return True

    def take(self) -> list[Any]:
        arrived, self.arrived = self.arrived, []
        return arrived


class SaysOnce(monitor.capture.Desk):
    """The guard taken out: an announcement is not said again."""

    def repeat(self) -> None:
        """Once was enough, it hopes."""


class DisposesOnce(monitor.desk.Desk):
    """The guard taken out: a disposition is not said again."""

    def repeats(self, now_s: float) -> list[Disposition]:
        return []


def run_line(
    loss: float,
    *,
    capture_kind: type[monitor.capture.Desk] = monitor.capture.Desk,
    decision_kind: type[monitor.desk.Desk] = monitor.desk.Desk,
) -> tuple[Memory, monitor.capture.Desk, monitor.desk.Desk, dict[int, Outcome]]:
    """Parts through capture, a worker, decision and a gate, with every pipe losing this share of its messages."""
    luck = random.Random(11)
    station = a_station()
    journal = Memory()
    to_decision, to_capture, to_gate, from_gate = (LossyPipe(loss, luck) for _ in range(4))
    workers = LossyPipe(0.0, luck)
    capture = capture_kind(
        station,
        station.cameras[0],
        epoch=1,
        decision=cast("Pusher", to_decision),
        workers=cast("Router", workers),
        viewers=cast("Publisher", LossyPipe(1.0, luck)),
    )
    recovered = Recovered(closed_to={"head": 0}, gaps=[], open_passes={}, run_row=None)
    decision = decision_kind(station, PROVENANCE, journal, recovered)
    decision.hear((a_counter(0, count=0, counts_per_s=0.0, at_ns=time.monotonic_ns()), {}))
    gate: dict[int, Outcome] = {}
    for step in range(ROUNDS):
        now_ns = time.monotonic_ns()
        capture.leases.credit("w", p99_ms=1.0, serves=1, now_ns=now_ns)
        if step < PARTS:
            pixels = np.zeros((1000, 160), np.uint8)
            capture.expose(Exposed(slot=step + 1, trigger_count=step + 1, at_count=0, at_ns=now_ns, pixels=pixels))
        capture.lend()
        capture.repeat()
        closings = []
        for _, frame, _payload in workers.take():
            assert isinstance(frame, Frame)
            capture.leases.done(frame.frame, frame.attempt, "w")
            regions = (a_region(60.0),) if frame.slot % 4 == 0 else ()
            closings += decision.hear((a_segmentation(frame.slot, *regions), {}))
        for captured, _payload in to_decision.take():
            assert isinstance(captured, Captured)
            closings += decision.hear((captured, {}))
        sent = [*decision.judge(closings), *decision.repeats(time.monotonic() + step), *decision.commit()]
        for disposition in sent:
            to_gate.send(disposition)
        for closed in decision.answers:
            to_capture.send(closed)
        decision.answers = []
        for (closed,) in to_capture.take():
            assert isinstance(closed, Closed)
            capture.closed(closed.frame)
        for (disposition,) in to_gate.take():
            gate.setdefault(disposition.slot, disposition.outcome)
            released = Gate.RELEASED if disposition.outcome is Outcome.PASS else Gate.REJECTED
            from_gate.send(
                Actuated(slot=disposition.slot, outcome=disposition.outcome, gate=released, at_count=0, late_ms=0.0)
            )
        for (actuated,) in from_gate.take():
            decision.hear((actuated, {}))
    decision.commit()
    return journal, capture, decision, gate


def all_said_and_answered(loss: float, **kinds: Any) -> None:
    journal, capture, decision, gate = run_line(loss, **kinds)

    verdicts = {entry.slot: entry.outcome for entry in journal.of(Kind.VERDICT)}
    assert sorted(entry.slot or 0 for entry in journal.of(Kind.VERDICT)) == list(range(1, PARTS + 1))
    assert gate == verdicts
    assert sorted(entry.slot or 0 for entry in journal.of(Kind.ACTUATED)) == list(range(1, PARTS + 1))
    assert capture.told == {}
    assert decision.pending == {}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.capture, "REPEAT_S", 0.0)


@pytest.mark.parametrize("loss", [0.0, 0.3, 0.7])
def test_every_part_is_closed_and_actuated_once(loss: float) -> None:
    all_said_and_answered(loss)


def test_an_announcement_said_once_is_lost() -> None:
    with pytest.raises(AssertionError):
        all_said_and_answered(0.3, capture_kind=SaysOnce)


def test_a_disposition_said_once_is_lost() -> None:
    with pytest.raises(AssertionError):
        all_said_and_answered(0.3, decision_kind=DisposesOnce)


def a_decision(journal: Memory) -> monitor.desk.Desk:
    recovered = Recovered(closed_to={"head": 0}, gaps=[], open_passes={}, run_row=None)
    return monitor.desk.Desk(a_station(), PROVENANCE, journal, recovered)


def an_inspected_slot(decision: monitor.desk.Desk, area_mm2: float | None) -> list[Disposition]:
    from tests.monitor.builders import a_captured

    regions = () if area_mm2 is None else (a_region(area_mm2),)
    closings = [*decision.hear((a_captured(1), {})), *decision.hear((a_segmentation(1, *regions), {}))]
    return decision.judge(closings)


def test_a_reject_is_sent_before_its_row_is_durable_and_a_pass_after() -> None:
    journal = Memory()

    at_once = an_inspected_slot(a_decision(journal), 60.0)
    waiting = a_decision(passed := Memory())
    before = an_inspected_slot(waiting, None)
    after = waiting.commit()

    assert [d.outcome for d in at_once] == [Outcome.REJECT]
    assert journal.entries == []
    assert before == []
    assert [d.outcome for d in after] == [Outcome.PASS]
    assert [entry.outcome for entry in passed.entries] == [Outcome.PASS]


def test_capture_is_answered_only_when_the_row_is_durable() -> None:
    class Broken(Memory):
        def append(self, entries: list[Entry], attachments: Mapping[str, bytes] | None = None) -> list[int]:
            raise OSError("disk full")

    decision = a_decision(Broken())
    an_inspected_slot(decision, None)

    with pytest.raises(OSError, match="disk full"):
        decision.commit()


def test_a_pass_that_missed_its_gate_becomes_not_inspected_late() -> None:
    journal = Memory()
    decision = a_decision(journal)
    an_inspected_slot(decision, None)
    decision.commit()

    decision.hear((Actuated(slot=1, outcome=None, gate=Gate.REJECTED, at_count=60_000, late_ms=12.0), {}))
    decision.commit()

    [correction] = journal.of(Kind.CORRECTION)
    assert (correction.outcome, correction.reason) == (Outcome.NOT_INSPECTED, "late")
    assert decision.tally.late == 1
