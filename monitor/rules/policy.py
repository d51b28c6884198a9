"""From regions to an outcome, by the limits of the station and of the zones of a camera; pure.

Each region is judged, whole, by all zones that it touches, and counts into the total of each: the strictest of them
decides. The part's outcome is the worst of all zones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from config.policy import Limits, Policy
from config.zones import Zone
from monitor.messages import Outcome, Region
from monitor.rules.zones import OWN_LIMITS


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the limits say of one frame; areas and severity are those of the zone that decided."""

    outcome: Outcome
    grey: bool  # within the grey band of a limit: rejected, and queued for a person
    severity: float  # the deciding area as a share of its limit
    total_area: float  # of all regions that count, in the policy's unit
    largest_area: float
    counted: int  # regions of at least min_region, in any zone
    zone: str | None = None  # None: the station's own limits


def judge(regions: tuple[Region, ...], policy: Policy, zones: tuple[Zone, ...] = ()) -> Judgement:
    """Reject when one region, or all together, reach a limit less its grey band."""
    limits = _limits(policy, zones)
    areas: dict[str, list[float]] = {name: [] for name in sorted(limits)}  # the station's own first
    counted = 0
    for region in regions:
        area = _area(region, policy)
        counts = [name for name in _judges(region, limits) if area >= limits[name].min_region]
        counted += bool(counts)
        for name in counts:
            areas[name].append(area)
    return max((_judged(name, each, limits[name], counted=counted) for name, each in areas.items()), key=_badness)


def counting(regions: tuple[Region, ...], policy: Policy, zones: tuple[Zone, ...] = ()) -> list[int]:
    """Positions of the regions that reach the least area of a zone they touch; smaller ones are specks."""
    limits = _limits(policy, zones)
    return [
        n
        for n, region in enumerate(regions)
        if any(_area(region, policy) >= limits[name].min_region for name in _judges(region, limits))
    ]


def strictest(regions: tuple[Region, ...], policy: Policy, zones: tuple[Zone, ...] = ()) -> list[str | None]:
    """For each region the zone that rejects from the least area; None: the station's own limits, or nobody's."""
    limits = _limits(policy, zones)
    ranked = sorted(limits, key=lambda name: (limits[name].reject_region * (1 - limits[name].grey_band), name))
    judges = (set(_judges(region, limits)) for region in regions)
    return [next((name for name in ranked if name in here), OWN_LIMITS) or None for here in judges]


def _limits(policy: Policy, zones: tuple[Zone, ...]) -> Mapping[str, Limits]:
    return {OWN_LIMITS: policy.limits} | {zone.name: zone.limits for zone in zones if not zone.ignore}


def _judges(region: Region, limits: Mapping[str, Limits]) -> tuple[str, ...]:
    """Those that judge it. A zone that this station does not have is a doubt, and then all of them do."""
    return region.zones if all(name in limits for name in region.zones) else tuple(limits)


def _judged(name: str, areas: list[float], here: Limits, *, counted: int) -> Judgement:
    """What one zone says of the areas that count there, or the station's own limits."""
    largest, total = max(areas, default=0.0), float(sum(areas))
    severity = max(largest / here.reject_region, total / here.reject_total)
    return Judgement(
        outcome=Outcome.REJECT if severity >= 1 - here.grey_band else Outcome.PASS,
        grey=1 - here.grey_band <= severity <= 1 + here.grey_band,
        severity=severity,
        total_area=total,
        largest_area=largest,
        counted=counted,
        zone=name or None,
    )


def _badness(judged: Judgement) -> tuple[bool, bool, float]:
    """A clear reject is worse than a grey one, whatever its share of another zone's limit."""
    rejects = judged.outcome is Outcome.REJECT
    return rejects, rejects and not judged.grey, judged.severity


def _area(region: Region, policy: Policy) -> float:
    if policy.unit == "px":
        return float(region.area_px)
    if region.area_mm2 is None:
        raise ValueError("a limit in mm² needs a calibrated camera; the loader refuses such a station")
    return region.area_mm2
