"""Process: the digital twin behind a simulated PLC. The line's orders come by a real protocol; Exposure goes out."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any

import cv2
import structlog

from config.actuators import Actuator, ModbusActuator, MqttActuator, OpcUaActuator
from config.loader import state_folder
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Ears, Publisher
from monitor.lifeline import Drain, Finished, Go, Lifeline, Stop
from monitor.twin.belt import Trigger
from monitor.twin.plant import LENS_HWM, TICK_MS, Drawn, draw_ahead, expose
from monitor.twin.plc_program import PlcProgram

UP_S = 10.0

log = structlog.get_logger()


def run_plc_plant(lifeline: Lifeline, station: Station, *, run: str) -> None:
    """Turns the belt from Go to the last part's meeting with the gate; the PLC holds it while the line is silent."""
    cv2.setNumThreads(1)  # the cores are the workers'
    if station.belt is None or station.twin is None:
        raise ValueError(f"{station.name}: a plant needs [belt] and [twin]; the loader refuses such a station")
    ends = Endpoints(station)
    program = PlcProgram(station.belt, state_folder(station), run=run)
    cameras = tuple(camera.name for camera in station.cameras)
    with draw_ahead(station, program.belt.slot + 1) as drawn, _serving(program, station.actuator, station.name):
        lenses = {name: Publisher(ends.lens(name), hwm=LENS_HWM) for name in cameras}
        ears = Ears(lifeline)
        parts: dict[int, Drawn] = {}
        slots_most: int | None = 0
        ordered = finished = draining = False

        def feed(trigger: Trigger) -> dict[str, Any] | None:
            if drawn.empty():  # a place on the belt stays empty, and the gate is not kept waiting
                log.warning("twin.nothing_drawn", slot=trigger.slot)
                return None
            parts[trigger.slot] = drawn.get_nowait()
            return parts[trigger.slot].facts

        lifeline.ready()
        while not lifeline.cut:
            _, orders = ears.wait(TICK_MS)
            now_ns = time.monotonic_ns()
            ordered = ordered or bool(orders)
            for order in orders:
                match order:
                    case Go():
                        slots_most = None if order.frames is None else -(-order.frames // len(cameras))
                        with program.lock:
                            program.belt.start(now_ns)
                    case Stop() | Drain():
                        slots_most = 0
                        draining = draining or isinstance(order, Drain)
            with program.lock:
                feeds = slots_most is None or program.belt.triggered < slots_most
                triggers = program.scan(now_ns, feed if feeds else None)
                empty = program.belt.empty
            for trigger in triggers:
                expose(lenses, parts.pop(trigger.slot), trigger)
            if ordered and not feeds and empty and not finished:
                finished = True
                lifeline.say(Finished())
            if draining and empty:
                break
        for lens in lenses.values():
            lens.close()
    program.belt.close()


@contextmanager
def _serving(program: PlcProgram, actuator: Actuator, station: str) -> Iterator[None]:
    """The PLC's interface, in a thread of its own."""
    loop = asyncio.new_event_loop()
    over = asyncio.Event()
    up = threading.Event()
    failed: list[BaseException] = []

    async def serve() -> None:
        async with front(program, actuator, station=station):
            up.set()
            await over.wait()

    def keep_serving() -> None:
        try:
            loop.run_until_complete(serve())
        except OSError as error:  # the port is in use
            failed.append(error)
            up.set()

    thread = threading.Thread(target=keep_serving, name="plc-front", daemon=True)
    thread.start()
    if not up.wait(UP_S) or failed:
        raise RuntimeError(f"the simulated PLC cannot serve {actuator.kind}: {failed or f'not up in {UP_S:g} s'}")
    try:
        yield
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(UP_S)
        loop.close()


def front(program: PlcProgram, actuator: Actuator, *, station: str) -> AbstractAsyncContextManager[None]:
    """The interface that this actuator speaks to."""
    match actuator:
        case ModbusActuator():
            from monitor.twin import plc_modbus

            return plc_modbus.serving(program, host=actuator.host, port=actuator.port)
        case MqttActuator():
            from monitor.twin import plc_mqtt

            return plc_mqtt.serving(program, actuator, station=station)
        case OpcUaActuator():
            from monitor.twin import plc_opcua

            return plc_opcua.serving(program, actuator)
        case _:
            raise ValueError(f"actuator {actuator.kind!r} speaks to no PLC")
