"""SIGKILL of any process at a random moment: it is said within 1 s, the line goes on, and the count still adds up."""

import json
import random
import signal
import time
from pathlib import Path

import pytest

from benchmarks.line import Line
from benchmarks.recovery import alarmed_after, inspected_after
from config.loader import STATIONS
from monitor.jsonlog import read_lines
from monitor.messages import Gate, Outcome
from monitor.rows import Kind, Row
from storage.reader import JournalReader, parse_line
from tests.line.test_station import verified


def verdicts_in_force(state: Path) -> dict[int, Outcome]:
    """Slot → outcome, corrections applied."""
    with JournalReader(state) as reader:
        rows = [row for row in map(parse_line, reader.all_lines()) if row.kind in (Kind.VERDICT, Kind.CORRECTION)]
    return {row.slot: row.outcome for row in rows if row.slot is not None and row.outcome is not None}


def nothing_wrong_released(line: Line) -> None:
    """By the twin's own log: no defective part, and none without a PASS in force, went through the gate."""
    verdicts = verdicts_in_force(line.state)
    parts = read_lines(line.state / "twin.jsonl")
    released = [part for part in parts if part["gate"] == Gate.RELEASED]
    assert [part["slot"] for part in parts] == list(range(1, len(parts) + 1))
    assert [part for part in released if part["class"] == "defective"] == []
    assert [part for part in released if verdicts[part["slot"]] is not Outcome.PASS] == []


def patient(table: str) -> str:
    """A station file whose line is not held for what several losses, one after another, keep from the gate."""
    rule = 'rejects_in_a_row = { level = "hold", parts = 20 }'
    assert rule in table
    return table.replace(rule, rule.replace("20", "60"))


def hurt(line: Line, name: str, signum: int = signal.SIGKILL) -> tuple[float, float]:
    """At a random moment; seconds until the line has said so, and until it inspects again with all there."""
    time.sleep(random.uniform(0.0, 1.0))
    hurt_s = line.kill(name, signum)
    alarm_s = alarmed_after(line, name, hurt_s)
    again_s = inspected_after(line, hurt_s)
    line.wait_for(f"{name} back", lambda: name in line.pids())
    return alarm_s, again_s


@pytest.mark.parametrize(
    ("killed", "hung"),
    [
        pytest.param(("inference-0", "capture-head", "plant"), (), id="who-sees"),
        pytest.param(("decision", "actuation", "recorder"), ("capture-head",), id="who-decides-and-one-that-hangs"),
    ],
)
def test_the_line_survives_the_loss_of_each(killed: tuple[str, ...], hung: tuple[str, ...], tmp_path: Path) -> None:
    """One after another, in one run; a process that hangs is found by its beat."""
    (tmp_path / "mine.toml").write_text(patient((STATIONS / "rail-03.toml").read_text()))
    with Line(str(tmp_path / "mine.toml"), tmp_path) as line:
        line.wait_ready()
        line.wait_parts(2)
        kills = {name: hurt(line, name) for name in killed}
        hangs = {name: hurt(line, name, signal.SIGSTOP) for name in hung}
        line.ask_to_stop()
        code = line.wait_end(20)

    assert code == 0
    assert {name: alarm_s for name, (alarm_s, _) in kills.items() if alarm_s > 1.0} == {}
    assert {name: alarm_s for name, (alarm_s, _) in hangs.items() if alarm_s > 4.0} == {}
    assert {name: again_s for name, (_, again_s) in kills.items() if again_s > 10.0} == {}
    assert line.summary()["restarts"] == len(killed) + len(hung)
    assert line.summary()["triggers"] == line.summary()["truth"]["triggers"]
    nothing_wrong_released(line)
    verified(line)
    alarmed = [row.body for row in rows_of(line) if row.kind is Kind.ALARM]
    assert [name for name in (*killed, *hung) if not any(name.encode() in body for body in alarmed)] == []


def test_the_gate_rejects_when_the_supervisor_dies_and_the_next_start_closes_every_trigger(tmp_path: Path) -> None:
    with Line("rail-03", tmp_path) as line:
        line.wait_ready()
        line.wait_parts(3)
        children = list(line.pids().values())
        line.process.kill()
        line.process.wait()
        time.sleep(1.0)
        left = [pid for pid in children if lives(pid)]
    met = len(read_lines(line.state / "twin.jsonl"))

    with Line("rail-03", tmp_path, "--frames", "5") as again:
        code = again.wait_end(60)

    assert left == []
    assert code == 0
    parts = read_lines(again.state / "twin.jsonl")
    on_the_belt = [part for part in parts[met:] if part["command"] is None]
    assert on_the_belt
    assert all(part["gate"] == Gate.REJECTED for part in on_the_belt)
    assert set(verdicts_in_force(again.state)) == {part["slot"] for part in parts}
    assert again.summary()["triggers"] == 5
    nothing_wrong_released(again)
    verified(again)


def test_a_process_lost_too_often_holds_the_line_until_a_person_looks(tmp_path: Path) -> None:
    table = (STATIONS / "rail-03.toml").read_text().replace("most = 5", "most = 1")
    (tmp_path / "mine.toml").write_text(table)
    with Line(str(tmp_path / "mine.toml"), tmp_path, "--seconds", "60") as line:
        line.wait_ready()
        first = line.pids()["capture-head"]
        line.kill("capture-head")
        line.wait_for("restart", lambda: line.pids().get("capture-head", first) != first)
        line.kill("capture-head")
        code = line.wait_end(40)

    assert code == 1
    assert any("line.held" in json.dumps(event) for event in line.events("line.held"))
    assert any(row.kind is Kind.ALARM and b"line.held" in row.body for row in rows_of(line))


def rows_of(line: Line) -> list[Row]:
    with JournalReader(line.state) as reader:
        return [parse_line(line) for line in reader.all_lines()]


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
