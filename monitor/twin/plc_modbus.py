"""The simulated PLC as a Modbus TCP server: holding registers as `monitor/actuators/registers.py` lays them out."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from monitor.actuators import registers
from monitor.twin.plc_program import PlcProgram

log = structlog.get_logger()


@asynccontextmanager
async def serving(program: PlcProgram, *, host: str, port: int) -> AsyncIterator[None]:
    """Answers until the block ends. A stalled program answers still, as a PLC's interface does, with what it had."""

    async def access(
        _function: int,
        first: int,
        address: int,
        _count: int,
        held: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        with program.lock:
            return answer(address - first, held, written, now_ns=time.monotonic_ns())

    def answer(at: int, held: list[int], written: list[int] | list[bool] | None, *, now_ns: int) -> ExcCodes | None:
        if written is None:
            if not program.faults.stalled:
                words = registers.status_words(program.status(now_ns))
                held[: len(words)] = words
                for acted in program.acted:
                    at = registers.acted_offset(acted.n)
                    held[at : at + registers.ACTED_WORDS] = registers.acted_words(acted)
            return None
        if at < registers.LINE_AT:
            return ExcCodes.ILLEGAL_ADDRESS  # the PLC's own block is not the line's to write
        held[at : at + len(written)] = [int(word) for word in written]
        try:
            line, mailbox = registers.read_line(held[registers.LINE_AT : registers.ALL_WORDS])
        except registers.RegisterError as error:
            log.warning("mailbox.refused", error=str(error))
            return ExcCodes.ILLEGAL_VALUE
        program.written(line, mailbox, now_ns)
        return None

    cells = SimData(address=0, count=registers.ALL_WORDS, values=0, datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(id=1, simdata=[cells], action=access), address=(host, port))
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
