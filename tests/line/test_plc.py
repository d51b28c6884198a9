"""The line with a PLC behind a real protocol: whoever dies, nothing leaves without a PASS in force, and all is said."""

from pathlib import Path

import pytest

from benchmarks.gate import ACTUATORS, between, free_port
from benchmarks.line import Line
from benchmarks.recovery import alarmed_after, inspected_after
from config.loader import STATIONS
from monitor.rows import Kind
from tests.line.test_kill import nothing_wrong_released, rows_of
from tests.line.test_station import verified

PROTOCOLS = sorted(ACTUATORS)
TABLES = {
    "modbus": 'kind = "modbus"\nhost = "127.0.0.1"\nport = {port}',
    "mqtt": 'kind = "mqtt"\nhost = "127.0.0.1"\nport = {port}',
    "opcua": 'kind = "opcua"\nurl = "opc.tcp://127.0.0.1:{port}"\nnamespace = "urn:line-monitor:plc"',
}


def a_station(folder: Path, protocol: str, port: int) -> str:
    """rail-03 with its twin's gate behind a PLC."""
    table = (STATIONS / "rail-03.toml").read_text()
    actuator = TABLES[protocol].format(port=port)
    (folder / "plc.toml").write_text(table.replace('[actuator]\nkind = "twin"', f"[actuator]\n{actuator}"))
    return str(folder / "plc.toml")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_count_adds_up_behind_a_plc(protocol: str, tmp_path: Path) -> None:
    port = free_port()
    with between(protocol, port), Line(a_station(tmp_path, protocol, port), tmp_path, "--frames", "20") as line:
        code = line.wait_end(120)

    summary = line.summary()
    assert code == 0
    assert summary["triggers"] == summary["passed"] + summary["rejected"] + summary["not_inspected"] == 20
    assert (summary["late"], summary["truth"]["escaped"], summary["truth"]["released_uninspected"]) == (0, 0, 0)
    assert summary["passed"] > 0
    nothing_wrong_released(line)
    verified(line)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("decision", id="row-48-decision"),
        pytest.param("actuation", id="row-49-actuation"),
        pytest.param("plant", id="row-54-plc"),
    ],
)
def test_the_line_behind_a_plc_survives_the_loss_of(name: str, tmp_path: Path) -> None:
    """I2, I4, I5, I6: with the belt held or not, no part leaves without a PASS that is in force."""
    with Line(a_station(tmp_path, "modbus", free_port()), tmp_path) as line:
        line.wait_ready()
        line.wait_parts(3)
        killed_s = line.kill(name)
        alarm_s = alarmed_after(line, name, killed_s)
        inspected_after(line, killed_s)
        line.wait_for(f"{name} back", lambda: name in line.pids())
        line.ask_to_stop()
        code = line.wait_end(20)

    assert code == 0
    assert alarm_s <= 1.0
    nothing_wrong_released(line)
    verified(line)
    assert any(row.kind is Kind.ALARM and name.encode() in row.body for row in rows_of(line))
