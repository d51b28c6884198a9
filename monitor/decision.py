"""Process: Captured, Segmentation and Counter in; Verdicts into the journal, then Dispositions and Closed out."""

import time

from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Ears, Puller, Pusher
from monitor.desk import Desk
from monitor.disk_watch import DiskWatch
from monitor.lifeline import Held, Lifeline, Noted
from monitor.messages import AlarmNoted, Hold, Resume, Standing
from monitor.person import this_person
from monitor.recovery import Memory, recover
from monitor.rows import Journal
from monitor.rules.ledger import Closing
from monitor.rules.verdicts import Provenance

TICK_MS = 20
STATUS_S = 0.5
TIDY_S = 0.5
LAST_WORD_S = 0.2  # cameras and workers are gone when we are drained: what is still in the pipes arrives by then
GAPS_PER_COMMIT = 1000


def run_decision(
    lifeline: Lifeline,
    station: Station,
    *,
    provenance: Provenance,
    config: str,
    disk: DiskWatch,
    journal: Journal,
    memory: Memory,
) -> None:
    """Settles what earlier processes left open, says ready, then closes each trigger once until the rope is cut."""
    ends = Endpoints(station)
    with Puller(ends.decision) as inlet, Pusher(ends.actuation) as actuation:
        ears = Ears(lifeline, inlet)
        recovered = recover(
            lifeline,
            station,
            provenance,
            memory,
            ears=ears,
            inlet=inlet,
            config=config,
            person=this_person(),
            resume=lambda last_slot: actuation.send(Resume(last_slot=last_slot)),
        )
        if recovered is None:
            return
        desk = Desk(station, provenance, journal, recovered, disk)
        desk.disk.look(time.monotonic_ns())  # a line that must stand says so before it is ready
        captures = {camera.name: Pusher(ends.closed(camera.name)) for camera in station.cameras}

        def note(key: str) -> None:  # whoever raised it: the other does not know it
            lifeline.say(Noted(key=key))
            for process in (actuation, *captures.values()):
                process.send(AlarmNoted(key=key))

        def settle(closings: list[Closing]) -> None:
            desk.settle(
                closings,
                send=actuation.send,
                answer=lambda closed: captures[closed.frame.camera].send(closed),
                note=note,
            )

        for first in range(0, len(recovered.gaps), GAPS_PER_COMMIT):
            settle(recovered.gaps[first : first + GAPS_PER_COMMIT])
        settle([closing for received in recovered.backlog for closing in desk.hear(received)])
        lifeline.ready()
        drain_s: float | None = None
        standing: Standing | None = None
        status_s = tidied_s = time.monotonic()
        while not lifeline.cut:
            ears.wait(TICK_MS)
            if lifeline.draining and drain_s is None:
                drain_s = time.monotonic() + LAST_WORD_S
            closings = [closing for received in inlet.messages() for closing in desk.hear(received)]
            settle([*closings, *desk.ledger.overdue(now_ns=time.monotonic_ns())])
            for pair in desk.reconciling.pairs():
                captures[pair.camera].send(pair)
            now_s = time.monotonic()
            if (stands := desk.standing()) != standing or now_s - status_s >= STATUS_S:
                standing = stands
                actuation.send(standing)
            if desk.hold and (not desk.ledger.held or now_s - status_s >= STATUS_S):
                desk.ledger.held = True
                actuation.send(Hold(reason=desk.hold))  # said until a person has stopped the line
                lifeline.say(Held(reason=desk.hold))
            if now_s - status_s >= STATUS_S:
                status_s = now_s
                lifeline.say(desk.status())
                actuation.send(Resume(last_slot=desk.ledger.highest))
            if now_s - tidied_s >= TIDY_S:
                tidied_s = now_s
                desk.tidy()
            if drain_s is not None and now_s >= drain_s:
                settle(desk.ledger.give_up())
            if drain_s is not None and not desk.ledger and not desk.dispositions:
                break
        lifeline.say(desk.status())
        desk.commits.close()
        for capture in captures.values():
            capture.close()
    journal.close()
