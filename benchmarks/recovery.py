"""How soon the loss of a process is alarmed, and how soon parts are inspected again."""

import random
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.line import Line, Verdicts

PROCESSES = ("plant", "capture", "inference-0", "decision", "actuation", "recorder")
FIRST_PARTS = 5
SEED = 11


def measure_recovery(station: str, names: list[str]) -> dict[str, Any]:
    """One line for each process: `alarm_s` and `inspects_again_s` after its SIGKILL at a random moment."""
    luck = random.Random(SEED)
    rows = []
    for name in names or PROCESSES:
        with tempfile.TemporaryDirectory() as folder, Line(station, Path(folder)) as line:
            line.wait_ready()
            line.wait_parts(FIRST_PARTS)
            time.sleep(luck.uniform(0.0, 1.0))
            victim = next(each for each in line.pids() if each.startswith(name))
            killed_s = line.kill(victim)
            rows.append(
                {
                    "process": victim,
                    "alarm_s": round(alarmed_after(line, victim, killed_s), 3),
                    "inspects_again_s": round(inspected_after(line, killed_s), 3),
                }
            )
            line.ask_to_stop()
            line.wait_end()
    return {"rows": rows}


def alarmed_after(line: Line, name: str, killed_s: float, timeout_s: float = 10.0) -> float:
    """Seconds from the kill to the line's own word of it."""
    line.wait_for(f"loss of {name}", lambda: _losses(line, name), timeout_s)
    return _losses(line, name)[0] - killed_s


def inspected_after(line: Line, killed_s: float, timeout_s: float = 30.0) -> float:
    """Seconds from the kill to the first verdict of a net on a frame captured after it."""
    verdicts = Verdicts(line)
    found: list[float] = []

    def inspected() -> bool:
        verdicts.look()
        found[:] = [decided_s for captured_s, decided_s in verdicts.inspected if captured_s > killed_s]
        return bool(found)

    line.wait_for("an inspection after the kill", inspected, timeout_s)
    verdicts.close()
    return found[0] - killed_s


def _losses(line: Line, name: str) -> list[float]:
    lost = [event for event in line.events("process.lost") if event["about"] == name]
    return [datetime.fromisoformat(event["timestamp"]).timestamp() for event in lost]
