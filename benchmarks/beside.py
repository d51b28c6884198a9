"""Whether a line is later while reports of a large store are made on the same host: runs alone and beside, in turn."""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from benchmarks.line import PACKAGE, Line

STATION = "rail-03"
REPORTS = ("spc", "map", "quality", "pareto", "latency", "shift")


class Reporter(threading.Thread):
    """Makes one report after the other, as people do by `linectl report`, until it is stopped."""

    def __init__(self, url: str, home: Path) -> None:
        super().__init__(name="reports", daemon=True)
        self._env = os.environ | {"LINE_AUDIT_URL": url, "LINE_STATE": str(home)}
        self._out = home / "report.json"
        self._stopping = threading.Event()
        self.made = 0
        self.failure = ""

    def run(self) -> None:
        while not self._stopping.is_set() and not self.failure:
            name = REPORTS[self.made % len(REPORTS)]
            command = [sys.executable, str(PACKAGE / "run_line.py"), "report", name, "--station", STATION]
            command += ["--since", "2025-12-31", "--until", "2027-01-01", "--json", str(self._out)]
            ended = subprocess.run(command, env=self._env, capture_output=True, text=True, check=False)
            if ended.returncode:
                self.failure = ended.stderr[-500:]
            self.made += 1

    def stop(self) -> None:
        self._stopping.set()
        self.join()


def measure_beside(url: str, *, seconds: int, rounds: int) -> dict[str, Any]:
    """`alone` and `beside`: late dispositions, and latencies of capture to verdict, ms; medians over the rounds.

    RuntimeError where a report could not be made.
    """
    runs: dict[str, list[dict[str, Any]]] = {"alone": [], "beside": []}
    made = 0
    with tempfile.TemporaryDirectory(prefix="beside-") as home:
        for turn in range(rounds):
            for kind in ("alone", "beside") if turn % 2 == 0 else ("beside", "alone"):
                state = Path(home) / f"{kind}-{turn}"
                with Line(STATION, state, "--seconds", str(seconds), env={"LINE_AUDIT_URL": ""}) as line:
                    line.wait_ready()
                    reporter = Reporter(url, Path(home)) if kind == "beside" else None
                    if reporter:
                        reporter.start()
                    line.wait_end(seconds + 60)
                    if reporter:
                        reporter.stop()
                        made += reporter.made
                        if reporter.failure:
                            raise RuntimeError(f"a report of {url} failed: {reporter.failure}")
                runs[kind].append(line.summary())
    return {
        "station": STATION,
        "reports_made": made,
        "seconds": seconds,
        "rounds": rounds,
        **{kind: _summed(summaries) for kind, summaries in runs.items()},
    }


def _summed(summaries: list[dict[str, Any]]) -> dict[str, Any]:
    times = [summary["latency_ms"]["capture_to_verdict"] for summary in summaries]
    return {
        "triggers": sum(summary["triggers"] for summary in summaries),
        "late": sum(summary["late"] for summary in summaries),
        "not_inspected": sum(summary["not_inspected"] for summary in summaries),
        **{f"{of}_ms": round(statistics.median(each[of] for each in times), 1) for of in ("p50", "p99", "max")},
    }
