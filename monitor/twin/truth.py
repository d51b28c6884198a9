"""The outside witness: what was on the belt and what the gate did, from the twin's own log and nothing else."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from config.cameras import Calibration
from config.policy import Policy
from config.zones import Zone
from monitor.messages import Gate, Outcome, Region
from monitor.rules.policy import judge
from monitor.rules.regions import Mask, regions_of_mask

GOOD_BELOW, DEFECTIVE_ABOVE = 0.7, 1.3  # of the deciding limit; between them nobody can be blamed


class TruthClass(StrEnum):
    """What a part truly is, by the station's own rules applied to the exact mask."""

    GOOD = "good"
    BORDERLINE = "borderline"
    DEFECTIVE = "defective"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A run as the twin saw it."""

    triggers: int
    defective: int
    caught: int  # defective and rejected
    escaped: int  # defective and released
    borderline: int
    good: int
    false_rejects: int  # good, and rejected because the net said so
    released_uninspected: int  # released without a PASS

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def classify(
    mask: Mask, calibration: Calibration | None, policy: Policy, zones: tuple[Zone, ...] = ()
) -> tuple[TruthClass, tuple[Region, ...]]:
    """The class of a part with this exact mask, and its regions."""
    regions = regions_of_mask(mask, calibration, zones)
    return class_of(judge(regions, policy, zones).severity), regions


def class_of(severity: float) -> TruthClass:
    """By the deciding area as a share of its limit."""
    if severity < GOOD_BELOW:
        return TruthClass.GOOD
    return TruthClass.BORDERLINE if severity <= DEFECTIVE_ABOVE else TruthClass.DEFECTIVE


class TruthCounter:
    """Counts the lines of a run as the twin writes them."""

    def __init__(self) -> None:
        self._ends: Counter[tuple[str, str]] = Counter()  # class, gate
        self._false_rejects = self._unproven = 0

    def add(self, part: Mapping[str, Any], *, passed: bool) -> None:
        """A part that has met the gate. `passed`: whether the verdict in force, in the journal, is a PASS."""
        self._ends[part["class"], part["gate"]] += 1
        released = part["gate"] == Gate.RELEASED
        self._unproven += released and not (passed and part["command"] == Outcome.PASS)
        self._false_rejects += part["class"] == TruthClass.GOOD and not released and part["command"] == Outcome.REJECT

    def truth(self) -> Truth:
        def count(of: TruthClass) -> int:
            return self._ends[of, Gate.RELEASED] + self._ends[of, Gate.REJECTED]

        return Truth(
            triggers=self._ends.total(),
            defective=count(TruthClass.DEFECTIVE),
            caught=self._ends[TruthClass.DEFECTIVE, Gate.REJECTED],
            escaped=self._ends[TruthClass.DEFECTIVE, Gate.RELEASED],
            borderline=count(TruthClass.BORDERLINE),
            good=count(TruthClass.GOOD),
            false_rejects=self._false_rejects,
            released_uninspected=self._unproven,
        )
