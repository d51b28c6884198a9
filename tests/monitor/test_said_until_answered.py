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
import monitor.dispositions
from monitor.bus.wire import Publisher, Pusher, Router
from monitor.cameras import Exposed
from monitor.dispositions import Dispositions
from monitor.messages import Actuated, Captured, Closed, Disposition, Frame, Gate, Outcome
from monitor.recovery import Recovered
from monitor.rows import Entry, Kind
from monitor.rules.ledger import Closing
from tests.monitor.builders import PROVENANCE, a_captured, a_counter, a_region, a_segmentation, a_station

PARTS = 40
ROUNDS = 200


@dataclass
class MemoryJournal:
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


class DisposesOnce(Dispositions):
    """The guard taken out: a disposition is not said again."""

    def repeats(self, now_s: float) -> list[Disposition]:
        return []


class AnswersFirst(monitor.desk.Desk):
    """The guard taken out: capture is answered, and a PASS sent, before the row is durable."""

    def settle(self, closings: list[Closing], *, send: Any, answer: Any, note: Any) -> None:
        for closed in self._answers:
            answer(closed)
        super().settle(closings, send=send, answer=answer, note=note)


def run_line(
    loss: float,
    *,
    capture_kind: type[monitor.capture.Desk] = monitor.capture.Desk,
    dispositions_kind: type[Dispositions] = Dispositions,
) -> tuple[MemoryJournal, monitor.capture.Desk, monitor.desk.Desk, dict[int, Outcome]]:
    """Parts through capture, a worker, decision and a gate, with every pipe losing this share of its messages."""
    luck, noise = random.Random(11), np.random.default_rng(11)
    station = a_station()
    journal = MemoryJournal()
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
    recovered = Recovered(closed_to={"head": 0}, gaps=[], open_parts=[], run_row=None)
    decision = monitor.desk.Desk(station, PROVENANCE, journal, recovered)
    decision.dispositions = dispositions_kind(belt=decision.dispositions.belt)
    decision.hear((a_counter(0, count=0, counts_per_s=0.0, at_ns=time.monotonic_ns()), {}))
    gate: dict[int, Outcome] = {}
    for step in range(ROUNDS):
        now_ns = time.monotonic_ns()
        capture.leases.credit("w", p99_ms=1.0, serves=1, now_ns=now_ns)
        if step < PARTS:
            pixels = noise.integers(60, 200, (1000, 160), np.uint8)
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
        decision.settle(closings, send=to_gate.send, answer=to_capture.send, note=str)
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
    decision.settle([], send=to_gate.send, answer=to_capture.send, note=str)
    return journal, capture, decision, gate


def all_said_and_answered(loss: float, **kinds: Any) -> None:
    journal, capture, decision, gate = run_line(loss, **kinds)

    verdicts = {entry.slot: entry.outcome for entry in journal.of(Kind.VERDICT)}
    assert sorted(entry.slot or 0 for entry in journal.of(Kind.VERDICT)) == list(range(1, PARTS + 1))
    assert gate == verdicts
    assert sorted(entry.slot or 0 for entry in journal.of(Kind.ACTUATED)) == list(range(1, PARTS + 1))
    assert capture.told == {}
    assert len(decision.dispositions) == 0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.capture, "REPEAT_S", 0.0)
    monkeypatch.setattr(monitor.dispositions, "REPEAT_S", 0.0)


@pytest.mark.parametrize("loss", [0.0, 0.3, 0.7])
def test_every_part_is_closed_and_actuated_once(loss: float) -> None:
    all_said_and_answered(loss)


def test_an_announcement_said_once_is_lost() -> None:
    with pytest.raises(AssertionError):
        all_said_and_answered(0.3, capture_kind=SaysOnce)


def test_a_disposition_said_once_is_lost() -> None:
    with pytest.raises(AssertionError):
        all_said_and_answered(0.3, dispositions_kind=DisposesOnce)


def a_decision(journal: MemoryJournal, kind: type[monitor.desk.Desk] = monitor.desk.Desk) -> monitor.desk.Desk:
    recovered = Recovered(closed_to={"head": 0}, gaps=[], open_parts=[], run_row=None)
    return kind(a_station(), PROVENANCE, journal, recovered)


