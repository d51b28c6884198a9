"""The promise: each trigger of each camera is closed once, whatever comes, goes missing, or comes twice; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.messages import Captured, Counter, FrameId, Reason, Segmentation
from monitor.rules.belt import BeltClock
from monitor.rules.reconcile import Finding

Payload = Mapping[str, Any]  # pictures that came with a message; the ledger only keeps them together
Key = tuple[str, int]  # camera, slot


@dataclass(kw_only=True)
class Open:
    """A trigger without a verdict."""

    camera: str
    slot: int
    since_ns: int
    at_count: int | None
    captured: Captured | None = None
    segmentation: Segmentation | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    in_doubt: bool = False  # whether this frame shows this part: the camera's count is not the source's


@dataclass(frozen=True, kw_only=True)
class Closing:
    """A trigger at its end: `reason` says why nobody judged it; None means that the net's answer is to be judged."""

    frame: FrameId
    slot: int
    reason: Reason | None
    at_count: int | None
    captured: Captured | None
    segmentation: Segmentation | None
    payload: Payload


class Ledger:
    """Open entries by camera and slot; what is closed stays closed."""

    def __init__(
        self,
        station: str,
        closed_to: Mapping[str, int],
        belt: BeltClock,
        model_sha256: str,
        *,
        doubted: frozenset[str] = frozenset(),
    ) -> None:
        """`closed_to`: the slot of each camera up to which all are closed already.

        `doubted`: cameras that count for themselves; nothing of theirs is judged before `reconciled` says so.
        """
        self._doubted = doubted
        self._station = station
        self._belt = belt
        self._model_sha256 = model_sha256
        self._floor = dict(closed_to)
        self._above: dict[str, set[int]] = {camera: set() for camera in closed_to}
        self._counted = dict(closed_to)
        self._open: dict[Key, Open] = {}
        self._dropped: list[FrameId] = []
        self.held = False  # the line is held: what still comes is closed as such

    def __len__(self) -> int:
        return len(self._open)

    @property
    def highest(self) -> int:
        """The highest slot that the source has counted."""
        return max(self._counted.values())

    def is_closed(self, camera: str, slot: int) -> bool:
        return slot <= self._floor[camera] or slot in self._above[camera]

    def knows(self, camera: str) -> bool:
        return camera in self._floor

    def captured(self, captured: Captured, payload: Payload) -> Closing | None:
        """A frame was announced, perhaps again, perhaps with a refusal."""
        key = (captured.frame.camera, captured.slot)
        if self.is_closed(*key):
            return None
        entry = self._entry(key, since_ns=captured.captured_ns, at_count=captured.at_count)
        if entry.captured is not None and entry.captured.frame != captured.frame:
            return None  # a second frame for one trigger: the first is the one
        entry.captured = captured
        if captured.at_count is not None:
            entry.at_count = captured.at_count
        entry.payload.update(payload)
        if self.held and captured.refusal is None and not entry.in_doubt:
            return self._close(entry, Reason.HELD)
        return self._answered(entry)

    def segmented(self, segmentation: Segmentation, payload: Payload, *, now_ns: int) -> Closing | None:
        """A worker answered; the first answer of the station's own model counts, and no other."""
        key = (segmentation.frame.camera, segmentation.slot)
        if segmentation.model_sha256 != self._model_sha256 or self.is_closed(*key):
            return None
        entry = self._entry(key, since_ns=now_ns, at_count=None)
        if entry.segmentation is not None:
            return None
        if entry.captured is not None and entry.captured.frame != segmentation.frame:
            return None
        entry.segmentation = segmentation
        entry.payload.update(payload)
        return self._answered(entry)

    def counted(self, counter: Counter, *, now_ns: int) -> None:
        """The source says how many triggers there were: each opens an entry, announced or not."""
        for camera in counter.cameras:
            for slot in range(self._counted[camera] + 1, counter.trigger_count + 1):
                if not self.is_closed(camera, slot):
                    entry = self._entry((camera, slot), since_ns=now_ns, at_count=counter.encoder_count)
                    if entry.at_count is None:  # the frame was announced first, by a camera that sees no encoder
                        entry.at_count = counter.encoder_count
            self._counted[camera] = max(self._counted[camera], counter.trigger_count)

    def reconciled(self, found: Finding) -> list[Closing]:
        """The counts of a camera and of the source were compared: what waited for it is judged, or closed in doubt."""
        camera = found.pair.camera
        doubted = [entry for entry in self._open.values() if entry.camera == camera and entry.in_doubt]
        closings = []
        for entry in doubted:
            if entry.captured is None:
                continue  # no frame of it came, and perhaps none will
            if entry.slot > found.to:
                if not found.agrees:
                    self._drop(entry)
                continue
            frame = entry.captured.frame
            ours = (frame.epoch, entry.captured.trigger_count) == (found.pair.epoch, entry.slot - found.pair.base)
            if not found.agrees or not ours:
                closings.append(self._close(entry, Reason.UNRECONCILED))
                continue
            entry.in_doubt = False
            if closing := self._answered(entry):
                closings.append(closing)
        return closings

    def dropped(self) -> list[FrameId]:
        """Frames that belong to no trigger, since the last call: capture need not say them again."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def overdue(self, *, now_ns: int) -> list[Closing]:
        """What no answer can save any more."""
        late = [
            entry
            for entry in self._open.values()
            if self._belt.overdue(at_count=entry.at_count, since_ns=entry.since_ns, now_ns=now_ns)
        ]
        return [closing for entry in late for closing in self._unanswered(entry)]

    def give_up(self) -> list[Closing]:
        """Everything that is open: the line ends, and nobody is left who could answer."""
        return [closing for entry in list(self._open.values()) for closing in self._unanswered(entry)]

    def _entry(self, key: Key, *, since_ns: int, at_count: int | None) -> Open:
        if key not in self._open:
            doubt = key[0] in self._doubted
            self._open[key] = Open(camera=key[0], slot=key[1], since_ns=since_ns, at_count=at_count, in_doubt=doubt)
        return self._open[key]

    def _answered(self, entry: Open) -> Closing | None:
        if entry.captured is None or entry.in_doubt:
            return None
        if entry.captured.refusal is not None:
            return self._close(entry, entry.captured.refusal)
        if entry.segmentation is None:
            return None
        if entry.captured.frame != entry.segmentation.frame:
            entry.segmentation = None  # it overtook the announcement of another frame
            return None
        return self._close(entry, entry.segmentation.refusal)

    def _unanswered(self, entry: Open) -> list[Closing]:
        if entry.captured is None:
            return [self._close(entry, Reason.NO_CAMERA)]
        if not entry.in_doubt:
            return [self._close(entry, Reason.NO_ANSWER)]
        if entry.slot > self._counted[entry.camera]:
            self._drop(entry)
            return []
        return [self._close(entry, Reason.UNRECONCILED)]

    def _drop(self, entry: Open) -> None:
        """A frame of a trigger that never was: nothing is closed."""
        del self._open[entry.camera, entry.slot]
        if entry.captured is not None:
            self._dropped.append(entry.captured.frame)

    def _close(self, entry: Open, reason: Reason | None) -> Closing:
        """The only way out: once."""
        del self._open[entry.camera, entry.slot]
        above = self._above[entry.camera]
        above.add(entry.slot)
        while (floor := self._floor[entry.camera] + 1) in above:
            above.remove(floor)
            self._floor[entry.camera] = floor
        announced = entry.captured or entry.segmentation
        never = FrameId(station=self._station, camera=entry.camera, epoch=0, seq=entry.slot)
        return Closing(
            frame=announced.frame if announced else never,
            slot=entry.slot,
            reason=reason,
            at_count=entry.at_count,
            captured=entry.captured,
            segmentation=entry.segmentation,
            payload=entry.payload,
        )
