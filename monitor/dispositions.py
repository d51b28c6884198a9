"""Dispositions on their way to the gate: said until it confirms them, and what becomes of those it never does; pure."""

from dataclasses import dataclass, field

from monitor.messages import Actuated, Disposition, Gate, Outcome, Reason
from monitor.rules.belt import BeltClock
from monitor.rules.parts import PartOutcome

REPEAT_S = 0.2
UNCONFIRMED_NS = 3_000_000_000  # past the gate and still no word of it: the part was not proven released


@dataclass(kw_only=True)
class Pending:
    """A disposition that the gate has not confirmed, and the PASS rows it rests on."""

    disposition: Disposition
    passes: dict[int, str]  # seq → frame, of the verdicts a correction would name
    resumed: bool  # an earlier process gave it; its part is no part of this run's figures
    said_s: float
    given_ns: int
    past_since_ns: int | None = None  # when the part was first seen to be past the gate


@dataclass(kw_only=True)
class Dispositions:
    """By slot; whatever is said twice has the effect of once."""

    belt: BeltClock
    _pending: dict[int, Pending] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._pending)

    def give(self, part: PartOutcome, passes: dict[int, str], *, resumed: bool, now_s: float) -> Disposition:
        """The gate must hear of this part."""
        disposition = Disposition(
            slot=part.slot,
            outcome=part.outcome,
            reason=part.reason,
            due_count=self.belt.gate_count(part.at_count),
            area_mm2=part.area_mm2,
        )
        self._pending[part.slot] = Pending(
            disposition=disposition, passes=passes, resumed=resumed, said_s=now_s, given_ns=round(now_s * 1e9)
        )
        return disposition

    def repeats(self, now_s: float) -> list[Disposition]:
        """What nobody has confirmed for a while."""
        again = [pending for pending in self._pending.values() if now_s - pending.said_s >= REPEAT_S]
        for pending in again:
            pending.said_s = now_s
        return [pending.disposition for pending in again]

    def confirmed(self, actuated: Actuated) -> Pending | None:
        """The gate's word on a slot; None when it was heard before."""
        return self._pending.pop(actuated.slot, None)

    def lost(self, now_ns: int) -> list[Pending]:
        """Past the gate for long, and the gate says nothing of them: its silence goes on record.

        While the gate's controller is away nobody knows where the belt is, and what it did before it may say when it
        is back: a part that it had released by its PASS would count as not inspected.
        """
        is_heard = self.belt.is_heard(now_ns)
        lost = []
        for slot, pending in list(self._pending.items()):
            due = pending.disposition.due_count
            if not is_heard or not self.belt.past_gate(due, since_ns=pending.given_ns, now_ns=now_ns):
                pending.past_since_ns = None
            elif pending.past_since_ns is None:
                pending.past_since_ns = now_ns
            elif now_ns - pending.past_since_ns > UNCONFIRMED_NS:
                lost.append(self._pending.pop(slot))
        return lost


def missed(pending: Pending, actuated: Actuated) -> bool:
    """Whether the gate had to act without this disposition, though there was time to give it."""
    unheard = actuated.gate is Gate.REJECTED and actuated.outcome is None
    ours = pending.disposition.reason is not Reason.RECOVERED and not pending.resumed
    return ours and (actuated.late_ms > 0 or unheard)


def failed(pending: Pending, actuated: Actuated) -> bool:
    """Whether a PASS did not open the gate."""
    return pending.disposition.outcome is Outcome.PASS and actuated.gate is Gate.REJECTED


def escaped(actuated: Actuated) -> bool:
    """Whether a part that was to be taken out went on all the same, as the verify sensor saw."""
    return actuated.gate is Gate.REJECTED and actuated.seen is True
