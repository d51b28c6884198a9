"""Any PLC as an actuator: a thread keeps the handshake over its protocol, and the process never waits for the wire.

One cycle: read the PLC's block, read what has met the gate since, write the line's block with the next batch. An
answer that does not come ends the connection; the next cycle opens it anew.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog

from config.actuators import PlcBase
from config.alarms import Level
from config.station import Station
from monitor.bus.wire import End
from monitor.messages import Actuated, Alarm, Counter, Disposition, Reason
from monitor.rules.handshake import REASON_CODES, Acted, Handshake, LineStatus, Mailbox, PlcStatus

COUNTERS_KEPT = 16  # more between two looks of the process: it hangs, and the last will do
BACK_OFF_S = (0.05, 0.1, 0.2, 0.5)  # after the first, second, … failure in a row
_MS = 1_000_000

log = structlog.get_logger()


class WireError(Exception):
    """The PLC does not answer, or answers what no such PLC would."""


class Wire(Protocol):
    """One protocol's way to a PLC; every call may take as long as the station's `timeout_ms`, and raises WireError."""

    def open(self) -> None:
        """Connects; called again after each failure."""
        ...

    def status(self) -> PlcStatus:
        """The PLC's block, of one moment."""
        ...

    def acted(self, wanted: range) -> Sequence[Acted]:
        """These parts at the gate, or the first of them."""
        ...

    def write(self, line: LineStatus, mailbox: Mailbox | None) -> None:
        """The line's block; a mailbox only where there is a batch to be written."""
        ...

    def close(self) -> None:
        """Lets go; never raises."""
        ...


