"""The limits a part must keep, in mm² or, on a camera without calibration, in px."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from config.base import Table

Area = Annotated[float, Field(gt=0, le=1e9)]

LIMITS = ("min_region", "reject_region", "reject_total")


class Policy(Table):
    """Limits in one unit: a station gives the three in mm², or the three in px."""

    min_region_mm2: Area | None = None
    reject_region_mm2: Area | None = None
    reject_total_mm2: Area | None = None
    min_region_px: Area | None = None
    reject_region_px: Area | None = None
    reject_total_px: Area | None = None
    grey_band: float = Field(default=0.2, ge=0, lt=1)  # ± this share of a limit: rejected, and queued for a person

    @property
    def unit(self) -> str:
        return "mm2" if self.reject_region_mm2 is not None else "px"

    @property
    def limits(self) -> "Limits":
        """The three limits, whatever their unit; `problems` must have been empty."""
        least, region, total = (getattr(self, f"{limit}_{self.unit}") for limit in LIMITS)
        return Limits(min_region=least, reject_region=region, reject_total=total, grey_band=self.grey_band)

    def problems(self) -> list[tuple[str, str]]:
        """(key, what is wrong) for limits that are missing, mixed, or out of order."""
        given = {
            unit: [f"{name}_{unit}" for name in LIMITS if getattr(self, f"{name}_{unit}") is not None]
            for unit in ("mm2", "px")
        }
        if given["mm2"] and given["px"]:
            return [(given["px"][0], f"limits in px beside limits in mm² ({given['mm2'][0]}): give all in one unit")]
        if missing := [f"{name}_{self.unit}" for name in LIMITS if getattr(self, f"{name}_{self.unit}") is None]:
            return [(key, "is missing: the three limits are given together") for key in missing]
        wrong = out_of_order(self.limits)
        return [(f"reject_region_{self.unit}", wrong)] if wrong else []


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The three limits in the policy's own unit, and the share of them that is grey on either side."""

    min_region: float
    reject_region: float
    reject_total: float
    grey_band: float


def out_of_order(limits: Limits) -> str | None:
    """What is wrong with limits that do not grow; None where they do."""
    if limits.min_region <= limits.reject_region <= limits.reject_total:
        return None
    ends = f"min_region {limits.min_region} and reject_total {limits.reject_total}"
    return f"{limits.reject_region} does not lie between {ends}"
