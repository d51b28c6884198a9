"""Two cameras over one belt: each is counted on its own, and a part passes only when both have passed it."""

import time
from collections import defaultdict
from pathlib import Path

import pytest

from benchmarks.line import Line
from config.loader import STATIONS, load_station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Subscriber
from monitor.jsonlog import read_lines
from monitor.messages import Frame, Gate, Outcome
from monitor.rows import Kind
from tests.line.test_kill import rows_of
from tests.line.test_station import verified

TRIGGERS = 24

WEB = """
[[cameras]]
kind = "twin"
name = "web"
width = [160, 160]
height = [1000, 1000]
calibration = { mm_per_px_across = 0.45, mm_per_line = 0.5 }

[belt]"""


def test_a_part_passes_when_both_cameras_have_passed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = (STATIONS / "rail-03.toml").read_text().replace("speed_mm_s = 2500.0", "speed_mm_s = 1250.0")
    station = tmp_path / "two.toml"
    station.write_text(table.replace("\n[belt]", WEB, 1))
    monkeypatch.setenv("LINE_STATE", str(tmp_path))

    seen: list[Frame] = []
    with (
        Line(str(station), tmp_path, "--frames", str(TRIGGERS)) as line,
        Subscriber(Endpoints(load_station(str(station))).frames("web")) as viewer,
    ):
        while line.process.poll() is None:
            seen += _frames(viewer)
            time.sleep(0.02)
        code = line.wait_end(1)

    verdicts: dict[int, dict[str, Outcome]] = defaultdict(dict)
    for row in rows_of(line):
        if row.kind is Kind.VERDICT and row.slot and row.frame and row.outcome:
            verdicts[row.slot][row.frame.split("/")[1]] = row.outcome
    passed = {slot for slot, by in verdicts.items() if set(by.values()) == {Outcome.PASS}}
    released = {part["slot"] for part in read_lines(line.state / "twin.jsonl") if part["gate"] == Gate.RELEASED}
    assert code == 0
    assert line.summary()["triggers"] == TRIGGERS
    assert [sorted(by) for by in verdicts.values()] == [["head", "web"]] * (TRIGGERS // 2)
    assert released == passed
    assert seen
    verified(line)


def _frames(viewer: Subscriber) -> list[Frame]:
    return [message for message, _ in viewer.messages() if isinstance(message, Frame)]
