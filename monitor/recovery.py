"""What decision must settle before it says ready: triggers without a verdict, and PASSes without a gate's word."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from config.station import Station
from monitor.bus.wire import Ears, Puller, Received
from monitor.lifeline import Lifeline
from monitor.messages import Counter, FrameId, Reason
from monitor.rows import Entry, Kind, RunBody
from monitor.rules.ledger import Closing
from monitor.rules.verdicts import Provenance

WAIT_MS = 20
SLOW_S = 5.0  # the source has not said its count: worth a line in the log


class SourceBehind(Exception):
    """The trigger source counts from further back than the journal: slots would be used twice."""


class OpenPass(msgspec.Struct, frozen=True, kw_only=True):
    """A durable PASS of which the gate has said nothing."""

    seq: int
    frame: str
    camera: str
    slot: int
    at_count: int | None


class Memory(Protocol):
    """What the journal knows of earlier starts; storage/memory.py reads it."""

    def has_run(self, run: str) -> bool:
        """Whether this run has its row already: then this is a restart inside it."""
        ...

    def missing_slots(self, camera: str) -> tuple[list[int], int]:
        """(slots without a verdict below the last that has one, that last slot or 0)."""
        ...

    def open_passes(self) -> list[OpenPass]:
        """Effective PASSes of all cameras without an `actuated` row."""
        ...


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """Where the ledger begins."""

    closed_to: Mapping[str, int]  # camera → slot
    gaps: list[Closing]  # to be closed as recovered
    open_passes: Mapping[int, list[OpenPass]]  # slot → the PASS of each camera
    run_row: Entry | None  # to be written first; None inside a run
    backlog: list[Received] = field(default_factory=list)  # what came while we waited


def recover(
    lifeline: Lifeline,
    station: Station,
    provenance: Provenance,
    memory: Memory,
    *,
    ears: Ears,
    inlet: Puller,
    config: str,
) -> Recovered | None:
    """Waits for the source of every camera to say its count; None when the rope was cut meanwhile."""
    counts, backlog = _counts(lifeline, station, ears, inlet)
    if counts is None:
        return None
    gaps: list[Closing] = []
    for camera, count in counts.items():
        missing, last = memory.missing_slots(camera)
        if count < last:
            raise SourceBehind(
                f"{station.name}/{camera}: the trigger source has counted to {count}, the journal has slot {last}; "
                f"restore the source's log, or move the station's state folder aside"
            )
        gaps += [_gap(station, camera, slot) for slot in [*missing, *range(last + 1, count + 1)]]
    passes: dict[int, list[OpenPass]] = {}
    for each in memory.open_passes():
        passes.setdefault(each.slot, []).append(each)
    run_row = (
        None if memory.has_run(provenance.run) else _run_row(provenance, counts, config=config, recovered=len(gaps))
    )
    return Recovered(closed_to=counts, gaps=gaps, open_passes=passes, run_row=run_row, backlog=backlog)


def _counts(
    lifeline: Lifeline, station: Station, ears: Ears, inlet: Puller
) -> tuple[dict[str, int] | None, list[Received]]:
    """Camera → triggers counted by its source, once every source has spoken."""
    wanted = {camera.name for camera in station.cameras}
    counts: dict[str, int] = {}
    backlog: list[Received] = []
    while wanted - counts.keys():
        ears.wait(WAIT_MS)
        if lifeline.cut:
            return None, backlog
        for received in inlet.messages():
            message = received[0]
            if isinstance(message, Counter):
                counts |= {camera: message.trigger_count for camera in message.cameras if camera in wanted}
            backlog.append(received)
    return counts, backlog


def _gap(station: Station, camera: str, slot: int) -> Closing:
    frame = FrameId(station=station.name, camera=camera, epoch=0, seq=slot)
    return Closing(
        frame=frame, slot=slot, reason=Reason.RECOVERED, at_count=None, captured=None, segmentation=None, payload={}
    )


def _run_row(provenance: Provenance, counts: Mapping[str, int], *, config: str, recovered: int) -> Entry:
    body = RunBody(
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
    )
    return Entry(kind=Kind.RUN, frame=None, slot=None, outcome=None, reason=None, body=body)
