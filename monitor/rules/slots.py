"""The reject tracker: which part is in front of which gate, by encoder count, and what is let through; pure.

    trigger ──────── way_counts ───────▶ gate
      │ opens a tag      order(slot, PASS)      │ lets through what is trusted, ordered PASS, and there: nothing else

A tag follows its part by the encoder alone, so that the belt may slow down, stop or run back. What is in doubt is
diverted: a part without an order, one that the sensor did not see where it should be, one triggered while the belt
lay behind its furthest point, two closer than parts can lie, and all of them once counts and sensor disagree.
"""

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.messages import Outcome

EVERYTHING_ELSE = frozenset(Outcome) - {Outcome.PASS}


@dataclass(frozen=True, kw_only=True)
class GateSpot:
    """A gate beside the belt; its idle state diverts, and power lets a part through."""

    name: str
    way_counts: int  # from the trigger
    diverts: frozenset[Outcome] = EVERYTHING_ELSE


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """The geometry of a lane, in encoder counts."""

    gates: tuple[GateSpot, ...]  # in the order in which a part meets them; the last diverts whatever is no PASS
    window_counts: int = 0  # for how long a part is in front of a gate
    clearance_counts: int = 0  # of a diverted part: a neighbour closer than this goes with it, as the gate cannot swing
    least_pitch_counts: int = 1  # parts cannot lie closer
    scan_counts: int = 0  # a trigger is told of by this much later; an encoder at rest trembles by no more
    sensor_way_counts: int | None = None  # from the trigger to a part sensor before the first gate
    tolerance_counts: int = 0  # of a part's place under that sensor

    def __post_init__(self) -> None:
        ways = [gate.way_counts for gate in self.gates]
        if not ways or ways != sorted(set(ways)) or ways[0] <= 0:
            raise ValueError(f"gates at {ways} counts: there must be one, and each behind the one before")
        if self.gates[-1].diverts != EVERYTHING_ELSE:
            raise ValueError(f"the last gate, {self.gates[-1].name!r}, must divert whatever is no PASS")
        if any(Outcome.PASS in gate.diverts for gate in self.gates):
            raise ValueError("a gate that diverts PASS leaves nothing to let through")
        if self.sensor_way_counts is not None:
            latest = self.sensor_way_counts + self.tolerance_counts
            if latest >= ways[0] - self.window_counts // 2:
                raise ValueError(
                    f"a part may be seen at {latest} counts, but the first gate decides at "
                    f"{ways[0] - self.window_counts // 2}: move the sensor up, or narrow its tolerance"
                )


class Taken(StrEnum):
    """What became of an order."""

    TAKEN = "taken"  # it is in force, now or since an earlier time
    KEPT = "kept"  # a REJECT stands and is not taken back
    LATE = "late"  # the part has been decided without it
    UNKNOWN = "unknown"  # no such part is on the belt


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A part's end: diverted at a gate, or let through all of them."""

    slot: int
    ordered: Outcome | None
    diverted_at: str | None  # the gate's name; None: released
    at_count: int  # of the encoder at which it was in front of that gate, or of the last
    doubt: str  # why an ordered PASS was not trusted; empty where it was


@dataclass(kw_only=True)
class Tag:
    """A part on the belt."""

    slot: int
    at_count: int
    ordered: Outcome | None = None
    doubt: str = ""
    seen: bool = False
    met: int = 0  # gates that have decided it
    diverted: bool = False

    @property
    def passes(self) -> bool:
        return self.ordered is Outcome.PASS and not self.doubt


