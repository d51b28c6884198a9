"""A zone that is drawn or limited wrongly stops the start, with the key that is wrong."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config.zones
from config.loader import ConfigError, parse_station
from tests.config.test_loader import RAIL

ZONE: dict[str, Any] = {
    "name": "edge",
    "polygon_mm": [[0.0, 0.0], [10.0, 0.0], [10.0, 500.0], [0.0, 500.0]],
    "min_region_mm2": 1.0,
    "reject_region_mm2": 5.0,
    "reject_total_mm2": 10.0,
}
HOLE = {"name": "hole", "polygon_mm": [[20, 20], [30, 20], [25, 40]], "ignore": True}


def with_zones(*zones: dict[str, Any]) -> dict[str, Any]:
    table = copy.deepcopy(RAIL)
    table["cameras"][0]["zones"] = list(zones)
    return table


def refusal(table: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as refused:
        parse_station(table, at="rail-03")
    return str(refused.value)


def test_zones_are_understood() -> None:
    zones = parse_station(with_zones(ZONE, HOLE), at="rail-03").cameras[0].zones

    assert [(zone.name, zone.ignore, zone.area_mm2) for zone in zones] == [("edge", False, 5000.0), ("hole", True, 100)]
    assert (zones[0].limits.reject_region, zones[0].grey_band) == (5.0, 0.2)


@pytest.mark.parametrize(
    ("change", "named", "why"),
    [
        pytest.param({"polygon_mm": [[0, 0], [1, 0]]}, ".polygon_mm", "at least 3", id="two-points"),
        pytest.param({"polygon_mm": [[0, 0], [1, 0], [2, 0, 0]]}, ".polygon_mm[2]", "2 items", id="three-coordinates"),
        pytest.param({"polygon_mm": [[0, 0], [1, 0], [2, "0"]]}, ".polygon_mm[2][1]", "'0'", id="text"),
        pytest.param({"polygon_mm": [[0, 0], [5, 5], [10, 10]]}, ".polygon_mm", "on one line", id="no-area"),
        pytest.param(
            {"polygon_mm": [[0, 0], [0, 0], [9, 0], [9, 9]]}, ".polygon_mm", "point 0 is given twice", id="twice"
        ),
        pytest.param(
            {"polygon_mm": [[0, 0], [10, 10], [10, 0], [0, 10]]}, ".polygon_mm", "side 0 crosses side 2", id="a-bow-tie"
        ),
        pytest.param(
            {"polygon_mm": [[0, 0], [10, 0], [10, 10], [10, 5], [5, 10]]}, ".polygon_mm", "runs back over", id="a-spike"
        ),
        pytest.param(
            {"polygon_mm": [[0, 0], [10, 0], [10, 10], [5, 0], [0, 10]]}, ".polygon_mm", "side 0 crosses", id="a-touch"
        ),
        pytest.param(
            {"polygon_mm": [[0, 0], [80, 0], [0, 9]]}, ".polygon_mm", "point 1, [80, 0] mm, is pixel 177.8", id="beyond"
        ),
        pytest.param(
            {"polygon_mm": [[0, 0], [5, -9], [5, 9]]}, ".polygon_mm", "but the frame has 160 × 1000 px", id="before"
        ),
        pytest.param({"polygon_mm": [[0, 0], [0.1, 0], [0, 0.1]]}, ".polygon_mm", "less than one pixel", id="a-speck"),
        pytest.param({"reject_region_mm2": None}, ".reject_region_mm2", "is missing", id="a-limit-is-missing"),
        pytest.param({"min_region_mm2": 6.0}, ".reject_region_mm2", "does not lie between", id="limits-out-of-order"),
        pytest.param({"ignore": True}, ".min_region_mm2", "meets no limit", id="limits-that-are-ignored"),
        pytest.param({"grey_band": 1.0}, ".grey_band", "less than 1", id="all-grey"),
        pytest.param({"name": "Edge 1"}, ".name", "'Edge 1'", id="no-name"),
        pytest.param({"ignored": True}, ".ignored", "did you mean 'ignore'?", id="misspelt"),
    ],
)
def test_a_wrong_zone_is_refused_by_its_key(change: dict[str, Any], named: str, why: str) -> None:
    changed = {key: value for key, value in (ZONE | change).items() if value is not None}

    said = refusal(with_zones(HOLE, changed))

    assert f"rail-03.cameras[0].zones[1]{named}: " in said
    assert why in said


@pytest.mark.parametrize(
    ("change", "named", "why"),
    [
        pytest.param(lambda t: t["cameras"][0]["zones"].append(ZONE), "zones[1].name", "another zone", id="twice"),
        pytest.param(
            lambda t: t.update(policy={"min_region_px": 1.0, "reject_region_px": 2.0, "reject_total_px": 3.0}),
            "zones[0]",
            "is in mm, but the station's limits are in px",
            id="limits-in-px",
        ),
        pytest.param(lambda t: t["cameras"][0].pop("calibration"), "calibration", "is missing", id="no-calibration"),
        pytest.param(
            lambda t: t["cameras"][0].update(zones=[ZONE | {"name": f"z{n}"} for n in range(16)]),
            "zones",
            "at most 15",
            id="too-many",
        ),
    ],
)
def test_what_zones_need_is_asked_for(change: Callable[[dict[str, Any]], object], named: str, why: str) -> None:
    table = with_zones(ZONE)
    change(table)

    said = refusal(table)

    assert f"rail-03.cameras[0].{named}: " in said
    assert why in said


def test_without_the_look_for_crossings_a_bow_tie_would_be_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.zones, "_crossing", lambda _: None)
    bow_tie = ZONE | {"polygon_mm": [[0, 0], [10, 12], [10, 0], [0, 10]]}

    assert parse_station(with_zones(bow_tie), at="rail-03").cameras[0].zones


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=6), st.integers(0, 5))
def test_where_a_polygon_begins_does_not_make_it_simple(points: list[tuple[int, int]], start: int) -> None:
    polygon = tuple((float(x), float(y)) for x, y in points)
    turned = polygon[start % len(polygon) :] + polygon[: start % len(polygon)]

    first = config.zones._crossing(polygon) is None

    assert (config.zones._crossing(turned) is None, config.zones._crossing(turned[::-1]) is None) == (first, first)


def test_a_cost_of_a_zone_that_is_not_there_names_it() -> None:
    table = with_zones(ZONE) | {"quality": {"zone_costs": {"edge": 3.0, "egde": 4.0}}}

    said = refusal(table)

    assert "rail-03.quality.zone_costs.egde: no camera has a zone 'egde': the station has edge" in said
