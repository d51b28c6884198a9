"""Numbers the triggers where a camera is their source; the log beside it remembers, whatever becomes of the process.

The log (`source-<camera>.jsonl`) has a line per trigger. A number is used only once its line is on disk: lines that
come together are synced together, since at 50 frames/s a sync each would take a disk's whole attention.
"""

import time
from pathlib import Path

from monitor.jsonlog import JsonLog
from monitor.messages import Counter


class TriggerCount:
    """One writer: the capture of this camera."""

    def __init__(self, camera: str, *, run: str, log_path: Path) -> None:
        self._camera, self._run = camera, run
        self._log = JsonLog(log_path, durable=False)
        last = (self._log.tail() or [{"slot": 0, "run": "", "nth": 0}])[-1]
        self.slot = int(last["slot"])
        self.resumed = last["run"] == run  # an earlier process of this run has counted already
        self.drawn = int(last["nth"]) if self.resumed else 0  # in this run

    def next(self, **facts: str) -> int:
        """The next trigger's number; not to be used before `sync`."""
        self.slot += 1
        self.drawn += 1
        line = {"slot": self.slot, "trigger_count": self.slot, **facts, "run": self._run, "nth": self.drawn}
        self._log.append(line)
        return self.slot

    def sync(self) -> None:
        """Every number given so far is on disk when this returns."""
        self._log.sync()

    def counter(self, *, ended: bool) -> Counter:
        return Counter(
            cameras=(self._camera,),
            trigger_count=self.slot,
            encoder_count=None,
            counts_per_s=0.0,
            at_ns=time.monotonic_ns(),
            ended=ended,
        )

    def close(self) -> None:
        self._log.close()
