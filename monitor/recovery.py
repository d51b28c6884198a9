"""What decision must settle before it says ready: triggers without a verdict, and PASSes without a gate's word."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import structlog

from config.station import Station
from monitor.bus.wire import Ears, Puller, Received
from monitor.lifeline import Lifeline
from monitor.messages import Counter, FrameId, Outcome, Reason, Segmentation
from monitor.person import Person
from monitor.rows import AlarmBody, Entry, Kind, PersonBody, RunBody
from monitor.rules.changes import changes
from monitor.rules.ledger import Closing
from monitor.rules.verdicts import Provenance

WAIT_MS = 20
BACKLOG_MOST = 1024
RESUME_S = 0.3
SLOW_S = 5.0  # the source has not said its count: worth a line in the log


log = structlog.get_logger()


class SourceBehind(Exception):
    """The trigger source counts from further back than the journal: slots would be used twice."""


class OpenVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A durable verdict in force."""

    seq: int
    frame: str
    camera: str
    outcome: Outcome
    reason: Reason | None


class OpenPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of which the gate has said nothing, and what its cameras have said so far."""

    slot: int
    at_count: int | None
    verdicts: tuple[OpenVerdict, ...]


class Memory(Protocol):
    """What the journal knows of earlier starts; storage/memory.py reads it."""

    def has_run(self, run: str) -> bool:
        """Whether this run has its row already: then this is a restart inside it."""
        ...

    def missing_slots(self, camera: str) -> tuple[list[int], int]:
        """(slots without a verdict below the last that has one, that last slot or 0)."""
        ...

    def open_parts(self) -> list[OpenPart]:
        """Parts with verdicts, and without an `actuated` row."""
        ...

    def standing_alarms(self) -> list[AlarmBody]:
        """Latched alarms that nobody has acknowledged."""
        ...

    def last_run(self) -> RunBody | None:
        """The start of the line before this one."""
        ...

    def unrecorded(self) -> list[PersonBody]:
        """What people did while nobody could write it down."""
        ...


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """Where the ledger begins."""

    closed_to: Mapping[str, int]  # camera → slot
    gaps: list[Closing]  # to be closed as recovered
    open_parts: list[OpenPart]
    run_row: Entry | None  # to be written first; None inside a run
    people: list[PersonBody] = field(default_factory=list)  # what they changed, to be written next
    standing: list[AlarmBody] = field(default_factory=list)  # alarms that nobody has acknowledged
    backlog: list[Received] = field(default_factory=list)  # what came while we waited, and is not said again


def recover(
    lifeline: Lifeline,
    station: Station,
    provenance: Provenance,
    memory: Memory,
    *,
    ears: Ears,
    inlet: Puller,
    config: str,
    person: Person,
    resume: Callable[[int], object],
) -> Recovered | None:
    """Waits for the source of every camera to say its count; None when the rope was cut meanwhile.

    `resume` tells the source up to which slot the journal knows: one that lost its counter goes on from there.
    """
    known = {camera.name: memory.missing_slots(camera.name) for camera in station.cameras}
    highest = max(last for _, last in known.values())
    counts, backlog = _counts(lifeline, station, ears, inlet, resume=lambda: resume(highest))
    if counts is None:
        return None
    gaps: list[Closing] = []
    for camera, count in counts.items():
        missing, last = known[camera]
        if count < last:
            raise SourceBehind(
                f"{station.name}/{camera}: the trigger source has counted to {count}, the journal has slot {last}; "
                f"restore the source's log, or move the station's state folder aside"
            )
        gaps += [_gap(station, camera, slot) for slot in [*missing, *range(last + 1, count + 1)]]
    people = memory.unrecorded()
    run_row: Entry | None = None
    if not memory.has_run(provenance.run):
        body = _run_body(provenance, counts, config=config, recovered=len(gaps))
        run_row = Entry(kind=Kind.RUN, frame=None, slot=None, outcome=None, reason=None, body=body)
        if (before := memory.last_run()) is not None:
            people += changes(before, body, who=person.who, why=person.why)
    return Recovered(
        closed_to=counts,
        gaps=gaps,
        open_parts=memory.open_parts(),
        run_row=run_row,
        people=people,
        standing=memory.standing_alarms(),
        backlog=list(backlog),
    )


def _counts(
    lifeline: Lifeline, station: Station, ears: Ears, inlet: Puller, *, resume: Callable[[], object]
) -> tuple[dict[str, int] | None, deque[Received]]:
    """Camera → triggers counted by its source, once every source has spoken."""
    wanted = {camera.name for camera in station.cameras}
    counts: dict[str, int] = {}
    backlog: deque[Received] = deque(maxlen=BACKLOG_MOST)
    slow_s: float | None = time.monotonic() + SLOW_S
    said_s = 0.0
    while wanted - counts.keys():
        if time.monotonic() - said_s >= RESUME_S:
            said_s = time.monotonic()
            resume()
        ears.wait(WAIT_MS)
        if lifeline.cut:
            return None, backlog
        for received in inlet.messages():
            message = received[0]
            if isinstance(message, Counter):
                counts |= {camera: message.trigger_count for camera in message.cameras if camera in wanted}
            if isinstance(message, Counter | Segmentation):
                backlog.append(received)  # everything else is said until answered
        if slow_s is not None and time.monotonic() >= slow_s:
            log.warning("source.silent", cameras=sorted(wanted - counts.keys()))
            slow_s = None
    return counts, backlog


def _gap(station: Station, camera: str, slot: int) -> Closing:
    frame = FrameId(station=station.name, camera=camera, epoch=0, seq=slot)
    return Closing(
        frame=frame, slot=slot, reason=Reason.RECOVERED, at_count=None, captured=None, segmentation=None, payload={}
    )


def _run_body(provenance: Provenance, counts: Mapping[str, int], *, config: str, recovered: int) -> RunBody:
    return RunBody(
        run=provenance.run,
        started_at=time.time_ns(),
        software=provenance.software,
        config_sha256=provenance.config_sha256,
        config=config,
        model_name=provenance.model_name,
        model_sha256=provenance.model_sha256,
        engine=provenance.engine,
        first_slots={camera: count + 1 for camera, count in counts.items()},
        recovered=recovered,
        baselines=dict(provenance.baselines),
        calibrations=dict(provenance.calibrations),
    )
