"""A part passes when every camera that must see it has passed it; pure."""

from dataclasses import dataclass, field

from monitor.messages import Outcome, Reason


@dataclass(frozen=True, kw_only=True)
class PartOutcome:
    """What becomes of a part."""

    slot: int
    outcome: Outcome
    reason: Reason | None
    at_count: int | None  # of the encoder at its trigger
    area_mm2: float | None = None  # of the defects, as the camera that settled it counted them


@dataclass(kw_only=True)
class Parts:
    """Slots on which not every camera has spoken."""

    cameras: frozenset[str]
    _passed: dict[int, set[str]] = field(default_factory=dict)
    _decided: dict[int, set[str]] = field(default_factory=dict)  # not passed; the cameras heard so far

    def verdict(
        self,
        camera: str,
        *,
        slot: int,
        outcome: Outcome,
        reason: Reason | None,
        at_count: int | None,
        area_mm2: float | None = None,
    ) -> PartOutcome | None:
        """The part's outcome as soon as it is certain: with the first verdict that is no PASS, or the last that is."""
        if slot in self._decided:
            self._heard(slot, camera)
            return None
        if outcome is not Outcome.PASS:
            self._decided[slot] = self._passed.pop(slot, set())
            self._heard(slot, camera)
            return PartOutcome(slot=slot, outcome=outcome, reason=reason, at_count=at_count, area_mm2=area_mm2)
        passed = self._passed.setdefault(slot, set())
        passed.add(camera)
        if passed < self.cameras:
            return None
        del self._passed[slot]
        return PartOutcome(slot=slot, outcome=Outcome.PASS, reason=None, at_count=at_count, area_mm2=area_mm2)

    def is_decided(self, slot: int) -> bool:
        """Whether a camera has spoken against this part, and others are still to be heard."""
        return slot in self._decided

    def _heard(self, slot: int, camera: str) -> None:
        self._decided[slot].add(camera)
        if self._decided[slot] >= self.cameras:
            del self._decided[slot]
