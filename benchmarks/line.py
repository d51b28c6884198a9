"""A line in processes of its own, as an operator starts it: to be watched, hurt and counted."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from config.loader import load_station
from monitor.rows import VerdictBody, read_body
from storage.reader import JournalReader, parse_line

PACKAGE = Path(__file__).resolve().parent.parent
RUN_LINE = PACKAGE / "run_line.py"
START_S = 120.0
TICK_S = 0.02


class LineError(Exception):
    """The line did not do what was waited for; its last words are in the text."""


class Line:
    """`python run_line.py --station …` with a state folder of its own."""

    def __init__(self, station: str, state: Path, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self.station, self.state_root = station, state
        self.name = load_station(station).name
        self.state = state / self.name
        state.mkdir(parents=True, exist_ok=True)
        self._log_path = state / f"run-{time.monotonic_ns()}.log"
        self._arguments = arguments
        self._env = os.environ | {"LINE_STATE": str(state)} | dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log_path.open("wb") as log:
            command = [sys.executable, str(RUN_LINE), "--station", self.station, "--summary", str(self.summary_path)]
            self._process = subprocess.Popen(
                [*command, *self._arguments], stdout=log, stderr=log, env=self._env, start_new_session=True
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise LineError("the line was not started: use `with`")
        return self._process

    @property
    def summary_path(self) -> Path:
        return self._log_path.with_suffix(".json")

    def summary(self) -> dict[str, Any]:
        """What `--summary` wrote."""
        summary: dict[str, Any] = json.loads(self.summary_path.read_text())
        return summary

    def log(self) -> str:
        """Everything the line said so far."""
        return self._log_path.read_text(errors="replace")

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log events of this name so far."""
        mark = f'"event": "{name}"'
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{") and mark in line]

    def wait_for(self, what: str, happened: Callable[[], object], timeout_s: float = 20.0) -> None:
        """Waits until `happened()` is true; LineError with the log when it is not, or the line ends before."""
        until_s = time.monotonic() + timeout_s
        while not happened():
            if time.monotonic() > until_s or (self.process.poll() is not None and not happened()):
                raise LineError(f"{what}: not within {timeout_s:g} s; exit {self.process.poll()}\n{self.log()[-4000:]}")
            time.sleep(TICK_S)

    def wait_ready(self) -> None:
        self.wait_for("line.ready", lambda: self.events("line.ready"), START_S)

    def wait_parts(self, parts: int, timeout_s: float = 30.0) -> None:
        """Until so many parts have met the gate, of all runs in this state folder."""
        path = self.state / "twin.jsonl"
        self.wait_for(f"{parts} parts", lambda: path.exists() and path.read_bytes().count(b"\n") >= parts, timeout_s)

    def pids(self) -> dict[str, int]:
        """Living processes of the line by their names in ps, `line:rail-03:` left out."""
        found = {}
        for each in Path("/proc").iterdir():
            try:
                if not each.name.isdigit() or _parent(each) != self.process.pid:
                    continue
                title = (each / "cmdline").read_bytes().split(b"\0")[0].decode()
            except (OSError, IndexError):
                continue  # it ended while we looked
            if title.startswith("line:"):
                found[title.split(":")[2]] = int(each.name)
        return found

    def kill(self, name: str, signum: int = signal.SIGKILL) -> float:
        """Hurts one process; the wall time of it."""
        os.kill(self.pids()[name], signum)
        return time.time()

    def ask_to_stop(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def wait_end(self, timeout_s: float = 30.0) -> int:
        """The exit code."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise LineError(f"the line did not end within {timeout_s:g} s\n{self.log()[-4000:]}") from None

    def linectl(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One of linectl's commands on this station and its state."""
        command = [sys.executable, str(RUN_LINE), arguments[0], "--station", self.station, *arguments[1:]]
        return subprocess.run(command, env=self._env, capture_output=True, text=True, timeout=120, check=False)


class Verdicts:
    """A line's verdicts as they are written; each look reads only what is new."""

    def __init__(self, line: Line) -> None:
        self._reader, self._after = JournalReader(line.state), 0
        self.inspected: list[tuple[float, float]] = []  # (captured, decided) of frames that a net has judged, wall s
        self.decided_s: list[float] = []  # of all

    def look(self) -> int:
        """How many there are by now."""
        for line in self._reader.all_lines(self._after):
            self._after = line.seq
            body = read_body(parse_line(line))
            if isinstance(body, VerdictBody):
                self.decided_s.append(body.decided_at / 1e9)
                if body.severity is not None:
                    self.inspected.append((body.captured_at / 1e9, body.decided_at / 1e9))
        return len(self.decided_s)

    def close(self) -> None:
        self._reader.close()


def _parent(process: Path) -> int:
    stat = (process / "stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])
