"""A store that goes away or hangs costs the line nothing, calls a person once, and misses nothing when it is back."""

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from benchmarks.line import Line
from config.loader import STATIONS
from monitor.rows import AlarmBody
from storage.reader import JournalReader
from tests.line.test_station import verified

LOCKED_S = 2.5  # 25 times what the recorder waits for a lock
SOON_S = 1.0  # a store is said to be away after so long


def redis_server(line: Line) -> int:
    """The server itself, a child of the process that keeps it."""
    keeper = line.pids()["redis"]
    children = Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    return int(children[0])


def told(line: Line) -> list[tuple[str, str]]:
    """The rows that say of a store that it is away or back."""
    with JournalReader(line.state) as reader:
        found = [body for _, body in reader.alarms_and_people() if isinstance(body, AlarmBody)]
    return [(body.name, body.about) for body in found if body.name.startswith("store.")]


def lags(line: Line) -> dict[str, int | None]:
    """Rows behind, as the recorder states it for whoever looks from outside."""
    return {each["store"]: each["rows"] for each in json.loads((line.state / "stores.json").read_text())["rows"]}


def impatient(tmp_path: Path) -> str:
    table = (STATIONS / "rail-03.toml").read_text()
    rule = f'store_lag = {{ level = "warn", after_s = {SOON_S} }}'
    assert table.count("[alarms]") == 1
    (tmp_path / "mine.toml").write_text(table.replace("[alarms]", f"[alarms]\n{rule}"))
    return str(tmp_path / "mine.toml")


def test_row_59_row_62_redis_hung_and_killed_and_sql_locked_during_a_run(tmp_path: Path) -> None:
    with Line(impatient(tmp_path), tmp_path) as line:
        line.wait_ready()
        line.wait_parts(3)
        hung = redis_server(line)
        os.kill(hung, signal.SIGSTOP)
        line.wait_for("store.lag of Redis", lambda: ("store.lag", "live") in told(line))
        behind = lags(line)
        os.kill(hung, signal.SIGCONT)
        line.wait_for("store.back of Redis", lambda: ("store.back", "live") in told(line))
        os.kill(redis_server(line), signal.SIGKILL)
        with closing(sqlite3.connect(line.state / "audit.sqlite", isolation_level=None, timeout=5.0)) as locker:
            locker.execute("BEGIN EXCLUSIVE")
            time.sleep(LOCKED_S)
            locker.execute("ROLLBACK")
        line.wait_for("store.back of SQL", lambda: ("store.back", "audit") in told(line))
        line.wait_for("redis back", lambda: "redis" in line.pids())
        time.sleep(1.0)
        line.ask_to_stop()
        code = line.wait_end(20)

    summary = line.summary()
    assert code == 0
    assert (summary["late"], summary["not_inspected"]) == (0, 0)
    assert summary["journal_rows"] == summary["audit_rows"] == summary["live_rows"] == summary["triggers"]
    assert [event["about"] for event in line.events("process.lost")] == ["redis"]
    assert (behind["live"] or 0) > 0
    assert [each for each in told(line) if each[1] == "audit"] == [("store.lag", "audit"), ("store.back", "audit")]
    assert ("store.lag", "images") not in told(line)
    verified(line)
    made = line.linectl("rebuild", "--store", "redis", "--json", "-")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["journal_rows"] >= summary["triggers"]
