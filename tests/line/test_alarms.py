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


def test_row_57_a_hold_stands_until_a_person_has_looked_and_nothing_passes_by_an_alarm(tmp_path: Path) -> None:
    """First at the line that stands, then at one that runs."""
    named = a_station(tmp_path, "hold")
    with Line(named, tmp_path, "--seconds", "40") as line:
        code = line.wait_end(60)
    with Line(named, tmp_path, "--seconds", "1") as refused:
        refused_code = refused.wait_end(30)
    standing = [row["name"] for row in listed(line) if row["stands"]]
    acked_standing = line.linectl("alarms", "ack", "--who", "kim", "--why", "bin emptied", "--json", "-")
    held_before = len(held(line))

    with Line(a_station(tmp_path, "reject"), tmp_path) as again:
        again.wait_ready()
        again.wait_for("a reject", lambda: again.events("rejects.in_a_row"))
        again.wait_for("held parts", lambda: len(held(again)) >= held_before + 3)
        stands_running = [row["name"] for row in listed(again) if row["stands"]]
        unknown = again.linectl("alarms", "ack", "no such alarm", "--who", "kim")
        acked_running = again.linectl("alarms", "ack", "--who", "kim", "--json", "-")
        again.ask_to_stop()
        again_code = again.wait_end(20)

    assert (code, refused_code, again_code) == (1, 1, 0)
    assert {"rejects.in_a_row", "line.held"} <= set(standing)
    assert len(json.loads(acked_standing.stdout)["rows"]) == len(standing)
    assert stands_running == ["rejects.in_a_row"]
    assert unknown.returncode == 1
    assert [row["key"] for row in json.loads(acked_running.stdout)["rows"]] == ["rejects.in_a_row/gate"]
    assert again.summary()["triggers"] > 0
    held_slots = {row.slot for row in held(again)}
    released = {row.slot for row in rows_of(again) if row.kind is Kind.ACTUATED and b"released" in row.body}
    assert held_slots & released == set()
    assert {row["acknowledged_by"] for row in listed(again) if row["level"] == "hold"} >= {"kim"}
    people = [json.loads(row.body) for row in rows_of(again) if row.kind is Kind.PERSON]
    acked = [body for body in people if body["what"] == "alarm.acknowledge"]  # a change of limits is a row too
    assert [(body["who"], body["new"]) for body in acked] == [("kim", "all"), ("kim", "no such alarm"), ("kim", "all")]
    verified(again)


def held(line: Line) -> list[Any]:
    return [row for row in rows_of(line) if row.kind is Kind.VERDICT and row.reason is Reason.HELD]
