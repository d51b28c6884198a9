"""The outside witness: what was on the belt and what the gate did, from the twin's own log and nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from config.cameras import Calibration
from config.policy import Policy
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


def classify(mask: Mask, calibration: Calibration | None, policy: Policy) -> tuple[TruthClass, tuple[Region, ...]]:
    """The class of a part with this exact mask, and its regions."""
    regions = regions_of_mask(mask, calibration)
    severity = judge(regions, policy).severity
    if severity < GOOD_BELOW:
        return TruthClass.GOOD, regions
    return (TruthClass.BORDERLINE if severity <= DEFECTIVE_ABOVE else TruthClass.DEFECTIVE), regions


def count_truth(lines: Iterable[Mapping[str, Any]], *, passed: frozenset[int] | None = None) -> Truth:
    """Counts the lines of a run. `passed`: slots whose verdict in force is PASS, where the journal is asked as well."""
    parts = list(lines)

    def count(of: TruthClass, gate: Gate | None = None) -> int:
        return sum(part["class"] == of and gate in (None, part["gate"]) for part in parts)

    released = [part for part in parts if part["gate"] == Gate.RELEASED]
    unproven = [p for p in released if p["command"] != Outcome.PASS or (passed is not None and p["slot"] not in passed)]
    return Truth(
        triggers=len(parts),
        defective=count(TruthClass.DEFECTIVE),
        caught=count(TruthClass.DEFECTIVE, Gate.REJECTED),
        escaped=count(TruthClass.DEFECTIVE, Gate.RELEASED),
        borderline=count(TruthClass.BORDERLINE),
        good=count(TruthClass.GOOD),
        false_rejects=sum(
            part["class"] == TruthClass.GOOD and part["gate"] == Gate.REJECTED and part["command"] == Outcome.REJECT
            for part in parts
        ),
        released_uninspected=len(unproven),
    )
