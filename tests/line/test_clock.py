"""Row 74: the wall clock jumps under a running line, and nothing that is decided or counted changes."""

import os
import struct
from contextlib import closing
from pathlib import Path

from benchmarks.line import Line
from config.loader import load_station
from monitor.rows import RunBody, VerdictBody, read_body
from storage.audit import AuditStore
from storage.questions import Question
from storage.reader import JournalReader, parse_line
from storage.report_questions import Period
from tests.line.test_station import verified

HOUR_NS = 3_600_000_000_000
JUMPS = (-1, 25, 24)  # the clock is so many hours off, one after the other: back by one, then on by a day
PARTS = 4  # on each
EVERYTHING = Period(0, 2**62)


def test_row_74_a_wall_clock_that_jumps_changes_nothing(tmp_path: Path) -> None:
    """Real processes with the real monotonic clock; tests/line/clock puts the wall clock off in each of them."""
    clock = tmp_path / "clock"
    clock.write_bytes(struct.pack("<q", 0))
    path = os.pathsep.join([str(Path(__file__).with_name("clock")), os.environ.get("PYTHONPATH", "")])
    env = {"LINE_TEST_CLOCK": str(clock), "PYTHONPATH": path}
    with Line("rail-03", tmp_path, env=env) as line:
        line.wait_ready()
        line.wait_parts(PARTS)
        for number, hours in enumerate(JUMPS, start=2):
            with clock.open("r+b") as file:
                file.write(struct.pack("<q", hours * HOUR_NS))
            line.wait_parts(number * PARTS)
        line.ask_to_stop()
        code = line.wait_end(20)

    summary = line.summary()
    assert code == 0
    assert (summary["late"], summary["not_inspected"], summary["restarts"]) == (0, 0, 0)
    assert summary["truth"]["false_rejects"] == summary["truth"]["escaped"] == 0
    verified(line)
    with JournalReader(line.state) as reader:
        bodies = [read_body(parse_line(each)) for each in reader.all_lines()]
    start = next(body.started_at for body in bodies if isinstance(body, RunBody))
    verdicts = [body for body in bodies if isinstance(body, VerdictBody)]
    off_hours = [round((body.decided_at - start) / HOUR_NS) for body in verdicts]
    assert set(off_hours) >= {0, *JUMPS}  # the clock was another, in the process that decides
    assert [body.trigger_count for body in verdicts] == sorted(body.trigger_count for body in verdicts)
    assert max(body.latency_ms or 0.0 for body in verdicts) < 60_000
    shifts = load_station("rail-03").shifts
    with closing(AuditStore(f"sqlite:///{line.state / 'audit.sqlite'}", "rail-03", writes=False)) as audit:
        found = {each.slot: each for each in audit.history(Question())}
        counted = {each.starts_at for each in audit.reports.quality(EVERYTHING)}
    assert set(found) == {body.trigger_count for body in verdicts}
    assert counted == {shifts.around(each.captured_at)[0] for each in found.values()}
