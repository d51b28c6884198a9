"""Both ends of a broker at hand: a plain client that says and hears anything, and a PLC in the test's own process."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.plc_loop import BELT
from config.actuators import MqttActuator
from monitor.actuators.mqtt import MqttWire
from monitor.actuators.mqtt_client import _new_client
from monitor.twin.plc import feed
from monitor.twin.plc_mqtt import _Front
from monitor.twin.plc_program import PlcProgram

STATION = "rail-03"


def facts(port: int, **more: Any) -> MqttActuator:
    return MqttActuator(kind="mqtt", host="127.0.0.1", port=port, **more)


def until(true: Callable[[], object], *, within_s: float = 8.0) -> None:
    """An assertion where it never comes."""
    ends_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < ends_s, "it never came"
        time.sleep(0.01)


class Plain:
    """A client of no station; it remembers all that it hears."""

    def __init__(self, port: int, topics: str) -> None:
        self.heard: list[Any] = []
        self._client = _new_client("plain")
        self._client.on_message = lambda _client, _userdata, message: self.heard.append(message)
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe(topics, 1)
        self._client.loop_start()
        assert subscribed.wait(5.0)

    def say(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retained).wait_for_publish(5.0)

    def on(self, topic: str) -> list[bytes]:
        return [message.payload for message in self.heard if message.topic == topic]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def a_plain(port: int, topics: str = "#") -> Iterator[Plain]:
    plain = Plain(port, topics)
    try:
        yield plain
    finally:
        plain.close()


@contextmanager
def a_wire(port: int, **more: Any) -> Iterator[MqttWire]:
    """The line's end, connected."""
    wire = MqttWire(facts(port, **more), station=STATION)
    wire.open()
    try:
        yield wire
    finally:
        wire.close()


@contextmanager
def a_plc_at(port: int, state: Path, *, parts: int | None = None) -> Iterator[PlcProgram]:
    """A simulated PLC with 10 parts/s and 1 s from lens to gate, scanned in a thread of this process."""
    program = PlcProgram(BELT, state, run="test")
    over = threading.Event()

    def scan() -> None:
        program.belt.start(time.monotonic_ns())
        while not over.wait(0.002):
            with program.lock:
                feeds = parts is None or program.belt.triggered < parts
                program.scan(time.monotonic_ns(), feed if feeds else None)

    front = _Front(program, facts(port), STATION)
    front.open()
    scanner = threading.Thread(target=scan, daemon=True)
    scanner.start()
    try:
        yield program
    finally:
        over.set()
        scanner.join()
        front.close()
        program.belt.close()
