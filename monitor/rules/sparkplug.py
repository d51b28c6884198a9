"""The line as a Sparkplug B edge node: what it is born with, says, and dies with, each in its sequence; pure.

NDEATH  the broker's to say, as our will, with the bdSeq of the birth that it ends; it has no seq
NBIRTH  seq 0, all metrics; again when a host asks for it (NCMD `Node Control/Rebirth`)
NDATA   what has changed;  DBIRTH, DDATA, DDEATH  the same of the device `gate`, whose controller may be lost
seq     counts every message of node and device since the birth, 0 to 255 and round again
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from monitor.messages import Actuated, Alarm, Counter, Disposition, Gate, Hold, Outcome

SEQS = 256
GATE = "gate"  # the device
REMEMBERED = 100_000  # slots that were counted: what is said again has the effect of once
REBIRTH = "Node Control/Rebirth"
BD_SEQ = "bdSeq"
Value = bool | int | float | str | None
Told = Disposition | Actuated | Counter | Hold | Alarm


class Kind(IntEnum):
    """Data types, by Sparkplug's own codes."""

    INT64 = 4
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12


class Verb(StrEnum):
    """Kinds of message, as they stand in the topic."""

    NBIRTH = "NBIRTH"
    NDEATH = "NDEATH"
    NDATA = "NDATA"
    DBIRTH = "DBIRTH"
    DDEATH = "DDEATH"
    DDATA = "DDATA"


