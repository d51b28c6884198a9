"""The simulated PLC and the line's side of the handshake in one process, on a clock that the caller moves on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.station import Belt
from monitor.actuators import registers
from monitor.messages import Actuated, Disposition, Outcome, Reason
from monitor.rules.handshake import Handshake, LineStatus
from monitor.twin.plc import feed
from monitor.twin.plc_program import PlcProgram

MS = 1_000_000
BELT = Belt(speed_mm_s=1000.0, counts_per_mm=10.0, part_pitch_mm=100.0, camera_to_gate_mm=1000.0)  # 10 parts/s, 1 s


class Line:
    """The line's side: one cycle each 20 ms of a clock that the caller moves on; registers are packed and unpacked."""

    def __init__(self, program: PlcProgram, *, parts: int | None) -> None:
        self.program, self.parts = program, parts
        self.handshake = Handshake(repeat_ns=200 * MS)
        self.now_ns = 0
        self.alive = True  # it keeps its cycle
        self.hold = False
        self.told: list[Actuated] = []
        self.slots: list[int] = []  # triggers that the PLC counted, in the order in which we heard of them
        self.beat = 0
        self.batch = 0  # as last written
        self._results = [0, 0]  # batch and count, and what followed them, as last written
        program.belt.start(0)

    def run(self, ms: int) -> None:
        """The world goes on for so long."""
        until_ns = self.now_ns + ms * MS
        while self.now_ns < until_ns:
            self.now_ns += 5 * MS
            feeds = self.parts is None or self.program.belt.triggered < self.parts
            self.program.scan(self.now_ns, feed if feeds else None)
            if self.alive and self.now_ns % (20 * MS) == 0:
                self._cycle()

    def order(self, slot: int, outcome: Outcome) -> None:
        reason = Reason.NO_ANSWER if outcome is Outcome.NOT_INSPECTED else None
        self.handshake.give(Disposition(slot=slot, outcome=outcome, reason=reason, due_count=None))

    def _cycle(self) -> None:
        status = registers.read_status(registers.status_words(self.program.status(self.now_ns)))
        before = self.handshake.last_slot
        self.handshake.heard(status)
        self.slots += range(before + 1, self.handshake.last_slot + 1)
        wanted = self.handshake.wanted(status)
        self.handshake.acted(
            [
                registers.read_acted(acted.n, registers.acted_words(acted))
                for acted in self.program.acted
                if acted.n in wanted
            ]
        )
        self.told += self.handshake.answers()
        self.beat += 1
        line = LineStatus(
            heartbeat=self.beat,
            ready=True,
            busy=self.handshake.busy,
            hold=self.hold,
            fault=False,
            hold_code=0,
            last_slot=self.handshake.last_slot,
        )
        mailbox = self.handshake.outbox(self.now_ns)
        self.batch = mailbox.batch if mailbox else self.batch
        words = registers.line_words(line, mailbox)
        head = len(registers.line_words(line, None))
        self._results = self._results if mailbox is None else words[head:]
        words = words[:head] + self._results
        self.program.written(*registers.read_line(words), self.now_ns)


@contextmanager
def a_plc(state: Path, *, parts: int | None = 5) -> Iterator[Line]:
    """A simulated PLC and a line, on the caller's clock."""
    program = PlcProgram(BELT, state, run="test")
    line = Line(program, parts=parts)
    try:
        yield line
    finally:
        line.program.belt.close()
