"""A camera that counts for itself above a belt: only beside a PLC whose count can be compared with its own (row 14)."""

import copy
from typing import Any

import pytest

from config.loader import ConfigError, parse_station
from tests.config.test_loader import GIGE, RAIL

MODBUS = {"kind": "modbus", "host": "127.0.0.1"}


def a_table(*, pitch_ms: float = 200.0, actuator: dict[str, str] = MODBUS) -> dict[str, Any]:
    """Two cameras that count for themselves, and a PLC that counts the triggers."""
    table = copy.deepcopy(RAIL)
    calibration = table["cameras"][0]["calibration"]
    table["cameras"] = [GIGE | {"name": name, "calibration": calibration} for name in ("left", "right")]
    table["actuator"] = dict(actuator)
    table["workers"] = 4
    table["belt"]["part_pitch_mm"] = table["belt"]["speed_mm_s"] * pitch_ms / 1000
    table["budget"]["capture_ms"] = 60.0
    del table["twin"]
    return table


def test_several_cameras_may_count_for_themselves_beside_a_plc() -> None:
    station = parse_station(a_table(), at="rail-03")

    assert [camera.name for camera in station.cameras] == ["left", "right"]


@pytest.mark.parametrize(
    ("table", "named", "why"),
    [
        pytest.param(
            a_table(actuator={"kind": "log"}), "cameras[0].kind", "'gige' above a belt needs a PLC", id="no-plc"
        ),
        pytest.param(
            a_table(actuator=MODBUS | {"kind": "mqtt"}),
            "cameras[0].kind",
            "over MQTT nobody knows how old a count is",
            id="row-14-a-count-of-unknown-age",
        ),
        pytest.param(
            a_table(pitch_ms=150.0),
            "budget.capture_ms",
            "a part comes every 150 ms: there is no quiet moment",
            id="row-14-too-close-to-be-compared",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(table: dict[str, Any], named: str, why: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_station(table, at="rail-03")

    assert f"rail-03.{named}" in str(refused.value)
    assert why in str(refused.value)
