"""The rope between supervisor and process: one socket pair that says ready, beats, carries orders, and is cut.

    supervisor ── Order ──▶ process      Go, Stop, Drain, Gone
    supervisor ◀── Note ── process       Ready, Beat, Finished, Held, Noted, Status, Stores

The parent cuts it to stop a process; the kernel cuts it when the parent dies (and PDEATHSIG stands behind it,
since a process deep in a C library does not look at its rope). SEQPACKET keeps each message whole.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
import time
from typing import Annotated

import msgspec
from msgspec import Meta
from setproctitle import setproctitle

from monitor.rules.stores import StoreLag

BEAT_S = 0.2  # a job's `hung_s` says how long its beat may fail before it counts as hung
_PR_SET_PDEATHSIG = 1
_PACKET = 1 << 16


class Go(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """supervisor → source: everyone is ready; trigger, `frames` times at most."""

    frames: int | None


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """supervisor → source: no more triggers; work on until the line is empty."""


class Drain(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """supervisor → any: nothing more will come; finish what is here, and exit."""


class Gone(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """supervisor → capture: this worker is dead; its leases are over."""

    worker: str


class Noted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """decision → supervisor: this alarm is in the journal."""

    key: str


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """process → supervisor: my ends are open. `facts` are for the panel (a worker's capacity)."""

    facts: dict[str, float | str] = {}  # msgspec copies it


class Beat(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """process → supervisor: my loop has come round."""


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """source → supervisor: there will be no more triggers, and the line is empty."""


class Held(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """decision → supervisor: the line must be held until a person has looked."""

    reason: str


class Status(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """decision → supervisor, twice a second: what the panel shows of this run."""

    triggers: int
    passed: int
    rejected: int
    not_inspected: dict[str, int]
    late: int
    open: int
    unconfirmed: int
    latency_p50_ms: float
    latency_p99_ms: float
    fps: float
    last: Annotated[tuple[str, ...], Meta(max_length=8)]  # the last rejects, a line each


class Stores(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """recorder → supervisor, twice a second: how far each store is behind the journal."""

    lags: Annotated[tuple[StoreLag, ...], Meta(max_length=16)]


Order = Go | Stop | Drain | Gone
Note = Ready | Beat | Finished | Held | Noted | Status | Stores
_ORDERS: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_NOTES: msgspec.msgpack.Decoder[Note] = msgspec.msgpack.Decoder(Note)


class Lifeline:
    """The process's end of the rope; put it in the poller beside the socket."""

    def __init__(self, rope: socket.socket) -> None:
        self._rope = rope
        self._rope.setblocking(False)
        self._beaten_s = 0.0
        self.cut = False  # the parent is gone, or wants us to be
        self.draining = False  # nothing more will come: finish what is here, and leave

    def fileno(self) -> int:
        return self._rope.fileno()

    def close(self) -> None:
        self._rope.close()

    def ready(self, **facts: float | str) -> None:
        """Says that this process's ends are open."""
        self.say(Ready(facts=facts))

    def beat(self) -> None:
        """Says that the loop has come round; call it each time, it is sent every 200 ms."""
        if (now_s := time.monotonic()) - self._beaten_s >= BEAT_S:
            self._beaten_s = now_s
            self.say(Beat())

    def say(self, note: Note) -> None:
        try:
            self._rope.send(msgspec.msgpack.encode(note))
        except BlockingIOError:
            pass  # the supervisor is slow; a later beat will do
        except OSError:
            self.cut = True

    def orders(self) -> list[Order]:
        """What the supervisor said since; sets `cut` when the rope is."""
        orders: list[Order] = []
        while not self.cut:
            try:
                packet = self._rope.recv(_PACKET)
            except BlockingIOError:
                break
            except OSError:
                packet = b""
            if packet:
                orders.append(_ORDERS.decode(packet))
                self.draining = self.draining or isinstance(orders[-1], Drain)
            else:
                self.cut = True
        return orders

    def wait(self, seconds: float) -> list[Order]:
        """Sleeps until an order, a cut, or the time is over; beats before it sleeps."""
        self.beat()
        select.select([self._rope], [], [], max(0.0, seconds))
        return self.orders()


class Rope:
    """The supervisor's end."""

    def __init__(self) -> None:
        self._ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        self.theirs.set_inheritable(True)

    def fileno(self) -> int:
        return self._ours.fileno()

    def handed_over(self) -> None:
        """Closes our copy of the child's end, so that its death cuts the rope."""
        self.theirs.close()

    def order(self, order: Order) -> None:
        with contextlib.suppress(OSError):  # it is dead or dying: its exit says so
            self._ours.send(msgspec.msgpack.encode(order))

    def notes(self) -> tuple[list[Note], bool]:
        """What the process said since, and whether it has let go."""
        notes: list[Note] = []
        while True:
            try:
                packet = self._ours.recv(_PACKET)
            except BlockingIOError:
                return notes, False
            except OSError:
                return notes, True
            if not packet:
                return notes, True
            notes.append(_NOTES.decode(packet))

    def cut(self) -> None:
        self._ours.close()


def begin_process(title: str, parent_pid: int) -> None:
    """Names the process, ties its life to its parent's, and leaves Ctrl-C to the supervisor."""
    setproctitle(title)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:  # it died before we asked to be told
        sys.exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
