"""The kinds of actuator: each takes dispositions by slot and says, in its own time, what became of them."""

from pathlib import Path
from typing import Protocol, assert_never

from config.actuators import LogActuator, ModbusActuator, MqttActuator, OpcUaActuator, TwinActuator
from config.station import Station
from monitor.bus.wire import End
from monitor.messages import Actuated, Alarm, Counter, Disposition


class Actuator(Protocol):
    """What actuation needs of a gate. Its idle state is reject; nothing here blocks."""

    ends: tuple[End, ...]  # to be watched by actuation's poller

    def send(self, disposition: Disposition) -> None:
        """Idempotent by slot: said twice, it has the effect of once."""
        ...

    def heard(self) -> list[Actuated]:
        """What the gate has done since."""
        ...

    def counter(self) -> Counter | None:
        """The source's triggers and encoder, as last heard; None while unknown, or where a camera is the source."""
        ...

    def alarms(self) -> list[Alarm]:
        """What a person should know of the gate's controller."""
        ...

    def resume_from(self, last_slot: int) -> None:
        """The highest slot that the journal knows: a source that lost its counter goes on from there."""
        ...

    def go(self) -> None:
        """Everyone is ready: what waits for the line may begin."""
        ...

    def stand(self, *, paused: bool, needs_person: bool) -> None:
        """For a controller that triggers: whether it may, and whether a person is called."""
        ...

    def stop(self) -> None:
        """No more triggers, where they come from the gate's controller."""
        ...

    def ask(self) -> None:
        """Asks for the counter; called every 100 ms."""
        ...

    def hold(self, reason: str) -> None:
        """Stops the line until a person has looked."""
        ...

    def close(self) -> None:
        """Lets go of files and sockets."""
        ...


def open_actuator(station: Station, *, state: Path) -> Actuator:
    """The actuator of this station."""
    match station.actuator:
        case LogActuator():
            from monitor.actuators import log

            return log.LogFile(state / "dispositions.jsonl")
        case TwinActuator():
            from monitor.actuators import twin

            return twin.TwinGate(station)
        case ModbusActuator():
            from monitor.actuators import modbus, plc

            return plc.PlcGate(station, station.actuator, modbus.ModbusWire(station.actuator))
        case MqttActuator():
            from monitor.actuators import mqtt, plc

            return plc.PlcGate(station, station.actuator, mqtt.MqttWire(station.actuator, station=station.name))
        case OpcUaActuator():
            from monitor.actuators import opcua, plc

            return plc.PlcGate(station, station.actuator, opcua.OpcUaWire(station.actuator))
        case _:
            assert_never(station.actuator)
