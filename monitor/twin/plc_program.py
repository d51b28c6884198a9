"""The program of a simulated PLC: slot table, gate, handshake and fail-safe default, behind any protocol.

`scan` is one scan of the program. What a test wants to go wrong is a switch: a stalled program, acks that are not
given, a restart that forgets everything, a gate whose plate is stuck, triggers that are lost or counted twice.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.station import Belt
from monitor.messages import Command, Gate, Gated
from monitor.rules.handshake import ACTED_KEPT, MAP_VERSION, Acted, LineStatus, Mailbox, PlcStatus
from monitor.twin.belt import Trigger, TwinBelt

HEARTBEAT_MOST_NS = 1_000_000_000  # of the line: after this the belt is held
SESSIONS = 1 << 16


@dataclass(kw_only=True)
class Faults:
    """What goes wrong, until it is set right again."""

    stalled: bool = False  # the program stands still: no scan, no heartbeat
    drops_acks: bool = False  # what is in the mailbox is taken in, and not acknowledged


Feed = Callable[[Trigger], dict[str, Any] | None]  # what is known of the part at this place; None: there is none


class PlcProgram:
    """One PLC. Its interface has a thread of its own: whoever calls holds `lock`."""

    def __init__(self, belt: Belt, state: Path, *, run: str) -> None:
        self._belt_facts, self._state, self._run = belt, state, run
        self.lock = threading.RLock()
        self.faults = Faults()
        self.belt = TwinBelt(belt, state, run=run)
        self.session = int.from_bytes(_session_file(state)) % (SESSIONS - 1) + 1
        self.acted: deque[Acted] = deque(maxlen=ACTED_KEPT)
        self.is_wired = False  # triggers come from outside, as a camera's strobe gives them, wherever the belt is
        self.share = 1.0  # of the belt's full speed, as the drive is set
        self.held = ""  # why the belt stands
        self._heartbeat = self._ack = self._acted_count = 0
        self._line: LineStatus | None = None
        self._line_beat_ns: int | None = None

    def scan(self, now_ns: int, feed: Feed | None) -> list[Trigger]:
        """One round of the program; the parts that came in front of the lens. Without `feed` none will come."""
        if self.faults.stalled:
            return []
        self._heartbeat = (self._heartbeat + 1) % SESSIONS
        self._watch(now_ns)
        for gated in self.belt.act(now_ns):
            self._report(gated)
        triggers = []
        while self._ready and not self.is_wired and feed is not None and (trigger := self.belt.due_trigger(now_ns)):
            if (facts := feed(trigger)) is None:
                break
            self.belt.place(trigger, facts)
            triggers.append(trigger)
        self.belt.skip_trigger(now_ns)  # places that went by empty
        return triggers

    def strobe(self, now_ns: int) -> None:
        """The trigger input: it counts whatever comes, whether the line is ready or not."""
        if not self.faults.stalled:
            self.belt.place(Trigger(slot=self.belt.slot + 1, at_count=self.belt.count(now_ns)), {})

    def written(self, line: LineStatus, mailbox: Mailbox, now_ns: int) -> None:
        """The line has written its block."""
        if self.faults.stalled:
            return
        if self._line is None or line.heartbeat != self._line.heartbeat:
            self._line_beat_ns = now_ns
        self.belt.slot = max(self.belt.slot, line.last_slot)  # a counter that was lost is known there
        self._line = line
        if mailbox.batch in (0, self._ack):
            return
        for result in mailbox.results:
            command = Command(slot=result.slot, outcome=result.outcome, reason_code=result.reason_code)
            if (fate := self.belt.command(command, now_ns)) is not None:
                self._report(fate)
        if not self.faults.drops_acks:
            self._ack = mailbox.batch

    def line_lost(self, now_ns: int) -> None:
        """The line's last will came: as if its heartbeat had stood still for long. A new heartbeat ends it."""
        if not self.faults.stalled and self._line_beat_ns is not None:
            self._line_beat_ns = now_ns - HEARTBEAT_MOST_NS - 1

    @property
    def line(self) -> LineStatus | None:
        """The line's block as last written; None before the first."""
        return self._line

    def status(self, now_ns: int) -> PlcStatus:
        """The PLC's block as it stands; a stalled program changes nothing in it."""
        return PlcStatus(
            map_version=MAP_VERSION,
            session=self.session,
            heartbeat=self._heartbeat,
            ready=self._ready,
            held=bool(self.held),
            fault=int(bool(self.belt.tracker.fault)),  # 1: counts and part sensor disagree
            part_type=0,
            trigger_count=self.belt.slot,
            encoder_count=self.belt.count(now_ns),
            counts_per_s=round(self.belt.counts_per_s),
            line_heartbeat=self._line.heartbeat if self._line else 0,
            result_ack=self._ack,
            acted_count=self._acted_count,
        )

    def drive(self, share: float, now_ns: int) -> None:
        """The operator turns the belt's knob; a held belt stays where it is."""
        self.share = share
        if not self.held:
            self.belt.drive(share, now_ns)

    def restart(self, now_ns: int, *, retentive: bool = True) -> None:
        """Power off and on: registers zeroed, slot table lost, and what lay on the belt rejected.

        Without a retentive trigger counter that begins at 0, until the line says how far it knows.
        """
        self.belt.close()
        self.belt = TwinBelt(self._belt_facts, self._state, run=self._run)
        self.belt.start(now_ns)
        if not retentive:
            self.belt.slot = 0
        self.session = self.session % (SESSIONS - 1) + 1
        self.acted.clear()
        self._heartbeat = self._ack = self._acted_count = 0
        self._line, self._line_beat_ns, self.held = None, None, ""
        self.belt.drive(self.share, now_ns)

    @property
    def _ready(self) -> bool:
        return self._line is not None and self._line.ready and not self.held

    def _watch(self, now_ns: int) -> None:
        """A line that is silent, or asks for it, stops the belt; it runs again when both are over."""
        silent = self._line_beat_ns is not None and now_ns - self._line_beat_ns > HEARTBEAT_MOST_NS
        asked = self._line is not None and self._line.hold
        why = "asked by the line" if asked else "the line's heartbeat stands still" if silent else ""
        if bool(why) != bool(self.held):
            self.belt.drive(0.0 if why else self.share, now_ns)
        self.held = why

    def _report(self, gated: Gated) -> None:
        if gated.gate is Gate.NONE:
            return  # of no part that we know
        self._acted_count += 1
        self.acted.append(
            Acted(
                n=self._acted_count,
                slot=gated.slot,
                ordered=gated.outcome,
                gate=gated.gate,
                seen=gated.seen,
                at_count=gated.at_count,
                late_ms=gated.late_ms,
            )
        )


def _session_file(state: Path) -> bytes:
    """Counts the starts of the program, so that each session has another number."""
    path = state / "plc-session"
    session = int(path.read_text()) + 1 if path.exists() else 1
    state.mkdir(parents=True, exist_ok=True)
    path.write_text(str(session))
    return session.to_bytes(4)
