"""The register map on the wire, with a plain client and a plain server of pymodbus on the other side."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from benchmarks.gate import free_port, simulated_plc
from config.actuators import ModbusActuator
from monitor.actuators import registers
from monitor.actuators.modbus import ModbusWire
from monitor.actuators.plc import WireError
from monitor.messages import Gate, Outcome
from monitor.rules.handshake import ACTED_KEPT, Acted, LineStatus, Mailbox, PlcStatus, Result

STATUS = PlcStatus(
    map_version=1,
    session=9,
    heartbeat=3,
    ready=True,
    held=False,
    fault=0,
    part_type=4,
    trigger_count=70_001,
    encoder_count=-70_002,
    counts_per_s=-5,
    line_heartbeat=8,
    result_ack=65_535,
    acted_count=130,
)
LINE = LineStatus(heartbeat=5, ready=True, busy=True, hold=False, fault=False, hold_code=0, last_slot=70_001)


class PlainServer:
    """Holding registers, and nothing that knows what they mean."""

    def __init__(self, port: int, words: dict[int, list[int]]) -> None:
        self.held: list[int] = []
        self._port, self._words = port, words
        self._up = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._up.wait(5.0)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _serve(self) -> None:
        self._loop.run_until_complete(self._serving())
        self._loop.close()

    async def _serving(self) -> None:
        self._over = asyncio.Event()

        async def access(
            _function: int, _first: int, _at: int, _count: int, held: list[int], _written: list[int] | list[bool] | None
        ) -> None:
            self.held = held

        cells = [0] * (registers.ALL_WORDS + 100)
        for at, words in self._words.items():
            cells[at : at + len(words)] = words
        data = SimData(address=0, values=cells, datatype=DataType.REGISTERS)
        server = ModbusTcpServer(SimDevice(id=1, simdata=[data], action=access), address=("127.0.0.1", self._port))
        await server.serve_forever(background=True)
        self._up.set()
        await self._over.wait()
        await server.shutdown()  # type: ignore[no-untyped-call]


@contextmanager
def a_wire(words: dict[int, list[int]], *, base: int = 0) -> Iterator[tuple[ModbusWire, PlainServer]]:
    server = PlainServer(free_port(), words)
    facts = ModbusActuator(kind="modbus", host="127.0.0.1", port=server._port, base=base, timeout_ms=1000.0)
    wire = ModbusWire(facts)
    wire.open()
    try:
        yield wire, server
    finally:
        wire.close()
        server.stop()


@pytest.mark.parametrize("base", [0, 100])
def test_the_plcs_block_is_read_where_the_map_says(base: int) -> None:
    with a_wire({base: registers.status_words(STATUS)}, base=base) as (wire, _):
        assert wire.status() == STATUS


def test_another_map_is_refused_by_name() -> None:
    with a_wire({0: [7]}) as (wire, _), pytest.raises(WireError, match="map_version is 7, not 1"):
        wire.status()


def test_what_met_the_gate_is_read_round_the_rings_end() -> None:
    entries = [
        Acted(n=n, slot=500 + n, ordered=Outcome.PASS, gate=Gate.RELEASED, seen=True, at_count=-n, late_ms=0.0)
        for n in range(ACTED_KEPT - 2, ACTED_KEPT + 4)
    ]
    words = {registers.acted_offset(entry.n): registers.acted_words(entry) for entry in entries}
    with a_wire(words) as (wire, _):
        first = wire.acted(range(entries[0].n, entries[-1].n + 1))
        rest = wire.acted(range(first[-1].n + 1, entries[-1].n + 1))

    assert first + rest == entries


def test_a_batch_is_written_whole_and_a_heartbeat_leaves_it_alone() -> None:
    results = tuple(Result(slot=70_000 + n, outcome=Outcome.NOT_INSPECTED, reason_code=13) for n in range(24))
    with a_wire({}) as (wire, server):
        wire.write(LINE, Mailbox(batch=3, results=results))
        wire.write(LINE, None)
        line, mailbox = registers.read_line(server.held[registers.LINE_AT :])

    assert line == LINE
    assert mailbox == Mailbox(batch=3, results=results)


def test_a_server_that_refuses_is_an_error_that_names_it() -> None:
    with a_wire({}, base=50_000) as (wire, _), pytest.raises(WireError, match=r"127\.0\.0\.1.*refused"):
        wire.status()


def test_nobody_there_is_an_error_within_the_time() -> None:
    wire = ModbusWire(ModbusActuator(kind="modbus", host="127.0.0.1", port=free_port(), timeout_ms=200.0))

    with pytest.raises(WireError, match="no connection"):
        wire.open()


def test_a_plain_client_follows_the_map_and_may_not_write_the_plcs_block(tmp_path: Path) -> None:
    with simulated_plc("modbus", tmp_path, port=free_port(), rate=10.0, parts=3) as plc:
        client = ModbusTcpClient("127.0.0.1", port=plc.port)
        assert client.connect()  # type: ignore[no-untyped-call]
        for beat in range(1, 40):
            client.write_registers(registers.LINE_AT, [beat, 1, 0, 0, 0])
            time.sleep(0.02)
        at = client.read_holding_registers(6, count=2).registers  # trigger_count, by docs/plc.md
        refused = client.write_registers(0, [1])
        client.close()  # type: ignore[no-untyped-call]

    assert at == [0, 3]
    assert refused.isError()