NODE_METRICS = {
    "Parts/Passed": Kind.INT64,
    "Parts/Rejected": Kind.INT64,
    "Parts/Not Inspected": Kind.INT64,
    "Part/Slot": Kind.INT64,
    "Part/Outcome": Kind.STRING,
    "Part/Reason": Kind.STRING,
    "Line/Hold": Kind.BOOLEAN,
    "Line/Hold Reason": Kind.STRING,
    "Line/Fault": Kind.BOOLEAN,
    "Line/Dropped": Kind.INT64,
    "Alarms/Raised": Kind.INT64,
    "Alarms/Last": Kind.STRING,
}
GATE_METRICS = {
    "Released": Kind.INT64,
    "Rejected": Kind.INT64,
    "Late": Kind.INT64,
    "Escaped": Kind.INT64,
    "Triggers": Kind.INT64,
    "Encoder": Kind.INT64,
    "Speed": Kind.DOUBLE,
}
COUNTED = {
    Outcome.PASS: "Parts/Passed",
    Outcome.REJECT: "Parts/Rejected",
    Outcome.NOT_INSPECTED: "Parts/Not Inspected",
}
START: dict[Kind, Value] = {Kind.INT64: 0, Kind.DOUBLE: 0.0, Kind.BOOLEAN: False, Kind.STRING: ""}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One value, as last known."""

    name: str
    kind: Kind
    value: Value


@dataclass(frozen=True, kw_only=True)
class Report:
    """One message; `seq` is None for NDEATH alone."""

    verb: Verb
    device: str = ""
    seq: int | None
    metrics: tuple[Metric, ...]


@dataclass
class _Values:
    """What is known, and what of it was not said yet."""

    kinds: dict[str, Kind]
    known: dict[str, Value] = field(default_factory=dict)
    unsaid: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = {name: START[kind] for name, kind in self.kinds.items()}

    def put(self, name: str, value: Value) -> None:
        if self.known[name] != value:
            self.known[name] = value
            self.unsaid[name] = None

    def add(self, name: str) -> None:
        count = self.known[name]
        self.put(name, count + 1 if isinstance(count, int) else 1)

    def all(self) -> tuple[Metric, ...]:
        self.unsaid = {}
        return tuple(Metric(name=name, kind=kind, value=self.known[name]) for name, kind in self.kinds.items())

    def news(self) -> tuple[Metric, ...]:
        names, self.unsaid = list(self.unsaid), {}
        return tuple(Metric(name=name, kind=self.kinds[name], value=self.known[name]) for name in names)


class EdgeNode:
    """Counts are those since this object was made: a host that adds them up does so from birth to birth."""

    def __init__(self, *, bd_seq: int) -> None:
        self.bd_seq = bd_seq % SEQS
        self._seq = 0
        self._node, self._gate = _Values(dict(NODE_METRICS)), _Values(dict(GATE_METRICS))
        self._gate_answers = self._gate_is_born = False
        self._disposed: OrderedDict[int, None] = OrderedDict()
        self._actuated: OrderedDict[int, None] = OrderedDict()

    def will(self) -> Report:
        """What the broker is to say when we are gone."""
        return Report(verb=Verb.NDEATH, seq=None, metrics=(self._bd_seq(),))

    def next_life(self) -> None:
        """Another connection, and so another will."""
        self.bd_seq = (self.bd_seq + 1) % SEQS

    def births(self) -> list[Report]:
        """All that a host must know of us, from seq 0 on."""
        self._seq = 0
        rebirth = Metric(name=REBIRTH, kind=Kind.BOOLEAN, value=False)
        born = [self._report(Verb.NBIRTH, (self._bd_seq(), rebirth, *self._node.all()))]
        self._gate_is_born = self._gate_answers
        if self._gate_is_born:
            born.append(self._report(Verb.DBIRTH, self._gate.all(), device=GATE))
        return born

    def news(self) -> list[Report]:
        """What has changed since it was said last."""
        reports = []
        if metrics := self._node.news():
            reports.append(self._report(Verb.NDATA, metrics))
        if self._gate_answers and not self._gate_is_born:
            reports.append(self._report(Verb.DBIRTH, self._gate.all(), device=GATE))
        elif self._gate_is_born and not self._gate_answers:
            reports.append(self._report(Verb.DDEATH, (), device=GATE))
        elif self._gate_is_born and (metrics := self._gate.news()):
            reports.append(self._report(Verb.DDATA, metrics, device=GATE))
        self._gate_is_born = self._gate_answers
        return reports

    def dropped(self, count: int) -> None:
        """So many messages have not reached us: counts are short of them."""
        self._node.put("Line/Dropped", count)

    def hears(self, told: Told) -> None:
        """What actuation was told, and what the gate did. Idempotent by slot."""
        match told:
            case Disposition() if _first(self._disposed, told.slot):
                self._node.add(COUNTED[told.outcome])
                self._node.put("Part/Slot", told.slot)
                self._node.put("Part/Outcome", told.outcome.value)
                self._node.put("Part/Reason", told.reason.value if told.reason else "")
            case Actuated() if _first(self._actuated, told.slot):
                if told.gate is not Gate.NONE:
                    self._gate.add("Released" if told.gate is Gate.RELEASED else "Rejected")
                if told.late_ms > 0:
                    self._gate.add("Late")
                if told.gate is Gate.REJECTED and told.seen:
                    self._gate.add("Escaped")
            case Counter():
                self._gate_answers = True
                self._gate.put("Triggers", told.trigger_count)
                self._gate.put("Encoder", told.encoder_count)
                self._gate.put("Speed", told.counts_per_s)
                self._node.put("Line/Fault", False)
            case Hold():
                self._node.put("Line/Hold", True)
                self._node.put("Line/Hold Reason", told.reason)
            case Alarm():
                self._node.add("Alarms/Raised")
                self._node.put("Alarms/Last", f"{told.name}: {told.text}"[:200])
                if told.name in ("plc.lost", "plc.back"):
                    self._gate_answers = told.name == "plc.back"
                    self._node.put("Line/Fault", not self._gate_answers)
            case _:
                pass  # said again

    def _bd_seq(self) -> Metric:
        return Metric(name=BD_SEQ, kind=Kind.INT64, value=self.bd_seq)

    def _report(self, verb: Verb, metrics: tuple[Metric, ...], *, device: str = "") -> Report:
        seq, self._seq = self._seq, (self._seq + 1) % SEQS
        return Report(verb=verb, device=device, seq=seq, metrics=metrics)


def _first(known: OrderedDict[int, None], slot: int) -> bool:
    if slot in known:
        return False
    known[slot] = None
    if len(known) > REMEMBERED:
        known.popitem(last=False)
    return True
