"""The kinds of actuator that turn a disposition into a movement, or a line on disk."""

from typing import Annotated, Literal

from pydantic import Field

from config.base import Table
from config.brokers import Broker


class LogActuator(Table):
    """Writes each disposition to a file, fsynced: for stations without a gate."""

    kind: Literal["log"]


class TwinActuator(Table):
    """The gate of the digital twin: its slot table, which rejects by default."""

    kind: Literal["twin"]


class PlcBase(Table):
    """What holds of every PLC: how often the line looks, and how long it may be silent."""

    cycle_ms: float = Field(default=20.0, ge=1, le=1000)  # from one look at the PLC to the next
    timeout_ms: float = Field(default=500.0, ge=10, le=10_000)  # of one answer
    silent_ms: float = Field(default=1000.0, ge=50, le=60_000)  # without a new heartbeat the PLC counts as lost
    repeat_ms: float = Field(default=200.0, ge=10, le=10_000)  # a batch without an ack is written again


class ModbusActuator(PlcBase):
    """A PLC that serves Modbus TCP, with the registers of docs/plc.md."""

    kind: Literal["modbus"]
    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=502, ge=1, le=65_535)
    device_id: int = Field(default=1, ge=0, le=255)
    base: int = Field(default=0, ge=0, le=60_000)  # address of the first register of the map


class MqttActuator(PlcBase, Broker):
    """A PLC that shares an MQTT broker with the line, with the topics of docs/plc-mqtt.md."""

    kind: Literal["mqtt"]
    prefix: str = Field(default="line", max_length=200, pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$")


Actuator = Annotated[LogActuator | TwinActuator | ModbusActuator | MqttActuator, Field(discriminator="kind")]
