"""What the reports of quality go by: how often one part can go wrong, and what a defect costs."""

from typing import Annotated

from pydantic import Field

from config.base import Table

Cost = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class Quality(Table):
    """Of one station; both are printed with the figures that rest on them."""

    opportunities: int = Field(default=1, ge=1, le=1_000_000)  # for a defect, on one part as one camera sees it: DPMO
    cost: Cost = 1.0  # of a defect, in whatever unit the plant reckons
    zone_costs: dict[str, Cost] = Field(default={}, max_length=64)  # of a defect in this zone, in place of `cost`

    def cost_in(self, zone: str) -> float:
        """Of one defect; "": it lies in no zone."""
        return self.zone_costs.get(zone, self.cost)


def quality_problems(quality: Quality, zones: set[str]) -> list[tuple[str, str]]:
    """(key, what is wrong) of the table [quality]; `zones` are those of the station's cameras."""
    unknown = sorted(set(quality.zone_costs) - zones)
    has = f"the station has {', '.join(sorted(zones))}" if zones else "the station has no zones"
    return [(f"zone_costs.{name}", f"no camera has a zone {name!r}: {has}") for name in unknown]
