"""No defect escapes by lying across two zones, and it does not matter how a zone is drawn."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.cameras import Calibration
from config.policy import Policy
from config.zones import Zone
from monitor.messages import Outcome, Region
from monitor.rules import policy as rules
from monitor.rules.policy import Judgement, counting, judge, strictest
from monitor.rules.regions import Mask, regions_of_mask
from monitor.rules.zones import REST, inside_of, zone_map
from tests.monitor.builders import a_mask

POLICY = Policy(min_region_mm2=4.0, reject_region_mm2=40.0, reject_total_mm2=80.0, grey_band=0.0)
CALIBRATION = Calibration(mm_per_px_across=0.5, mm_per_line=2.0)  # 1 mm² a pixel; a frame of 80 × 100 px is 40 × 200 mm
LEANING = Calibration(mm_per_px_across=0.5, mm_per_line=2.0, shear_deg=10.0)


def a_box(name: str, x0: float, y0: float, x1: float, y1: float, **facts: Any) -> Zone:
    """A rectangle in mm; strict where nothing else is said."""
    limits = {"min_region_mm2": 2.0, "reject_region_mm2": 10.0, "reject_total_mm2": 20.0, "grey_band": 0.0}
    given = {"ignore": True} if facts.get("ignore") else limits | facts
    return Zone(name=name, polygon_mm=((x0, y0), (x1, y0), (x1, y1), (x0, y1)), **given)


LEFT = a_box("left", 0, 0, 20, 200)
LAX = a_box("lax", 20, 0, 40, 200, min_region_mm2=30.0, reject_region_mm2=400.0, reject_total_mm2=800.0)
HOLE = a_box("hole", 10, 100, 30, 120, ignore=True)


def judged(mask: Mask, *zones: Zone, calibration: Calibration = CALIBRATION) -> tuple[Judgement, tuple[Region, ...]]:
    regions = regions_of_mask(mask, calibration, zones)
    return judge(regions, POLICY, zones), regions


@pytest.mark.parametrize(
    ("squares", "zones", "outcome", "zone"),
    [
        pytest.param([(5, 5, 4)], [], Outcome.PASS, None, id="no-zones"),
        pytest.param([(5, 5, 4)], [LEFT], Outcome.REJECT, "left", id="in-a-strict-zone"),
        pytest.param([(50, 5, 4)], [LEFT], Outcome.PASS, None, id="in-none"),
        pytest.param([(50, 5, 7)], [LEFT], Outcome.REJECT, None, id="in-none-too-large"),
        pytest.param([(50, 5, 7)], [LAX], Outcome.PASS, "lax", id="in-a-lax-zone"),
        pytest.param([(38, 5, 4)], [LEFT, LAX], Outcome.REJECT, "left", id="over-a-border"),
        pytest.param([(39, 5, 4)], [LEFT], Outcome.REJECT, "left", id="a-column-of-it"),
        pytest.param([(5, 5, 3), (5, 15, 3), (5, 25, 3)], [LEFT], Outcome.REJECT, "left", id="areas-add-up-in-a-zone"),
        pytest.param([(5, 5, 3), (60, 5, 3), (70, 5, 3)], [LEFT], Outcome.PASS, "left", id="and-only-there"),
        pytest.param([(24, 51, 8)], [HOLE], Outcome.PASS, None, id="in-an-ignored-zone"),
        pytest.param([(18, 51, 8)], [HOLE], Outcome.REJECT, None, id="over-the-border-of-one"),
        pytest.param([(24, 51, 8)], [HOLE, LEFT], Outcome.PASS, None, id="ignored-inside-of-a-strict-one"),
        pytest.param([(17, 51, 4)], [HOLE, LEFT], Outcome.REJECT, "left", id="over-the-border-of-both"),
    ],
)
def test_the_strictest_zone_that_is_touched_decides(
    squares: list[tuple[int, int, int]], zones: list[Zone], outcome: Outcome, zone: str | None
) -> None:
    judgement, _ = judged(a_mask(*squares), *zones)

    assert (judgement.outcome, judgement.zone) == (outcome, zone)


def test_each_region_names_its_zone_and_what_counts_differs() -> None:
    mask = a_mask((5, 5, 2), (50, 5, 2), (60, 40, 5), (24, 52, 3), shape=(100, 80))
    zones = (LEFT, HOLE, LAX)

    regions = regions_of_mask(mask, CALIBRATION, zones)

    assert [region.zones for region in regions] == [("lax",), (), ("left",), ("lax",)]
    assert strictest(regions, POLICY, zones) == ["lax", None, "left", "lax"]
    assert counting(regions, POLICY, zones) == [2]  # 4 mm² count in one zone, 25 do not in the other


def test_a_clear_reject_is_worse_than_a_grey_one() -> None:
    wide = a_box("wide", 0, 0, 20, 200, grey_band=0.9, reject_region_mm2=10.0)

    judgement, _ = judged(a_mask((5, 5, 4)), wide, a_box("sharp", 0, 0, 20, 200, reject_region_mm2=12.0))

    assert (judgement.zone, judgement.grey) == ("sharp", False)
    assert judgement.severity == pytest.approx(16 / 12)


def test_a_zone_that_nobody_knows_is_a_doubt_and_all_judge() -> None:
    region = Region(x=1, y=1, width=4, height=4, area_px=16, area_mm2=16.0, score=1.0, zones=("gone",))

    assert judge((region,), POLICY, (LEFT,)).zone == "left"


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    squares = draw(st.lists(st.tuples(st.integers(0, 70), st.integers(0, 90), st.integers(1, 9)), max_size=6))
    return a_mask(*squares)


@st.composite
def stars(draw: st.DrawFn) -> tuple[tuple[float, float], ...]:
    """A simple polygon: points in the order of their angle about the middle of the frame."""
    angles = draw(st.lists(st.integers(0, 359), min_size=3, max_size=9, unique=True))
    reach = [draw(st.floats(0.05, 1.0)) for _ in angles]
    turns = np.radians(sorted(angles))
    return tuple(
        (20 + 20 * far * float(np.cos(a)), 100 + 100 * far * float(np.sin(a)))
        for a, far in zip(turns, reach, strict=True)
    )


STRICT: dict[str, Any] = {"min_region_mm2": 2.0, "reject_region_mm2": 10.0, "reject_total_mm2": 20.0, "grey_band": 0.0}


@given(masks(), stars(), st.integers(0, 8), st.booleans())
def test_where_a_polygon_begins_and_which_way_it_runs_changes_nothing(
    mask: Mask, polygon: tuple[tuple[float, float], ...], start: int, backwards: bool
) -> None:
    again = polygon[start % len(polygon) :] + polygon[: start % len(polygon)]
    other = Zone(name="star", polygon_mm=again[::-1] if backwards else again, **STRICT)

    first, _ = judged(mask, Zone(name="star", polygon_mm=polygon, **STRICT), calibration=LEANING)

    assert judged(mask, other, calibration=LEANING)[0] == first


@given(masks(), st.permutations([LEFT, LAX, HOLE, a_box("middle", 10, 50, 30, 150, reject_region_mm2=20.0)]))
def test_the_order_of_zones_changes_nothing(mask: Mask, zones: list[Zone]) -> None:
    assert judged(mask, *zones)[0] == judged(mask, *sorted(zones, key=lambda zone: zone.name))[0]


@given(masks(), stars())
def test_a_stricter_zone_never_lets_a_part_through(mask: Mask, polygon: tuple[tuple[float, float], ...]) -> None:
    without, _ = judged(mask)

    judgement, regions = judged(mask, Zone(name="star", polygon_mm=polygon, **STRICT))

    touches = [region for region in regions if "star" in region.zones]
    rejects = any((region.area_mm2 or 0.0) >= 10.0 for region in touches) or _total(touches) >= 20.0
    inside_alone = [region for region in regions if region.zones == ("star",)]
    assert judgement.outcome is (Outcome.REJECT if rejects or _own(regions) else Outcome.PASS)
    assert inside_alone or judgement.severity >= without.severity


def _total(regions: list[Region]) -> float:
    return sum(area for region in regions if (area := region.area_mm2 or 0.0) >= 2.0)


def _own(regions: tuple[Region, ...]) -> bool:
    areas = [area for r in regions if "" in r.zones and (area := r.area_mm2 or 0.0) >= 4.0]
    return max(areas, default=0.0) >= 40.0 or sum(areas) >= 80.0


@given(masks())
def test_without_zones_nothing_changes(mask: Mask) -> None:
    judgement, regions = judged(mask)

    areas = [area for region in regions if (area := region.area_mm2 or 0.0) >= 4.0]
    severity = max(max(areas, default=0.0) / 40.0, sum(areas) / 80.0)
    assert (judgement.zone, judgement.counted) == (None, len(areas))
    assert judgement.severity == pytest.approx(severity)
    assert all(region.zones == ("",) for region in regions)
    assert counting(regions, POLICY) == list(range(len(areas)))  # they come first


def test_by_the_middle_of_a_region_a_defect_over_a_border_would_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: one zone a region, that of its middle, as a first look would have it."""
    mask, zones = a_mask((39, 5, 4)), (LEFT, LAX)
    regions = regions_of_mask(mask, CALIBRATION, zones)

    monkeypatch.setattr(rules, "_judges", lambda *_: ("lax",))  # x 41 of 80: right of the border at 40

    assert judge(regions, POLICY, zones).outcome is Outcome.PASS
    monkeypatch.undo()
    assert judge(regions, POLICY, zones).outcome is Outcome.REJECT


@settings(max_examples=50)
@given(stars())
def test_a_pixel_is_inside_by_its_middle(polygon: tuple[tuple[float, float], ...]) -> None:
    points = [(2 * x, y / 2) for x, y in polygon]

    inside = inside_of(points, height=100, width=80)

    rng = np.random.default_rng(3)
    for row, column in zip(rng.integers(0, 100, 60), rng.integers(0, 80, 60), strict=True):
        assert inside[row, column] == _even_odd(points, column + 0.5, row + 0.5)


def _even_odd(polygon: list[tuple[float, float]], x: float, y: float) -> bool:
    inside = False
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y0 <= y) != (y1 <= y) and x >= x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
    return inside


def test_two_zones_side_by_side_leave_no_pixel_between_them() -> None:
    of_frame = zone_map((LEFT, LAX), LEANING, 90, 70)

    assert not (of_frame[:, :70] == 0).any()
    assert (zone_map((LEFT, LAX), CALIBRATION, 100, 80) != REST).all()
