"""The line with a PLC behind a real protocol: whoever dies, nothing leaves without a PASS in force, and all is said."""

from pathlib import Path

import pytest

from benchmarks.gate import ACTUATORS, between, free_port
from benchmarks.line import Line
from config.loader import STATIONS
from monitor.messages import Gate
from monitor.rows import ActuatedBody, Kind, read_body
from tests.line.test_kill import hurt, nothing_wrong_released, patient, rows_of
from tests.line.test_station import verified

PROTOCOLS = sorted(ACTUATORS)
UNHURT = 10  # parts before the first loss
HURT = ("decision", "actuation", "plant")  # rows 48, 49 and 54
TABLES = {
    "modbus": 'kind = "modbus"\nhost = "127.0.0.1"\nport = {port}',
    "mqtt": 'kind = "mqtt"\nhost = "127.0.0.1"\nport = {port}',
    "opcua": 'kind = "opcua"\nurl = "opc.tcp://127.0.0.1:{port}"\nnamespace = "urn:line-monitor:plc"',
}


def a_station(folder: Path, protocol: str, port: int) -> str:
    """rail-03 with its twin's gate behind a PLC."""
    table = patient((STATIONS / "rail-03.toml").read_text())
    actuator = TABLES[protocol].format(port=port)
    (folder / "plc.toml").write_text(table.replace('[actuator]\nkind = "twin"', f"[actuator]\n{actuator}"))
    return str(folder / "plc.toml")


def test_a_run_of_so_many_frames_ends_behind_a_plc(tmp_path: Path) -> None:
    with Line(a_station(tmp_path, "modbus", free_port()), tmp_path, "--frames", "20") as line:
        code = line.wait_end(120)

    summary = line.summary()
    assert code == 0
    assert summary["triggers"] == summary["passed"] + summary["rejected"] + summary["not_inspected"] == 20
    assert (summary["late"], summary["truth"]["escaped"], summary["truth"]["released_uninspected"]) == (0, 0, 0)
    assert summary["passed"] > 0
    nothing_wrong_released(line)
    verified(line)


@pytest.mark.parametrize("protocol", [pytest.param(each, id=f"rows-48-49-54-{each}") for each in PROTOCOLS])
def test_the_line_behind_a_plc_is_in_time_and_survives_the_loss_of_each(protocol: str, tmp_path: Path) -> None:
    """I2 to I6: with the belt held or not, no part leaves without a PASS that is in force."""
    port = free_port()
    with between(protocol, port), Line(a_station(tmp_path, protocol, port), tmp_path) as line:
        line.wait_ready()
        line.wait_parts(UNHURT)
        unhurt = [read_body(row) for row in rows_of(line) if row.kind is Kind.ACTUATED]
        alarms_s = {name: hurt(line, name)[0] for name in HURT}
        line.ask_to_stop()
        code = line.wait_end(20)

    summary = line.summary()
    assert code == 0
    assert [body.gate for body in unhurt if isinstance(body, ActuatedBody)].count(Gate.RELEASED) > 0
    assert [body for body in unhurt if isinstance(body, ActuatedBody) and body.late_ms > 0] == []
    assert {name: alarm_s for name, alarm_s in alarms_s.items() if alarm_s > 1.0} == {}
    assert summary["restarts"] == len(HURT)
    assert summary["triggers"] == summary["passed"] + summary["rejected"] + summary["not_inspected"]
    assert (summary["truth"]["escaped"], summary["truth"]["released_uninspected"]) == (0, 0)
    nothing_wrong_released(line)
    verified(line)
    alarmed = [row.body for row in rows_of(line) if row.kind is Kind.ALARM]
    assert [name for name in HURT if not any(name.encode() in body for body in alarmed)] == []
