"""Alarms on their way to decision: each is said again until it is known to be a row."""

import time

from config.alarms import Level
from monitor.messages import Alarm

SAY_S = 0.3
TEXT_MOST = 1000  # characters, as the message allows
WAITING_MOST = 1000  # with nobody to note them; past it the oldest is given up


class Calls:
    """Of one process."""

    def __init__(self) -> None:
        self._waiting: dict[str, Alarm] = {}
        self._said_s = 0.0

    def call(self, name: str, about: str, text: str, *, level: Level) -> Alarm:
        """Raises an alarm."""
        at = time.time_ns()
        alarm = Alarm(
            key=f"{name}.{about[:24]}.{at}"[:64],
            name=name,
            about=about[:64],
            text=text[:TEXT_MOST],
            raised_at=at,
            level=level,
        )
        self.add(alarm)
        return alarm

    def add(self, alarm: Alarm) -> None:
        """One that somebody else has raised."""
        self._waiting[alarm.key] = alarm
        if len(self._waiting) > WAITING_MOST:
            del self._waiting[next(iter(self._waiting))]
        self._said_s = 0.0

    def noted(self, key: str) -> None:
        """It is in the journal."""
        self._waiting.pop(key, None)

    def due(self, now_s: float) -> list[Alarm]:
        """What is to be said now."""
        if not self._waiting or now_s - self._said_s < SAY_S:
            return []
        self._said_s = now_s
        return list(self._waiting.values())
