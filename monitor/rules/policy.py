"""From regions to an outcome, by the limits of the station; pure."""

from dataclasses import dataclass

from config.policy import Policy
from monitor.messages import Outcome, Region


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the limits say of one frame."""

    outcome: Outcome
    grey: bool  # within the grey band of a limit: rejected, and queued for a person
    severity: float  # the deciding area as a share of its limit
    total_area: float  # of all regions that count, in the policy's unit
    largest_area: float
    counted: int  # regions of at least min_region


def judge(regions: tuple[Region, ...], policy: Policy) -> Judgement:
    """Reject when one region, or all together, reach their limit less the grey band."""
    limits = policy.limits
    areas = [area for area in (_area(region, policy) for region in regions) if area >= limits.min_region]
    largest, total = max(areas, default=0.0), float(sum(areas))
    severity = max(largest / limits.reject_region, total / limits.reject_total)
    return Judgement(
        outcome=Outcome.REJECT if severity >= 1 - limits.grey_band else Outcome.PASS,
        grey=1 - limits.grey_band <= severity <= 1 + limits.grey_band,
        severity=severity,
        total_area=total,
        largest_area=largest,
        counted=len(areas),
    )


def _area(region: Region, policy: Policy) -> float:
    if policy.unit == "px":
        return float(region.area_px)
    if region.area_mm2 is None:
        raise ValueError("a limit in mm² needs a calibrated camera; the loader refuses such a station")
    return region.area_mm2