@dataclass
class SlotTracker:
    """One lane. `fault` is latched: until a person resyncs, nothing is let through."""

    tracking: Tracking
    fault: str = ""
    count: int = 0
    _furthest: int | None = None
    _last_slot: int = -1
    _tags: list[Tag] = field(default_factory=list)  # by place: the first is nearest to the gates
    _by_slot: dict[int, Tag] = field(default_factory=dict)

    def __len__(self) -> int:
        """Parts that no last gate has decided yet."""
        return sum(not self._decided(tag) for tag in self._tags)

    def trigger(self, slot: int, at_count: int) -> bool:
        """A part is in front of the lens; whether its number is new. Numbers only grow."""
        if slot <= self._last_slot:
            return False
        self._last_slot = slot
        tag = Tag(slot=slot, at_count=at_count, doubt=self.fault)
        for other in self._tags:
            if abs(other.at_count - at_count) < self.tracking.least_pitch_counts:
                other.doubt = tag.doubt = f"slots {other.slot} and {slot} lie {abs(other.at_count - at_count)} apart"
        if self._furthest is not None and at_count < self._furthest - self.tracking.scan_counts:
            tag.doubt = f"triggered at {at_count}, behind the furthest count {self._furthest}"
        insort(self._tags, tag, key=lambda each: each.at_count)
        self._by_slot[slot] = tag
        return True

    def order(self, slot: int, outcome: Outcome) -> Taken:
        """What is to become of a part; said twice, it has the effect of once. A REJECT is never taken back."""
        tag = self._by_slot.get(slot)
        if tag is None:
            return Taken.UNKNOWN
        if tag.met or tag.diverted:
            return Taken.TAKEN if tag.ordered is outcome else Taken.LATE
        if tag.ordered not in (None, Outcome.PASS):
            return Taken.TAKEN if tag.ordered is outcome else Taken.KEPT
        tag.ordered = outcome
        return Taken.TAKEN

    def detected(self, count: int) -> None:
        """The sensor before the gates sees a part. One that is nobody's, or somebody's twice, ends all trust."""
        way, tolerance = self.tracking.sensor_way_counts, self.tracking.tolerance_counts
        if way is None:
            return
        near = [tag for tag in self._tags if abs(tag.at_count + way - count) <= tolerance and not self._decided(tag)]
        if len(near) == 1 and not near[0].seen:
            near[0].seen = True
        elif not near:
            self.distrust(f"a part at count {count} belongs to no slot: the belt slipped")
        else:
            self.distrust(f"a part at count {count} is one too many for slots {[tag.slot for tag in near]}")

    def move(self, count: int) -> list[Passage]:
        """The encoder stands at `count`: what has come to a gate is decided, once, whatever the belt does next."""
        self.count = count
        self._furthest = count if self._furthest is None else max(self._furthest, count)
        self._look_for_missing(count)
        passages = []
        for tag in self._tags:
            while not self._decided(tag) and count >= self._due(tag):
                passages += self._meet(tag)
        self._forget(count)
        return sorted(passages, key=lambda passage: passage.at_count)

    def lets_through(self, count: int) -> Mapping[str, bool]:
        """Which gates have power now: a released part is in front of them, and nothing to be diverted is."""
        half = self.tracking.window_counts // 2
        powered = {}
        for n, gate in enumerate(self.tracking.gates):
            here = [tag for tag in self._tags if abs(tag.at_count + gate.way_counts - count) <= half]
            powered[gate.name] = bool(here) and all(tag.met > n and not self._ends_at(tag, n) for tag in here)
        return powered

    def distrust(self, why: str) -> None:
        """The map of slots is wrong: all that is on the belt, and all that comes, is diverted until `resync`."""
        self.fault = self.fault or why
        for tag in self._tags:
            if not self._decided(tag):
                tag.doubt = tag.doubt or why

    def resync(self) -> None:
        """A person has looked: parts triggered from now on are trusted again; those on the belt are not."""
        self.fault = ""

    def _decided(self, tag: Tag) -> bool:
        return tag.diverted or tag.met == len(self.tracking.gates)

    def _due(self, tag: Tag) -> int:
        """The count at which the next gate must have been set."""
        return tag.at_count + self.tracking.gates[tag.met].way_counts - self.tracking.window_counts // 2

    def _meet(self, tag: Tag) -> list[Passage]:
        gate = self.tracking.gates[tag.met]
        tag.met += 1
        is_last = tag.met == len(self.tracking.gates)
        if not tag.passes:
            # an order that another gate takes leads there, if it can be trusted; doubt is diverted at once
            wanted = tag.ordered if not tag.doubt else None
            tag.diverted = wanted is None or wanted in gate.diverts
        elif neighbour := self._too_close(tag):
            tag.doubt = f"slot {neighbour.slot} is diverted {abs(neighbour.at_count - tag.at_count)} counts away"
            tag.diverted = True
        if not tag.diverted and not is_last:
            return []
        return [
            Passage(
                slot=tag.slot,
                ordered=tag.ordered,
                diverted_at=gate.name if tag.diverted else None,
                at_count=tag.at_count + gate.way_counts,
                doubt=tag.doubt,
            )
        ]

    def _too_close(self, tag: Tag) -> Tag | None:
        """A neighbour for which the gate has to divert, or has just diverted, and cannot swing in between."""
        for other in self._tags:
            close = other is not tag and abs(other.at_count - tag.at_count) < self.tracking.clearance_counts
            if close and (other.diverted or not (other.passes or self._decided(other))):
                return other
        return None

    def _ends_at(self, tag: Tag, n: int) -> bool:
        return tag.diverted and tag.met == n + 1

    def _look_for_missing(self, count: int) -> None:
        way = self.tracking.sensor_way_counts
        if way is None:
            return
        for tag in self._tags:
            if not tag.seen and not self._decided(tag) and count > tag.at_count + way + self.tracking.tolerance_counts:
                tag.doubt = tag.doubt or f"not seen before the gate at count {tag.at_count + way}"
                self.distrust(f"slot {tag.slot} was not seen at count {tag.at_count + way}: it slipped, or was taken")

    def _forget(self, count: int) -> None:
        """What lies so far behind the last gate that no reversal of the belt is meant to bring it back."""
        behind = self.tracking.gates[-1].way_counts + 2 * max(
            self.tracking.window_counts, self.tracking.clearance_counts, self.tracking.least_pitch_counts
        )
        while self._tags and self._decided(self._tags[0]) and self._tags[0].at_count + behind < count:
            del self._by_slot[self._tags.pop(0).slot]