def inspected(decision: monitor.desk.Desk, area_mm2: float | None) -> list[Closing]:
    """Slot 1 announced and answered."""
    regions = () if area_mm2 is None else (a_region(area_mm2),)
    return [*decision.hear((a_captured(1), {})), *decision.hear((a_segmentation(1, *regions), {}))]


def settled(decision: monitor.desk.Desk, closings: list[Closing] | None = None) -> list[Disposition]:
    """What the gate is told."""
    sent: list[Disposition] = []
    decision.settle(closings or [], send=sent.append, answer=str, note=str)
    return sent


@dataclass
class FullDisk(MemoryJournal):
    """A journal that cannot keep what it is given."""

    def append(self, entries: list[Entry], attachments: Mapping[str, bytes] | None = None) -> list[int]:
        raise OSError("disk full")


def heard_while_the_disk_is_full(kind: type[monitor.desk.Desk], area_mm2: float | None) -> list[object]:
    """What leaves decision when the row cannot be written; the frame was announced twice."""
    decision = a_decision(FullDisk(), kind)
    closings = inspected(decision, area_mm2)
    closings += decision.hear((a_captured(1), {}))
    left: list[object] = []
    with pytest.raises(OSError, match="disk full"):
        decision.settle(closings, send=left.append, answer=left.append, note=left.append)
    return left


def test_nothing_but_a_reject_leaves_before_its_row_is_durable() -> None:
    passed = heard_while_the_disk_is_full(monitor.desk.Desk, None)
    rejected = heard_while_the_disk_is_full(monitor.desk.Desk, 60.0)

    assert passed == []
    assert {d.outcome for d in rejected if isinstance(d, Disposition)} == {Outcome.REJECT}
    assert [c for c in rejected if isinstance(c, Closed)] == []


def test_an_answer_before_the_row_is_seen() -> None:
    left = heard_while_the_disk_is_full(AnswersFirst, None)

    assert [answer for answer in left if isinstance(answer, Closed)] != []


def test_a_pass_is_sent_once_its_row_is_there() -> None:
    decision = a_decision(journal := MemoryJournal())

    sent = settled(decision, inspected(decision, None))

    assert [d.outcome for d in sent] == [Outcome.PASS]
    assert [entry.outcome for entry in journal.entries] == [Outcome.PASS]


@pytest.mark.parametrize(
    ("area_mm2", "late_ms"),
    [
        pytest.param(None, 12.0, id="a-pass-after-its-part"),
        pytest.param(None, 0.0, id="a-pass-that-never-came"),
        pytest.param(60.0, 12.0, id="a-reject-after-its-part"),
        pytest.param(60.0, 0.0, id="a-reject-that-never-came"),
    ],
)
def test_a_missed_deadline_is_recorded_and_alarmed(area_mm2: float | None, late_ms: float) -> None:
    decision = a_decision(journal := MemoryJournal())
    settled(decision, inspected(decision, area_mm2))

    decision.hear((Actuated(slot=1, outcome=None, gate=Gate.REJECTED, at_count=60_000, late_ms=late_ms), {}))
    settled(decision)

    corrections = [(entry.outcome, entry.reason) for entry in journal.of(Kind.CORRECTION)]
    assert corrections == ([(Outcome.NOT_INSPECTED, "late")] if area_mm2 is None else [])
    assert len(journal.of(Kind.ALARM)) == 1
    assert decision.tally.late == 1


def test_where_the_gate_is_silent_silence_goes_on_record() -> None:
    decision = a_decision(journal := MemoryJournal())
    settled(decision, inspected(decision, None))
    now_ns = time.monotonic_ns()

    decision.hear((a_counter(1, count=70_000, at_ns=now_ns), {}))
    first = decision.dispositions.lost(now_ns)
    decision.hear((a_counter(1, count=70_000, at_ns=now_ns + 4_000_000_000), {}))
    [lost] = decision.dispositions.lost(now_ns + 4_000_000_000)

    assert first == []
    assert lost.passes == {1: str(a_captured(1).frame)}
    assert journal.of(Kind.CORRECTION) == []
