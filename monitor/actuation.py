"""Process: Dispositions in, the gate at its moment; Actuated and the source's Counter out."""

import time

import structlog

from config.loader import state_folder
from config.station import Station
from monitor.actuators import open_actuator
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Ears, Puller, Pusher
from monitor.lifeline import Go, Lifeline, Stop
from monitor.messages import Alarm, AlarmNoted, Disposition, Hold, Resume
from monitor.onlookers import Onlookers

TICK_MS = 20
ASK_S = 0.1
SAY_S = 0.3  # alarms are said again until decision has noted them

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
        alarms: dict[str, Alarm] = {}
        said_s = 0.0
        while not lifeline.cut:
            _, orders = ears.wait(TICK_MS)
            for order in orders:
                match order:
                    case Go():
                        actuator.go()
                        onlookers.tell(order)
                    case Stop():
                        actuator.stop()
                        onlookers.tell(order)
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
                    case Resume():
                        actuator.resume_from(message.last_slot)
                    case AlarmNoted():
                        alarms.pop(message.key, None)
                    case _:
                        log.error("message.unexpected", kind=type(message).__name__)
            raised = actuator.alarms()
            alarms |= {alarm.key: alarm for alarm in raised}
            if alarms and time.monotonic() - said_s >= SAY_S:
                said_s = time.monotonic()
                for alarm in alarms.values():
                    decision.send(alarm)
            onlookers.tell(*raised)
            for actuated in actuator.heard():
                decision.send(actuated)
                onlookers.tell(actuated)
            if counter := actuator.counter():
                decision.send(counter)
                onlookers.tell(counter)
            if time.monotonic() - asked_s >= ASK_S:
                asked_s = time.monotonic()
                actuator.ask()
            if lifeline.draining:
                break
    actuator.close()
    onlookers.close()
