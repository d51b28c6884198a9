"""The gate of the digital twin: a slot table in the plant, asked and written over one socket."""

import os
import time

from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Dealer, End
from monitor.messages import Actuated, Alarm, Ask, Command, Counter, Disposition, Gated, Reason

_CODES = {reason: code for code, reason in enumerate(Reason, start=1)}  # 0: the net judged it


class TwinGate:
    """Commands are idempotent lines of the plant's table; the plant says what the gate did when the part was there."""

    def __init__(self, station: Station) -> None:
        self._plant = Dealer(
            Endpoints(station).plant, identity=f"actuation.{os.getpid()}.{time.monotonic_ns()}", hwm=4096
        )
        self.ends: tuple[End, ...] = (self._plant,)
        self._counter: Counter | None = None
        self._answers: list[Actuated] = []

    def send(self, disposition: Disposition) -> None:
        code = _CODES[disposition.reason] if disposition.reason else 0
        self._plant.send(Command(slot=disposition.slot, outcome=disposition.outcome, reason_code=code))

    def heard(self) -> list[Actuated]:
        for message, _ in self._plant.messages():
            match message:
                case Gated():
                    self._answers.append(
                        Actuated(
                            slot=message.slot,
                            outcome=message.outcome,
                            gate=message.gate,
                            at_count=message.at_count,
                            late_ms=message.late_ms,
                            seen=message.seen,
                        )
                    )
                case Counter():
                    self._counter = message
                case _:
                    pass  # the plant says nothing else
        answers, self._answers = self._answers, []
        return answers

    def counter(self) -> Counter | None:
        counter, self._counter = self._counter, None
        return counter

    def alarms(self) -> list[Alarm]:
        return []

    def resume_from(self, last_slot: int) -> None:
        """The plant's own log remembers."""

    def go(self) -> None:
        """The source has been told."""

    def stand(self, *, paused: bool, needs_person: bool) -> None:
        """The twin has no lamp to call a person, and its cameras are told the slot with each frame."""

    def stop(self) -> None:
        """The source has been told."""

    def ask(self) -> None:
        self._plant.send(Ask())

    def hold(self, reason: str) -> None:
        del reason  # a PLC would show it; the twin has no display
        self._plant.send(Ask(hold=True))

    def close(self) -> None:
        self._plant.close()
