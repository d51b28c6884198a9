"""Process: Dispositions in, the gate at its moment; Actuated and the source's Counter out."""

import time

import structlog

from config.loader import state_folder
from config.station import Station
from config.timing import triggers_by_plc
from monitor.actuators import open_actuator
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Ears, Puller, Pusher
from monitor.calls import Calls
from monitor.lifeline import Finished, Go, Lifeline, Stop
from monitor.messages import AlarmNoted, Counter, Disposition, Hold, Resume, Standing
from monitor.onlookers import Onlookers

TICK_MS = 20
ASK_S = 0.1
STILL_S = 0.5  # after the PLC was told to trigger no more: what it had triggered by then has been announced

log = structlog.get_logger()


def run_actuation(lifeline: Lifeline, station: Station) -> None:
    """Hands on until the rope is cut; it keeps no state that its death could lose."""
    ends = Endpoints(station)
    actuator = open_actuator(station, state=state_folder(station))
    onlookers = Onlookers(station, state=state_folder(station))
    with Puller(ends.actuation) as inlet, Pusher(ends.decision) as decision:
        ears = Ears(lifeline, inlet, *actuator.ends)
        lifeline.ready()
        asked_s = 0.0
        held = ""
        calls = Calls()
        quota = Quota(cameras=len(station.cameras)) if triggers_by_plc(station) else None
        while not lifeline.cut:
            _, orders = ears.wait(TICK_MS)
            for order in orders:
                match order:
                    case Go():
                        actuator.go()
                        onlookers.tell(order)
                        if quota:
                            quota.go(order.frames)
                    case Stop():
                        actuator.stop()
                        onlookers.tell(order)
                        if quota:
                            quota.stop(time.monotonic())
            for message, _ in inlet.messages():
                match message:
                    case Disposition():
                        actuator.send(message)
                        onlookers.tell(message)
                    case Hold() if held != message.reason:
                        held = message.reason
                        log.error("line.held", reason=held)
                        actuator.hold(held)
                        onlookers.tell(message)
                    case Hold():
                        pass  # said again
                    case Standing():
                        actuator.stand(paused=message.paused, needs_person=message.needs_person)
                    case Resume():
                        actuator.resume_from(message.last_slot)
                    case AlarmNoted():
                        calls.noted(message.key)
                    case _:
                        log.error("message.unexpected", kind=type(message).__name__)
            raised = actuator.alarms()
            for alarm in raised:
                calls.add(alarm)
            for alarm in calls.due(time.monotonic()):
                decision.send(alarm)
            onlookers.tell(*raised)
            for actuated in actuator.heard():
                decision.send(actuated)
                onlookers.tell(actuated)
                if quota:
                    quota.met(actuated.slot)
            while counter := actuator.counter():
                decision.send(counter)
                onlookers.tell(counter)
                if quota and quota.is_full(counter):
                    actuator.stop()
                    quota.stop(time.monotonic())
            if quota and quota.ends(time.monotonic()):
                lifeline.say(Finished())
            if time.monotonic() - asked_s >= ASK_S:
                asked_s = time.monotonic()
                actuator.ask()
            if lifeline.draining:
                break
    actuator.close()
    onlookers.close()


class Quota:
    """How many parts a PLC of its own may trigger in this run; a few more come before it hears that it is enough."""

    def __init__(self, *, cameras: int) -> None:
        self._cameras = cameras
        self._most: int | None = None
        self._first: int | None = None
        self._last = self._counted = self._acted = 0  # slots
        self._going = self._ended = False
        self._still_s = float("inf")

    def go(self, frames: int | None) -> None:
        """`frames` of all cameras together; None: until it is told to stop."""
        self._most = None if frames is None else -(-frames // self._cameras)
        self._going = True

    def stop(self, now_s: float) -> None:
        self._still_s = min(self._still_s, now_s + STILL_S)

    def is_full(self, counter: Counter) -> bool:
        """Whether this is the count at which no more are wanted."""
        self._counted = counter.trigger_count
        if not self._going:
            return False
        self._first = self._counted if self._first is None else self._first
        return self._most is not None and self._counted - self._first >= self._most

    def met(self, slot: int) -> None:
        """This part has met the gate."""
        self._acted = max(self._acted, slot)

    def ends(self, now_s: float) -> bool:
        """Once: nothing is triggered any more, and what was has met the gate."""
        if now_s < self._still_s:
            self._last = self._counted
        ended, self._ended = self._ended, self._ended or (now_s >= self._still_s and self._acted >= self._last)
        return self._ended and not ended
