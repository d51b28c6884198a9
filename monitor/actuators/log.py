"""For stations without a gate: each disposition is a line on disk, and that is all that happens."""

import time
from collections import OrderedDict
from pathlib import Path

from monitor.bus.wire import End
from monitor.jsonlog import JsonLog
from monitor.messages import Actuated, Alarm, Counter, Disposition, Gate

REMEMBERED = 10_000  # slots; one said again is seconds old


class LogFile:
    """Answers once the lines are synced; a slot said again is answered again, and not written twice."""

    ends: tuple[End, ...] = ()

    def __init__(self, path: Path) -> None:
        self._log = JsonLog(path, durable=False)  # synced once for all that came together
        self._written = OrderedDict((line["slot"], None) for line in self._log.tail() if "slot" in line)
        self._answers: list[Actuated] = []

    def send(self, disposition: Disposition) -> None:
        if disposition.slot not in self._written:
            self._log.append(
                {
                    "slot": disposition.slot,
                    "outcome": disposition.outcome,
                    "reason": disposition.reason,
                    "at": time.time_ns(),
                }
            )
            self._written[disposition.slot] = None
            if len(self._written) > REMEMBERED:
                self._written.popitem(last=False)
        self._answers.append(
            Actuated(slot=disposition.slot, outcome=disposition.outcome, gate=Gate.NONE, at_count=None, late_ms=0.0)
        )

    def heard(self) -> list[Actuated]:
        if self._answers:
            self._log.sync()
        answers, self._answers = self._answers, []
        return answers

    def counter(self) -> Counter | None:
        return None

    def alarms(self) -> list[Alarm]:
        return []

    def resume_from(self, last_slot: int) -> None:
        """Its camera counts, and remembers."""

    def go(self) -> None:
        """The source has been told."""

    def stand(self, *, paused: bool, needs_person: bool) -> None:
        """There is no controller to be told."""

    def stop(self) -> None:
        """The source has been told."""

    def ask(self) -> None:
        """There is nobody to ask."""

    def hold(self, reason: str) -> None:
        self._log.append({"hold": reason, "at": time.time_ns()})
        self._log.sync()

    def close(self) -> None:
        self._log.close()
