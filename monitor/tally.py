"""What decision counts for the panel: this run's triggers by outcome, latencies, the last rejects."""

import time
from collections import Counter as Bag
from collections import deque

import numpy as np

from monitor.lifeline import Status
from monitor.messages import Outcome, Reason
from monitor.rows import area_text
from monitor.rules.verdicts import Verdict

WINDOW = 1000  # verdicts whose latencies are shown
FPS_WINDOW_S = 10.0
LAST = 6


class Tally:
    """Counts of this run since this process started; the journal has them all."""

    def __init__(self) -> None:
        self.triggers = 0
        self.late = 0
        self._outcomes: Bag[Outcome] = Bag()
        self._reasons: Bag[str] = Bag()
        self._latencies_ms: deque[float] = deque(maxlen=WINDOW)
        self._at_s: deque[float] = deque(maxlen=WINDOW)
        self._last: deque[str] = deque(maxlen=LAST)

    def add(self, verdict: Verdict) -> None:
        self.triggers += 1
        self._at_s.append(time.monotonic())
        self._outcomes[verdict.outcome] += 1
        if verdict.reason is not None:
            self._reasons[verdict.reason] += 1
        elif verdict.body.latency_ms is not None:
            self._latencies_ms.append(verdict.body.latency_ms)
        if verdict.outcome is not Outcome.PASS:
            self._last.append(_line(verdict))

    def correct(self, reason: Reason) -> None:
        """A PASS that did not hold."""
        self._outcomes[Outcome.PASS] -= 1
        self._outcomes[Outcome.NOT_INSPECTED] += 1
        self._reasons[reason] += 1

    def status(self, *, open_: int, unconfirmed: int) -> Status:
        p50, p99 = np.percentile(self._latencies_ms, [50, 99]) if self._latencies_ms else (0.0, 0.0)
        since_s = time.monotonic() - FPS_WINDOW_S
        return Status(
            triggers=self.triggers,
            passed=self._outcomes[Outcome.PASS],
            rejected=self._outcomes[Outcome.REJECT],
            not_inspected=dict(self._reasons),
            late=self.late,
            open=open_,
            unconfirmed=unconfirmed,
            latency_p50_ms=float(p50),
            latency_p99_ms=float(p99),
            fps=sum(at_s > since_s for at_s in self._at_s) / FPS_WINDOW_S,
            last=tuple(self._last),
        )


def _line(verdict: Verdict) -> str:
    """A reject as the operator reads it: which part, why, how large, where."""
    if verdict.reason is not None:
        return f"{verdict.frame}  not inspected: {verdict.reason}"
    worst = max(verdict.body.regions, key=lambda region: region.area_px, default=None)
    if worst is None:
        return f"{verdict.frame}  rejected"
    grey = ", grey" if verdict.body.grey else ""
    zone = f", zone {verdict.body.zone}" if verdict.body.zone else ""
    return f"{verdict.frame}  {area_text(verdict.body)}{grey}{zone} at x {worst.x}, y {worst.y}"
