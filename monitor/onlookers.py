"""Who hears what the gate is told and does, and can hold nobody up: each has a thread and a bounded backlog."""

import queue
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import structlog

from config.station import Station
from monitor.lifeline import Go, Stop
from monitor.messages import Actuated, Alarm, Counter, Disposition, Hold
from monitor.rules.sparkplug import Told

CLOSE_S = 1.0  # for goodbyes; what is still in a backlog then is not told
News = Go | Stop | Disposition | Actuated | Hold
_T = TypeVar("_T")

log = structlog.get_logger()


class Onlooker(Protocol):
    """Hears; nothing here blocks, and nothing that fails there reaches the line."""

    def tell(self, told: Told) -> None:
        """Idempotent by slot."""
        ...

    def close(self) -> None:
        """Within `CLOSE_S`."""
        ...


class Vision(Protocol):
    """The line's own OPC UA server, which also hears when the line starts and stops."""

    def tell(self, news: News) -> None:
        """Said twice, it has the effect of once."""
        ...

    def close(self) -> None:
        """Within `CLOSE_S`."""
        ...


class Onlookers:
    """All of a station."""

    def __init__(self, station: Station, *, state: Path) -> None:
        self._all: list[Onlooker] = []
        if station.sparkplug is not None:
            from monitor.actuators import sparkplug

            self._all.append(sparkplug.SparkplugNode(station.sparkplug, state=state))
        if station.notify:
            from monitor.actuators import webhook

            self._all += [webhook.Notifier(each, station=station.name) for each in station.notify]

        self._vision: Vision | None = None
        if station.opcua_server is not None:
            from monitor.actuators import vision

            self._vision = vision.VisionServer(station, station.opcua_server)

    def tell(self, *told: Told | Go | Stop) -> None:
        for each in told:
            if self._vision is not None and not isinstance(each, Counter | Alarm):
                self._vision.tell(each)
            if not isinstance(each, Go | Stop):
                for onlooker in self._all:
                    onlooker.tell(each)

    def close(self) -> None:
        for onlooker in self._all:
            onlooker.close()
        if self._vision is not None:
            self._vision.close()


class Backlog(Generic[_T]):
    """A bounded queue; at its cap the newest is dropped, counted, and a burst of that is logged once."""

    def __init__(self, name: str, *, most: int) -> None:
        self._name, self._most = name, most
        self._waiting: queue.Queue[_T] = queue.Queue(maxsize=most)
        self._in_burst = False
        self.dropped = 0

    def put(self, item: _T) -> bool:
        """Whether there was room."""
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            self.dropped += 1
            if not self._in_burst:
                self._in_burst = True
                log.warning("backlog.full", of=self._name, most=self._most, dropped=self.dropped)
            return False
        if self._in_burst and self._waiting.qsize() <= self._most // 2:
            self._in_burst = False
            log.info("backlog.room_again", of=self._name, dropped=self.dropped)
        return True

    def get(self, timeout_s: float) -> _T | None:
        """The oldest; None where none comes in time."""
        try:
            return self._waiting.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None
