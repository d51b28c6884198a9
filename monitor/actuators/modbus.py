"""Modbus TCP to a PLC that serves the registers of `monitor/actuators/registers.py`; the line is the client."""

from collections.abc import Callable

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.logging import pymodbus_apply_logging_config
from pymodbus.pdu import ModbusPDU

from config.actuators import ModbusActuator
from monitor.actuators import registers
from monitor.actuators.plc import WireError
from monitor.rules.handshake import ACTED_KEPT, Acted, LineStatus, Mailbox, PlcStatus

READ_MOST = 125  # registers in one request, by the protocol


class ModbusWire:
    """A synchronous client in the thread of `PlcGate`."""

    def __init__(self, facts: ModbusActuator) -> None:
        pymodbus_apply_logging_config("CRITICAL")  # what fails is said by us, once
        self._facts = facts
        self._client = ModbusTcpClient(facts.host, port=facts.port, timeout=facts.timeout_ms / 1000, retries=0)

    def open(self) -> None:
        if not self._client.connect():  # type: ignore[no-untyped-call]
            raise WireError(f"{self._place}: no connection within {self._facts.timeout_ms:g} ms")

    def status(self) -> PlcStatus:
        words = self._read(0, registers.PLC_WORDS)
        try:
            return registers.read_status(words)
        except registers.RegisterError as error:
            raise WireError(f"{self._place}: {error}") from error

    def acted(self, wanted: range) -> list[Acted]:
        # neighbours in the ring come with one request, as many as fit, up to the ring's end
        places = (wanted.start - 1) % ACTED_KEPT
        count = min(len(wanted), READ_MOST // registers.ACTED_WORDS, ACTED_KEPT - places)
        words = self._read(registers.acted_offset(wanted.start), count * registers.ACTED_WORDS)
        try:
            return [registers.read_acted(wanted.start + n, words[n * registers.ACTED_WORDS :]) for n in range(count)]
        except registers.RegisterError as error:
            raise WireError(f"{self._place}: {error}") from error

    def write(self, line: LineStatus, mailbox: Mailbox | None) -> None:
        words = registers.line_words(line, mailbox)
        self._asked(
            lambda: self._client.write_registers(
                self._facts.base + registers.LINE_AT, words, device_id=self._facts.device_id
            )
        )

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]

    @property
    def _place(self) -> str:
        return f"modbus {self._facts.host}:{self._facts.port}"

    def _read(self, offset: int, count: int) -> list[int]:
        answer = self._asked(
            lambda: self._client.read_holding_registers(
                self._facts.base + offset, count=count, device_id=self._facts.device_id
            )
        )
        if len(answer.registers) != count:
            raise WireError(f"{self._place}: {len(answer.registers)} registers came at {offset}, not {count}")
        return list(answer.registers)

    def _asked(self, ask: Callable[[], ModbusPDU]) -> ModbusPDU:
        try:
            answer = ask()
        except (ModbusException, OSError) as error:
            raise WireError(f"{self._place}: {error}") from error
        if answer.isError():
            raise WireError(f"{self._place}: the PLC refused: {answer}")
        return answer
