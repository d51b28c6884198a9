"""A store that goes away costs the line nothing, and misses nothing when it is back."""

import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from benchmarks.line import Line
from tests.line.test_station import verified

LOCKED_S = 5.0  # 50 times what the recorder waits for a lock


def redis_server(line: Line) -> int:
    """The server itself, a child of the process that keeps it."""
    keeper = line.pids()["redis"]
    children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    return int(children[0])


def test_redis_killed_and_sql_locked_during_a_run(tmp_path: Path) -> None:
    with Line("rail-03", tmp_path) as line:
        line.wait_ready()
        line.wait_parts(3)
        os.kill(redis_server(line), signal.SIGKILL)
        with closing(sqlite3.connect(line.state / "audit.sqlite", isolation_level=None, timeout=5.0)) as locker:
            locker.execute("BEGIN EXCLUSIVE")
            time.sleep(LOCKED_S)
            locker.execute("ROLLBACK")
        line.wait_for("redis back", lambda: "redis" in line.pids())
        time.sleep(1.0)
        line.ask_to_stop()
        code = line.wait_end(20)

    summary = line.summary()
    assert code == 0
    assert (summary["late"], summary["not_inspected"]) == (0, 0)
    assert summary["journal_rows"] == summary["audit_rows"] == summary["live_rows"] == summary["triggers"]
    assert [event["about"] for event in line.events("process.lost")] == ["redis"]
    verified(line)
