"""Program: a simulated PLC with its belt, trigger, gate and verify sensor, behind a real protocol.

    python -m monitor.twin.plc --protocol modbus --port 5020 --state DIR --rate 5

Its logs in DIR are the witness of what the gate did (`twin.jsonl`, a line a part). A line on stdin changes the world:
`belt 0`, `belt -0.5`, `slip 300`, `trigger` (one at its input, for --wired), `resync`, `stall on`, `acks off`,
`stuck on`, `restart`, `forget` (a restart that loses the counter), `quit`.
"""

import argparse
import asyncio
import json
import sys
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from config.actuators import ModbusActuator, MqttActuator, OpcUaActuator
from config.station import Belt
from monitor.logs import open_logs
from monitor.twin.belt import Trigger
from monitor.twin.plc_plant import front
from monitor.twin.plc_program import PlcProgram

SCAN_S = 0.002
SPEED_MM_S = 1000.0
COUNTS_PER_MM = 10.0


def main() -> None:
    """Serves until `quit`, the end of stdin, or until the parts that were asked for have met the gate."""
    given = _arguments()
    open_logs("plc", quiet=False)
    belt = Belt(
        speed_mm_s=SPEED_MM_S,
        counts_per_mm=COUNTS_PER_MM,
        part_pitch_mm=SPEED_MM_S / given.rate,
        camera_to_gate_mm=SPEED_MM_S * given.way_s,
    )
    program = PlcProgram(belt, given.state, run=given.run)
    program.is_wired = given.wired
    asyncio.run(_run(program, given))


async def _run(program: PlcProgram, given: argparse.Namespace) -> None:
    orders: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, lambda: orders.put_nowait(sys.stdin.readline()))
    async with _front(program, given):
        program.belt.start(time.monotonic_ns())
        print(json.dumps({"ready": given.protocol, "port": given.port}), flush=True)  # its parent waits for this
        while given.stays or given.parts != program.belt.triggered or not program.belt.empty:
            with program.lock:
                program.scan(time.monotonic_ns(), feed if given.parts != program.belt.triggered else None)
            while not orders.empty():
                order = orders.get_nowait()
                if not order or order.split() == ["quit"]:
                    program.belt.close()
                    return
                obey(program, order, now_ns=time.monotonic_ns())
            await asyncio.sleep(SCAN_S)
        program.belt.close()


def feed(_trigger: Trigger) -> dict[str, Any]:
    """A part lies on each place, and nothing is known of it."""
    return {}


def obey(program: PlcProgram, order: str, *, now_ns: int) -> None:
    """One line from the world outside; ValueError where it says nothing that we know."""
    match order.split():
        case ["belt", share]:
            program.drive(float(share), now_ns)
        case ["stall", "on" | "off" as state]:
            program.faults.stalled = state == "on"
        case ["acks", "on" | "off" as state]:
            program.faults.drops_acks = state == "off"
        case ["stuck", "on" | "off" as state]:
            program.belt.stuck = state == "on"
        case ["slip", counts]:
            program.belt.slip(int(counts))
        case ["trigger"]:
            program.strobe(now_ns)
        case ["resync"]:
            program.belt.tracker.resync()
        case ["restart"]:
            program.restart(now_ns)
        case ["forget"]:
            program.restart(now_ns, retentive=False)
        case _:
            raise ValueError(
                f"{order.strip()!r}: say belt SHARE, slip COUNTS, trigger, resync, stall, acks or stuck on|off, "
                "restart, forget, quit"
            )


def opcua_at(host: str, port: int) -> OpcUaActuator:
    """How a line finds the simulated PLC's tags."""
    return OpcUaActuator(kind="opcua", url=f"opc.tcp://{host}:{port}", namespace="urn:line-monitor:plc")


def _front(program: PlcProgram, given: argparse.Namespace) -> AbstractAsyncContextManager[None]:
    match given.protocol:
        case "modbus":
            return front(
                program, ModbusActuator(kind="modbus", host=given.host, port=given.port), station=given.station
            )
        case "mqtt":  # host and port are the broker's
            return front(program, MqttActuator(kind="mqtt", host=given.host, port=given.port), station=given.station)
        case "opcua":
            return front(program, opcua_at(given.host, given.port), station=given.station)
        case _:
            raise ValueError(given.protocol)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A simulated PLC with belt, trigger, gate and verify sensor.")
    parser.add_argument("--protocol", choices=["modbus", "mqtt", "opcua"], required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--station", default="rail-03", help="whose topics it speaks, where the protocol has such")
    parser.add_argument("--state", type=Path, required=True, help="folder of its logs and retentive memory")
    parser.add_argument("--rate", type=float, default=5.0, help="parts/s at full speed")
    parser.add_argument("--way-s", type=float, default=2.0, help="from the lens to the gate at full speed")
    parser.add_argument("--parts", type=int, help="feed so many, then none")
    parser.add_argument("--wired", action="store_true", help="no triggers but those that stdin gives")
    parser.add_argument("--stays", action="store_true", help="serve on when the last part has met the gate")
    parser.add_argument("--run", default="plc")
    return parser.parse_args()


if __name__ == "__main__":
    main()
