"""The twin's belt, slot table, gate and verify sensor; time is an argument, its two logs are its memory.

`belt.jsonl` gets a line when a part is triggered, `twin.jsonl` one when the part has met the gate. What the first
has and the second has not was on the belt when the plant died: the gate, without power, rejected it. With that said,
a start empties the first.
"""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from config.station import Belt
from monitor.jsonlog import JsonLog
from monitor.messages import Command, Gate, Gated, Outcome
from monitor.rules.slots import GateSpot, SlotTracker, Tracking

REMEMBERED = 100_000  # parts whose fate the gate can still be asked for
_S = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A part in front of the lens."""

    slot: int
    at_count: int


class TwinBelt:
    """Parts between lens and gate."""

    def __init__(self, belt: Belt, state: Path, *, run: str) -> None:
        self._belt, self._run = belt, run
        self._parts = JsonLog(state / "twin.jsonl")
        self._triggers = JsonLog(state / "belt.jsonl")
        self._on_belt: OrderedDict[int, dict[str, Any]] = OrderedDict()
        half_a_pitch = belt.pitch_counts // 2
        self._sensor_way = belt.way_counts - max(1, belt.pitch_counts // 4)  # of the part sensor before the gate
        self.tracker = SlotTracker(
            Tracking(
                gates=(GateSpot(name="gate", way_counts=belt.way_counts),),
                least_pitch_counts=max(1, half_a_pitch),
                scan_counts=half_a_pitch,
                sensor_way_counts=self._sensor_way,
                tolerance_counts=belt.pitch_counts // 8,
            )
        )
        self._gone: OrderedDict[int, Gated] = OrderedDict()
        self.triggered = 0  # in this run
        self.slot = 0
        self._count = 0.0
        self.stuck = False  # the gate's plate does not move, whatever it is told: what it rejects goes on all the same
        self._share = 1.0  # of full speed; negative: it runs back
        self._since_ns: int | None = None
        self._recall()
        self._next_count = round(self._count) + belt.pitch_counts

    def start(self, now_ns: int) -> None:
        """The drive turns."""
        if self._since_ns is None:
            self._since_ns = now_ns

    def drive(self, share: float, now_ns: int) -> None:
        """From now on the belt runs at this share of its speed: 0 stops it, a negative one runs it back."""
        self.count(now_ns)
        self._share = share

    @property
    def empty(self) -> bool:
        return not self._on_belt

    @property
    def counts_per_s(self) -> float:
        return self._share * self._belt.counts_per_s if self._since_ns is not None else 0.0

    def count(self, now_ns: int) -> int:
        """The encoder."""
        if self._since_ns is not None:
            self._count += (now_ns - self._since_ns) / _S * self.counts_per_s
            self._since_ns = now_ns
        return int(self._count)

    def due_trigger(self, now_ns: int) -> Trigger | None:
        """The next part, once it is in front of the lens."""
        if self.count(now_ns) < self._next_count:
            return None
        return Trigger(slot=self.slot + 1, at_count=self._next_count)

    def skip_trigger(self, now_ns: int) -> None:
        """No part is fed: the place on the belt stays empty."""
        while self._next_count <= self.count(now_ns):
            self._next_count += self._belt.pitch_counts

    def place(self, trigger: Trigger, facts: dict[str, Any]) -> None:
        """The part is on the belt, and counted."""
        self.triggered += 1
        part = {
            "slot": trigger.slot,
            "trigger_count": trigger.slot,
            **facts,
            "at_count": trigger.at_count,
            "run": self._run,
            "nth": self.triggered,
        }
        self._triggers.append(part)
        self._on_belt[trigger.slot] = part
        self.tracker.trigger(trigger.slot, trigger.at_count)
        self.slot = trigger.slot
        self._next_count += self._belt.pitch_counts

    def command(self, command: Command, now_ns: int) -> Gated | None:
        """A line of the slot table; the part's fate where it is past the gate already. A REJECT is never taken back.

        Call `act` first: what is at the gate by now is out of reach.
        """
        if command.slot in self._on_belt:
            self.tracker.order(command.slot, command.outcome)
            self._on_belt[command.slot].setdefault("taken_count", self.count(now_ns))
            return None
        gone = self._gone.get(command.slot)
        if gone is None:
            return Gated(slot=command.slot, outcome=None, gate=Gate.NONE, at_count=self.count(now_ns), late_ms=0.0)
        if gone.outcome is not None:
            return gone
        late_counts = self.count(now_ns) - gone.at_count
        late_ms = max(0.001, 1000 * late_counts / self._belt.counts_per_s)
        return msgspec.structs.replace(gone, late_ms=late_ms)

    def act(self, now_ns: int) -> list[Gated]:
        """The gate: opens for a part with a PASS in the table, and for no other."""
        acted = []
        count = self.count(now_ns)
        self._sense(count)
        for passage in self.tracker.move(count):
            part = self._on_belt.pop(passage.slot) | {"acted_count": count}
            gate = Gate.RELEASED if passage.diverted_at is None else Gate.REJECTED
            acted.append(self._meet(part, passage.ordered, gate, passage.at_count))
        return acted

    def slip(self, counts: int) -> None:
        """The parts stay behind by so much while the encoder counts on."""
        for part in self._on_belt.values():
            part["slipped"] = part.get("slipped", 0) + counts

    def _sense(self, count: int) -> None:
        """The part sensor before the gate: each part is seen once, where it really is."""
        for part in self._on_belt.values():
            at = part["at_count"] + self._sensor_way + part.get("slipped", 0)
            if count >= at and not part.get("sensed"):
                part["sensed"] = True
                self.tracker.detected(at)

    def close(self) -> None:
        if self.empty:
            self._triggers.clear()
        self._parts.close()
        self._triggers.close()

    def _meet(self, part: dict[str, Any], command: Outcome | None, gate: Gate, gate_count: int) -> Gated:
        seen = gate is Gate.RELEASED or self.stuck  # by the sensor downstream of the gate
        sensor = "seen" if seen else "clear"
        self._parts.append(part | {"gate": gate, "command": command, "sensor": sensor, "gate_count": gate_count})
        gated = Gated(slot=part["slot"], outcome=command, gate=gate, at_count=gate_count, late_ms=0.0, seen=seen)
        self._remember(gated)
        return gated

    def _recall(self) -> None:
        """Slots go on from the logs; what was on the belt was rejected."""
        for part in self._parts.tail():
            command = Outcome(part["command"]) if part["command"] else None
            self._remember(
                Gated(
                    slot=part["slot"],
                    outcome=command,
                    gate=Gate(part["gate"]),
                    at_count=part["gate_count"],
                    late_ms=0.0,
                    seen=part["sensor"] == "seen",
                )
            )
            self._seen(part, part["gate_count"])
        met = self.slot
        for part in self._triggers.tail():
            if part["slot"] > met:
                gate_count = part["at_count"] + self._belt.way_counts
                self._seen(part, gate_count)
                self._meet(part, None, Gate.REJECTED, gate_count)
        self._triggers.clear()

    def _seen(self, part: dict[str, Any], gate_count: int) -> None:
        self.slot = max(self.slot, part["slot"])
        self.triggered = part["nth"] if part["run"] == self._run else self.triggered
        self._count = max(self._count, gate_count)

    def _remember(self, gated: Gated) -> None:
        self._gone[gated.slot] = gated
        if len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)
