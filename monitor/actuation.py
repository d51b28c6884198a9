"""Process: Dispositions in, the gate at its moment; Actuated and the source's Counter out."""

import time

import structlog

from config.loader import state_folder
from config.station import Station
from monitor.actuators import open_actuator
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Ears, Puller, Pusher
from monitor.lifeline import Lifeline
from monitor.messages import Disposition, Hold

TICK_MS = 20
ASK_S = 0.1

log = structlog.get_logger()


def run_actuation(lifeline: Lifeline, station: Station) -> None:
    """Hands on until the rope is cut; it keeps no state that its death could lose."""
    ends = Endpoints(station)
    actuator = open_actuator(station, state=state_folder(station))
    with Puller(ends.actuation) as inlet, Pusher(ends.decision) as decision:
        ears = Ears(lifeline, inlet, *actuator.ends)
        lifeline.ready()
        asked_s = 0.0
        held = ""
        while not lifeline.cut:
            ears.wait(TICK_MS)
            for message, _ in inlet.messages():
                match message:
                    case Disposition():
                        actuator.send(message)
                    case Hold() if held != message.reason:
                        held = message.reason
                        log.error("line.held", reason=held)
                        actuator.hold(held)
                    case Hold():
                        pass  # said again
                    case _:
                        log.error("message.unexpected", kind=type(message).__name__)
            for actuated in actuator.heard():
                decision.send(actuated)
            if counter := actuator.counter():
                decision.send(counter)
            if time.monotonic() - asked_s >= ASK_S:
                asked_s = time.monotonic()
                actuator.ask()
            if lifeline.draining:
                break
    actuator.close()
