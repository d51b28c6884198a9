"""Zones of a camera's view, in mm, with limits of their own; what lies in an ignored one is not judged."""

from collections.abc import Iterator
from itertools import combinations
from typing import Annotated

from pydantic import Field

from config.base import Name, Table, type_checked_list
from config.policy import LIMITS, Area, Limits, out_of_order

Point = tuple[float, float]
Millimetre = Annotated[float, Field(ge=-1e6, le=1e6)]
POINTS_MOST = 256
ZONES_MOST = 15  # of a camera: with the rest of the frame they are the 16 bits of a pixel of its map


class Zone(Table):
    """A polygon; its origin is the first pixel of the first line, x goes across the belt and y along it."""

    name: Name
    polygon_mm: Annotated[
        tuple[Annotated[tuple[Millimetre, Millimetre], type_checked_list], ...], type_checked_list
    ] = Field(min_length=3, max_length=POINTS_MOST)
    ignore: bool = False  # masked out: a region that lies in such zones alone is not judged
    min_region_mm2: Area | None = None
    reject_region_mm2: Area | None = None
    reject_total_mm2: Area | None = None
    grey_band: float = Field(default=0.2, ge=0, lt=1)

    @property
    def limits(self) -> Limits:
        """Its limits; `problems` must have been empty, and it is not ignored."""
        least, region, total = (getattr(self, f"{limit}_mm2") or 0.0 for limit in LIMITS)
        return Limits(min_region=least, reject_region=region, reject_total=total, grey_band=self.grey_band)

    @property
    def area_mm2(self) -> float:
        """What it encloses."""
        sides = zip(self.polygon_mm, (*self.polygon_mm[1:], self.polygon_mm[0]), strict=True)
        return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in sides)) / 2

    def problems(self) -> Iterator[tuple[str, str]]:
        """(key, what is wrong) with limits and outline, wherever it lies."""
        given = [f"{limit}_mm2" for limit in LIMITS if getattr(self, f"{limit}_mm2") is not None]
        if self.ignore:
            yield from ((key, "is given, but what lies in an ignored zone meets no limit") for key in given)
        elif missing := [f"{limit}_mm2" for limit in LIMITS if f"{limit}_mm2" not in given]:
            yield from ((key, "is missing: a zone has all three limits, or ignore = true") for key in missing)
        elif wrong := out_of_order(self.limits):
            yield "reject_region_mm2", wrong
        if crossing := _crossing(self.polygon_mm):
            yield "polygon_mm", f"{crossing}: a zone's outline does not meet itself"
        elif self.area_mm2 == 0:
            yield "polygon_mm", f"encloses nothing: its {len(self.polygon_mm)} points lie on one line"


def _crossing(polygon: tuple[Point, ...]) -> str | None:
    """Which two sides meet where they should not; None of a simple polygon."""
    sides = list(zip(polygon, (*polygon[1:], polygon[0]), strict=True))
    for n, (a, b) in enumerate(sides):
        if a == b:
            return f"point {n} is given twice, {list(a)}"
    for (i, one), (j, other) in combinations(enumerate(sides), 2):
        neighbours = j - i in {1, len(sides) - 1}
        if neighbours:
            shared, ends = (one[1], (one[0], other[1])) if j - i == 1 else (one[0], (one[1], other[0]))
            if _turn(shared, *ends) == 0 and _forward(shared, *ends) and len(sides) > 3:
                return f"side {j} runs back over side {i}"
        elif _meet(*one, *other):
            return f"side {i} crosses side {j}"
    return None


def _turn(at: Point, a: Point, b: Point) -> float:
    """> 0 where b lies left of the way from `at` to a, 0 on its line."""
    return (a[0] - at[0]) * (b[1] - at[1]) - (a[1] - at[1]) * (b[0] - at[0])


def _forward(at: Point, a: Point, b: Point) -> bool:
    return (a[0] - at[0]) * (b[0] - at[0]) + (a[1] - at[1]) * (b[1] - at[1]) > 0


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two sides have a point in common."""
    turns = (_turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b))
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    sides, points = ((a, b), (a, b), (c, d), (c, d)), (c, d, a, b)
    return any(turn == 0 and _between(side, point) for turn, side, point in zip(turns, sides, points, strict=True))


def _between(side: tuple[Point, Point], point: Point) -> bool:
    return all(min(p[n] for p in side) <= point[n] <= max(p[n] for p in side) for n in (0, 1))