class PlcGate:
    """An actuator; its state is shared with the thread under one lock, and each hold of it is short."""

    ends: tuple[End, ...] = ()

    def __init__(self, station: Station, facts: PlcBase, wire: Wire) -> None:
        self._cameras = tuple(camera.name for camera in station.cameras)
        self._facts, self._wire = facts, wire
        self._lock = threading.Lock()
        self._handshake = Handshake(repeat_ns=round(facts.repeat_ms * _MS))
        self._counters: deque[Counter] = deque(maxlen=COUNTERS_KEPT)
        self._counted = (0, 0, 0)  # session, triggers, and since when they are so many
        self._hold = ""
        self._goes = self._resumed = False  # both, before the PLC may trigger
        self._paused = self._needs_person = False
        self._beats = self._fault = 0
        self._alarms: list[Alarm] = []
        self._failed: BaseException | None = None
        self._over = threading.Event()
        self._due = threading.Event()  # there is something to write: do not sleep the cycle out
        self._silence = _Silence(most_ns=round(facts.silent_ms * _MS))
        self._thread = threading.Thread(target=self._run, name="plc", daemon=True)
        self._thread.start()

    def send(self, disposition: Disposition) -> None:
        with self._lock:
            self._handshake.give(disposition)
        self._due.set()

    def heard(self) -> list[Actuated]:
        """Raises what has ended the thread, which has nobody else to raise to: actuation ends, and is started anew."""
        if self._failed is not None:
            raise self._failed
        with self._lock:
            return self._handshake.answers()

    def alarms(self) -> list[Alarm]:
        """What a person should know of the PLC."""
        with self._lock:
            alarms, self._alarms = self._alarms, []
        return alarms

    def counter(self) -> Counter | None:
        """Each count that there was, as it was read last, before the next one."""
        with self._lock:
            return self._counters.popleft() if self._counters else None

    def ask(self) -> None:
        """The thread asks all the time."""

    def hold(self, reason: str) -> None:
        with self._lock:
            self._hold = reason
        self._due.set()

    def resume_from(self, last_slot: int) -> None:
        """The highest slot that the journal knows."""
        with self._lock:
            self._handshake.last_slot = max(self._handshake.last_slot, last_slot)
            self._resumed = True

    def go(self) -> None:
        with self._lock:
            self._goes = True

    def stand(self, *, paused: bool, needs_person: bool) -> None:
        """A line that is not ready is brought no part; what lies on the belt goes on. Fault calls a person."""
        with self._lock:
            self._paused, self._needs_person = paused, needs_person
        self._due.set()

    def stop(self) -> None:
        with self._lock:
            self._goes = False
        self._due.set()

    def close(self) -> None:
        """Says goodbye: a line that is not ready lets nothing through."""
        self._over.set()
        self._due.set()
        self._thread.join(timeout=2 * self._facts.timeout_ms / 1000)

    def _run(self) -> None:
        try:
            self._keep_up()
        except Exception as error:
            self._failed = error

    def _keep_up(self) -> None:
        failures = 0
        is_open = False
        while not self._over.is_set():
            begun_s = time.monotonic()
            try:
                if not is_open:
                    self._wire.open()
                    is_open = True
                self._cycle()
                failures = 0
            except WireError as error:
                self._wire.close()
                is_open = False
                self._lost(str(error))
                failures += 1
                self._over.wait(BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1])
                continue
            self._due.wait(max(0.0, self._facts.cycle_ms / 1000 - (time.monotonic() - begun_s)))
            self._due.clear()
        if is_open:
            self._say_goodbye()
        self._wire.close()

    def _cycle(self) -> None:
        asked_ns = time.monotonic_ns()
        status = self._wire.status()
        now_ns = time.monotonic_ns()
        self._look(status, now_ns)
        if self._counted[:2] != (status.session, status.trigger_count):
            self._counted = (status.session, status.trigger_count, now_ns)
        with self._lock:
            counter = self._handshake.heard(status)
            if self._resumed and status.trigger_count >= self._handshake.last_slot:  # it has taken up our number
                if self._counters and self._counters[-1].trigger_count == counter.trigger_count:
                    self._counters.pop()
                times = {"asked_ns": asked_ns, "at_ns": now_ns, "steady_ns": self._counted[2]}
                self._counters.append(msgspec.structs.replace(counter, cameras=self._cameras, **times))
            wanted = self._handshake.wanted(status)
        while wanted:
            entries = self._wire.acted(wanted)
            with self._lock:
                self._handshake.acted(list(entries))
            wanted = range(entries[-1].n + 1, wanted.stop)
        with self._lock:
            mailbox = self._handshake.outbox(time.monotonic_ns())
            line = self._line(ready=self._goes and self._resumed and not self._paused)
        self._wire.write(line, mailbox)

    def _line(self, *, ready: bool) -> LineStatus:
        self._beats = (self._beats + 1) % (1 << 16)
        code = REASON_CODES.get(Reason(self._hold), 0) if self._hold in set(Reason) else 0
        return LineStatus(
            heartbeat=self._beats,
            ready=ready,
            busy=self._handshake.busy,
            hold=bool(self._hold),
            fault=self._needs_person,
            hold_code=code,
            last_slot=self._handshake.last_slot,
        )

    def _say_goodbye(self) -> None:
        try:
            with self._lock:
                line = self._line(ready=False)
            self._wire.write(line, None)
        except WireError as error:
            log.warning("plc.goodbye_unheard", error=str(error))

    def _look(self, status: PlcStatus, now_ns: int) -> None:
        """Restarts and a standing heartbeat are a person's business."""
        if self._handshake.session not in (0, status.session):
            self._alarm("plc.restarted", f"session {self._handshake.session} became {status.session}")
        if status.fault and not self._fault:
            text = f"the PLC's fault {status.fault}: it rejects all, until somebody has looked and resynced it"
            self._alarm("plc.fault", text, level="hold")
        self._fault = status.fault
        if said := self._silence.hears(status.heartbeat, now_ns):
            self._alarm(*said)

    def _lost(self, why: str) -> None:
        log.warning("plc.unanswered", error=why)
        if said := self._silence.hears(None, time.monotonic_ns()):
            self._alarm(said[0], f"{said[1]}: {why}")

    def _alarm(self, name: str, text: str, *, level: Level = "warn") -> None:
        log.error(name, text=text)
        at = time.time_ns()
        alarm = Alarm(key=f"{name}.{at}", name=name, about="plc", text=text[:1000], raised_at=at, level=level)
        with self._lock:
            self._alarms.append(alarm)


class _Silence:
    """Whether the PLC's program runs: its heartbeat changes, or it does not, whatever the wire says."""

    def __init__(self, most_ns: int) -> None:
        self._most_ns = most_ns
        self._beat: int | None = None
        self._since_ns = time.monotonic_ns()
        self._is_lost = False

    def hears(self, beat: int | None, now_ns: int) -> tuple[str, str] | None:
        """The alarm that this raises; None where nothing changed."""
        if beat is not None and beat != self._beat:
            self._beat, self._since_ns = beat, now_ns
            was_lost, self._is_lost = self._is_lost, False
            return ("plc.back", f"its heartbeat is {beat}") if was_lost else None
        if not self._is_lost and now_ns - self._since_ns > self._most_ns:
            self._is_lost = True
            return "plc.lost", f"no new heartbeat for {(now_ns - self._since_ns) / _MS:.0f} ms"
        return None
