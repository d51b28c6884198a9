"""A latched alarm outlives the run that raised it, and ends with a person's name in the journal."""

import json
from pathlib import Path
from typing import Any

from benchmarks.line import Line
from config.loader import STATIONS
from monitor.messages import Reason
from monitor.rows import Kind
from tests.line.test_kill import rows_of
from tests.line.test_station import verified


def a_station(folder: Path, level: str) -> str:
    """rail-03, which calls a person at its first reject."""
    table = (STATIONS / "rail-03.toml").read_text()
    rule = 'rejects_in_a_row = { level = "hold", parts = 20 }'
    assert rule in table
    (folder / "mine.toml").write_text(table.replace(rule, f'rejects_in_a_row = {{ level = "{level}", parts = 1 }}'))
    return str(folder / "mine.toml")


def listed(line: Line) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(line.linectl("alarms", "--json", "-").stdout)["rows"]
    return rows


def test_row_57_a_hold_stands_until_a_person_has_looked(tmp_path: Path) -> None:
    named = a_station(tmp_path, "hold")
    with Line(named, tmp_path, "--seconds", "40") as line:
        code = line.wait_end(60)
    with Line(named, tmp_path, "--seconds", "1") as refused:
        refused_code = refused.wait_end(30)
    standing = [row["name"] for row in listed(line) if row["stands"]]

    acked = line.linectl("alarms", "ack", "--who", "kim", "--why", "bin emptied", "--json", "-")
    with Line(named, tmp_path, "--frames", "1") as again:
        again.wait_end(60)

    assert (code, refused_code) == (1, 1)
    assert {"rejects.in_a_row", "line.held"} <= set(standing)
    assert len(json.loads(acked.stdout)["rows"]) == len(standing)
    assert again.summary()["triggers"] == 1
    assert {row["acknowledged_by"] for row in listed(line) if row["level"] == "hold"} >= {"kim"}
    assert [b"kim" in row.body for row in rows_of(again) if row.kind is Kind.PERSON] == [True]
    verified(again)


def test_nothing_passes_until_an_alarm_is_acknowledged_at_the_running_line(tmp_path: Path) -> None:
    with Line(a_station(tmp_path, "reject"), tmp_path) as line:
        line.wait_ready()
        line.wait_for("a reject", lambda: [row for row in listed(line) if row["stands"]])
        line.wait_for("held parts", lambda: len(held(line)) >= 3)
        before = line.linectl("alarms", "ack", "no such alarm", "--who", "kim")
        acked = line.linectl("alarms", "ack", "--who", "kim", "--json", "-")
        line.ask_to_stop()
        code = line.wait_end(20)

    assert code == 0
    assert before.returncode == 1
    assert [row["key"] for row in json.loads(acked.stdout)["rows"]] == ["rejects.in_a_row/gate"]
    held_slots = {row.slot for row in held(line)}
    assert not held_slots & {row.slot for row in rows_of(line) if row.kind is Kind.ACTUATED and b"released" in row.body}
    verified(line)


def held(line: Line) -> list[Any]:
    return [row for row in rows_of(line) if row.kind is Kind.VERDICT and row.reason is Reason.HELD]
