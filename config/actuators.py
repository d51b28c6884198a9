"""The kinds of actuator that turn a disposition into a movement, or a line on disk."""

from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from config.base import Table
from config.brokers import Broker
from config.remote import Certificates, Login, Resolve, remote_problems


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


class OpcUaActuator(PlcBase):
    """A PLC that serves OPC UA, with the tags of docs/plc.md below one object."""

    kind: Literal["opcua"]
    cycle_ms: float = Field(
        default=50.0, ge=1, le=1000
    )  # one costs both ends 3.6 ms of a core; an order waits for none
    url: str = Field(pattern=r"^opc\.tcp://(\[[0-9a-fA-F:]+\]|[^\s/:@\[\]]+)(:[0-9]{1,5})?(/\S*)?$", max_length=2048)
    namespace: str = Field(min_length=1, max_length=2048)  # URI of the namespace in which the tags lie
    node: str = Field(default="Line.{tag}", pattern=r"^[^{}]*\{tag\}[^{}]*$", max_length=256)  # id of a tag's node
    login: Login | None = None
    certificates: Certificates | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    def problems(self, resolve: Resolve) -> Iterator[tuple[str, str]]:
        """(key, what is wrong) of its way to the PLC."""
        return remote_problems(self.host, self.login, self.certificates, resolve)


Actuator = Annotated[
    LogActuator | TwinActuator | ModbusActuator | MqttActuator | OpcUaActuator, Field(discriminator="kind")
]
