"""What line and PLC tell each other, whatever the protocol, and the line's side of it; pure.

    PLC  → line   PlcStatus (heartbeat, session, counters, ack of the last batch), Acted (one for each part at the gate)
    line → PLC    LineStatus (heartbeat, ready, busy, hold, fault, last slot), Mailbox (a batch of Results)

A Result is a line of the PLC's slot table, so that it can be written as often as is needed. A batch stays in the
mailbox until the PLC has acknowledged its number; then the next may follow. What a PLC that was restarted has
forgotten is written again. The PLC rejects what it has no PASS for, and holds when our heartbeat stands still.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

import msgspec

from monitor.messages import Actuated, Count, Counter, Disposition, Gate, Outcome, Reason, Slot

MAP_VERSION = 1
RESULTS_MOST = 24  # in a batch: what one Modbus request carries beside its header
ACTED_KEPT = 128  # the PLC's ring of parts that met the gate
BATCHES = 1 << 16
REASON_CODES = {reason: code for code, reason in enumerate(Reason, start=1)}  # 0: the net judged it
ORDERS_MOST = 10_000  # more parts than lie between any lens and its gate
REMEMBERED = 100_000  # slots whose fate was heard


class PlcStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the PLC says of itself, read as one."""

    map_version: int
    session: int  # another one, and never 0, after each start of its program
    heartbeat: int  # counts on as long as its program runs
    ready: bool  # it counts triggers and moves the gate
    held: bool  # the belt is held
    fault: int  # 0: none; the codes are the PLC's own
    part_type: int
    trigger_count: Slot
    encoder_count: Count
    counts_per_s: int  # speed of the belt; negative while it runs back
    line_heartbeat: int  # ours, as the PLC last saw it
    result_ack: int  # number of the last batch it has taken in
    acted_count: Slot  # parts that met the gate in this session


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """A part met the gate; the n-th of the session."""

    n: Slot
    slot: Slot
    ordered: Outcome | None  # what the gate went by
    gate: Gate
    seen: bool | None  # by the verify sensor behind the gate; None: there is none
    at_count: Count
    late_ms: float  # of an order that came after the part


class LineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the line says of itself."""

    heartbeat: int
    ready: bool
    busy: bool  # orders are on their way
    hold: bool  # the belt must stop until a person has looked
    fault: bool
    hold_code: int  # of the reason, as in `REASON_CODES`; 0: none, or another one
    last_slot: Slot  # the highest number that the line knows: a PLC that lost its counter goes on from here


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a part."""

    slot: Slot
    outcome: Outcome
    reason_code: int


class Mailbox(msgspec.Struct, frozen=True, kw_only=True):
    """A batch, 1 to 65535 and round again; 0 stands for none."""

    batch: int
    results: tuple[Result, ...]


@dataclass(kw_only=True)
class Handshake:
    """The line's side. Idempotent by slot; `restarts` counts the PLC's, as far as they were seen."""

    repeat_ns: int  # a batch without an ack is written again after this
    restarts: int = 0
    last_slot: int = 0
    session: int = 0
    _orders: OrderedDict[int, Result] = field(default_factory=OrderedDict)  # by slot: not yet confirmed by the gate
    _unwritten: OrderedDict[int, None] = field(default_factory=OrderedDict)
    _batch: Mailbox | None = None
    _written_ns: int | None = None
    _number: int = 0
    _acted_to: int = 0
    _fates: OrderedDict[int, Actuated] = field(default_factory=OrderedDict)
    _answers: list[Actuated] = field(default_factory=list)

    @property
    def busy(self) -> bool:
        return bool(self._unwritten) or self._batch is not None

    def give(self, disposition: Disposition) -> None:
        """An order for the PLC; one that it has, or that is over, is written no second time."""
        if fate := self._fates.get(disposition.slot):
            self._answers.append(fate)
            return
        code = REASON_CODES[disposition.reason] if disposition.reason else 0
        result = Result(slot=disposition.slot, outcome=disposition.outcome, reason_code=code)
        if self._orders.get(disposition.slot) != result:
            self._orders[disposition.slot] = result
            self._unwritten[disposition.slot] = None
            if len(self._orders) > ORDERS_MOST:  # of parts whose fate no PLC will tell any more
                self._unwritten.pop(self._orders.popitem(last=False)[0], None)

    def heard(self, status: PlcStatus) -> Counter:
        """The PLC's state; after its restart all that it may have forgotten is to be written again."""
        if status.session != self.session:
            self.restarts += self.session != 0
            self.session, self._acted_to, self._batch = status.session, 0, None
            self._number = status.result_ack  # what a line before us wrote last
            self._unwritten = OrderedDict.fromkeys(self._orders)
        if self._batch is not None and status.result_ack == self._batch.batch:
            self._batch = None
        self.last_slot = max(self.last_slot, status.trigger_count)
        return Counter(
            cameras=(),
            trigger_count=status.trigger_count,
            encoder_count=status.encoder_count,
            counts_per_s=float(status.counts_per_s),
            at_ns=0,
        )

    def outbox(self, now_ns: int) -> Mailbox | None:
        """What must be written now: the next batch, or the last one once more."""
        if self._batch is None and self._unwritten:
            slots = [self._unwritten.popitem(last=False)[0] for _ in range(min(RESULTS_MOST, len(self._unwritten)))]
            self._number = self._number % (BATCHES - 1) + 1
            self._batch = Mailbox(batch=self._number, results=tuple(self._orders[slot] for slot in slots))
            self._written_ns = None
        if self._batch is None or (self._written_ns is not None and now_ns - self._written_ns < self.repeat_ns):
            return None
        self._written_ns = now_ns
        return self._batch

    def wanted(self, status: PlcStatus) -> range:
        """The numbers of `Acted` that were not read yet and can still be had."""
        first = max(self._acted_to, status.acted_count - ACTED_KEPT) + 1
        return range(first, status.acted_count + 1)

    def acted(self, entries: list[Acted]) -> None:
        """What the gate did."""
        for entry in entries:
            self._acted_to = max(self._acted_to, entry.n)
            actuated = Actuated(
                slot=entry.slot,
                outcome=entry.ordered,
                gate=entry.gate,
                at_count=entry.at_count,
                late_ms=entry.late_ms,
                seen=entry.seen,
            )
            self._fates[entry.slot] = actuated
            if len(self._fates) > REMEMBERED:
                self._fates.popitem(last=False)
            self._orders.pop(entry.slot, None)
            self._unwritten.pop(entry.slot, None)
            self._answers.append(actuated)

    def answers(self) -> list[Actuated]:
        """What decision is to be told."""
        answers, self._answers = self._answers, []
        return answers
