"""Process: a camera in; Captured to decision, Frames leased to workers and published to viewers."""

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
import structlog

from config.cameras import Camera
from config.loader import state_folder
from config.station import Station
from config.timing import verdict_due_ms
from monitor.baseline import load_baseline
from monitor.bus.endpoints import Endpoints
from monitor.bus.leases import Leases
from monitor.bus.wire import Ears, Publisher, Puller, Pusher, Router
from monitor.calls import Calls
from monitor.cameras import Exposed, open_camera
from monitor.cameras.following import FollowingStream
from monitor.cameras.picture import fits
from monitor.lifeline import Finished, Go, Gone, Lifeline, Stop
from monitor.messages import AlarmNoted, Captured, Closed, Credit, Done, Frame, FrameId, Paired, Reason
from monitor.output import write_durably
from monitor.png import encode_png
from monitor.rules.baseline import Baseline
from monitor.rules.health import Gates

TICK_MS = 20
REPEAT_S = 0.5
COUNT_S = 0.1
OPEN_MOST = 256  # frames with pixels that decision has not closed; past it the newest is closed as overload, unseen
_MS = 1_000_000

log = structlog.get_logger()


@dataclass(kw_only=True)
class Told:
    """A frame that decision has not closed yet."""

    captured: Captured
    pixels: npt.NDArray[np.uint8] | None
    due_ns: int
    said_s: float
    picture: bytes = b""  # PNG, once it has been refused


class Desk:
    """Capture without its camera: exposures in, messages to its three neighbours out."""

    def __init__(
        self,
        station: Station,
        camera: Camera,
        *,
        epoch: int,
        decision: Pusher,
        workers: Router,
        viewers: Publisher,
        baseline: Baseline | None = None,
    ) -> None:
        self._station, self._camera, self._epoch = station, camera, epoch
        self._decision, self._workers, self._viewers = decision, workers, viewers
        self._due_ns = round(verdict_due_ms(station) * _MS)
        self.leases = Leases(lease_ns=round(station.leases.lease_ms * _MS), backlog=camera.backlog)
        self.gates = Gates(camera.health, baseline)
        self.told: dict[FrameId, Told] = {}
        self.calls = Calls()
        self._seq = 0

    def expose(self, exposed: Exposed) -> None:
        """Announces a frame, and offers it to the workers unless something is wrong with it."""
        now_ns = time.monotonic_ns()
        self._seq += 1
        frame = FrameId(station=self._station.name, camera=self._camera.name, epoch=self._epoch, seq=self._seq)
        pixels, refusal = exposed.pixels, exposed.refusal
        measures: dict[str, float] = {}
        if pixels is not None:
            fault, measures = self._examine(pixels, whole=refusal is None)
            refusal = refusal or fault  # what the camera itself knows goes first
        due_ns = exposed.at_ns + self._due_ns if self._due_ns else 0
        if refusal is None and len(self.told) >= OPEN_MOST:
            refusal, pixels = Reason.OVERLOAD, None
        if refusal is None:
            refusal = self.leases.offer(frame, due_ns=due_ns, now_ns=now_ns)
        height, width = pixels.shape[:2] if pixels is not None else (exposed.height, exposed.width)
        captured = Captured(
            frame=frame,
            slot=exposed.slot,
            trigger_count=exposed.trigger_count,
            at_count=exposed.at_count,
            captured_ns=exposed.at_ns,
            captured_at=time.time_ns() - (now_ns - exposed.at_ns),
            width=width,
            height=height,
            source=exposed.source,
            refusal=refusal,
            measures=measures,
        )
        self.told[frame] = Told(captured=captured, pixels=pixels, due_ns=due_ns, said_s=time.monotonic())
        self._say(self.told[frame])
        if pixels is not None and pixels.ndim == 2:
            self._viewers.send(Frame(frame=frame, slot=exposed.slot, attempt=1, due_ns=due_ns), {"pixels": pixels})

    def hear_workers(self) -> None:
        """Credits and tokens of ended leases."""
        now_ns = time.monotonic_ns()
        for worker, message, _ in self._workers.messages():
            match message:
                case Credit():
                    self.leases.credit(worker, p99_ms=message.p99_ms, serves=message.serves, now_ns=now_ns)
                case Done():
                    self.leases.done(message.frame, message.attempt, worker)
                case _:
                    log.error("message.unexpected", kind=type(message).__name__, worker=worker)

    def lend(self) -> None:
        """Waiting frames to free workers; what no attempt can save is refused."""
        now_ns = time.monotonic_ns()
        self._refuse(self.leases.expired(now_ns))
        for worker, frame, attempt in self.leases.assign(now_ns):
            told = self.told[frame]
            header = Frame(frame=frame, slot=told.captured.slot, attempt=attempt, due_ns=told.due_ns)
            if told.pixels is None or not self._workers.send(worker, header, {"pixels": told.pixels}):
                self._refuse(self.leases.unsent(frame, now_ns))

    def gone(self, worker: str) -> None:
        """A worker died: its leases are over."""
        self._refuse(self.leases.gone(worker, time.monotonic_ns()))

    def closed(self, frame: FrameId) -> None:
        """Decision has its verdict."""
        self.told.pop(frame, None)
        self.leases.closed(frame)

    def repeat(self) -> None:
        """What decision has not closed is said again."""
        now_s = time.monotonic()
        for told in self.told.values():
            if now_s - told.said_s >= REPEAT_S:
                told.said_s = now_s
                self._say(told)

    def _refuse(self, given_up: list[tuple[FrameId, Reason]]) -> None:
        for frame, reason in given_up:
            if told := self.told.get(frame):
                log.warning("frame.given_up", frame=str(frame), reason=str(reason))
                self.told[frame] = Told(
                    captured=msgspec.structs.replace(told.captured, refusal=reason),
                    pixels=told.pixels,
                    due_ns=told.due_ns,
                    said_s=time.monotonic(),
                )
                self._say(self.told[frame])

    def _say(self, told: Told) -> None:
        if told.captured.refusal is not None and told.pixels is not None and not told.picture:
            told.picture = encode_png(told.pixels)
        self._decision.send(told.captured, {"frame": told.picture} if told.picture else {})

    def _examine(self, pixels: npt.NDArray[np.uint8], *, whole: bool) -> tuple[Reason | None, dict[str, float]]:
        """(why this frame is not inspected, its measures); one that is not this camera's is not measured."""
        if pixels.ndim != 2:
            return Reason.WRONG_FORMAT, {}
        if not fits(self._camera, width=pixels.shape[1], height=pixels.shape[0]):
            return Reason.WRONG_SIZE, {}
        finding = self.gates.inspect(pixels, whole=whole)
        for drift in finding.drifts:
            log.warning("light.drift", camera=self._camera.name, **msgspec.structs.asdict(drift))
            text = f"{drift.measure} is {drift.change_share:+.0%} of what the baseline has"
            self.calls.call("light.drift", self._camera.name, text, level=self._station.alarms.light_drift.level)
        return finding.refusal, finding.measures


def run_capture(lifeline: Lifeline, station: Station, *, camera: str, run: str) -> None:
    """Hands on what the camera sees until the rope is cut, or all of it is closed after the last trigger."""
    cv2.setNumThreads(1)  # it only packs pictures; the cores are the workers'
    facts = next(each for each in station.cameras if each.name == camera)
    ends = Endpoints(station)
    state = state_folder(station)
    with (
        Pusher(ends.decision) as decision,
        Router(ends.leases(camera)) as workers,
        Puller(ends.closed(camera)) as closed,
        Publisher(ends.frames(camera)) as viewers,
    ):
        baseline = _baseline(station, facts)
        if facts.calibration and station.policy.unit == "px":
            log.info("calibration.areas_only", camera=facts.name, limits="px")
        epoch = _next_epoch(state / f"epoch-{camera}")
        stream = open_camera(station, facts, run=run, state=state, epoch=epoch)
        follower = stream if isinstance(stream, FollowingStream) else None
        desk = Desk(
            station,
            facts,
            epoch=epoch,
            decision=decision,
            workers=workers,
            viewers=viewers,
            baseline=baseline,
        )
        ears = Ears(lifeline, workers, closed, *stream.ends)
        lifeline.ready()
        finished = False
        counted_s = 0.0
        while not lifeline.cut:
            _, orders = ears.wait(TICK_MS)
            for order in orders:
                match order:
                    case Go():
                        stream.go(order.frames)
                    case Stop():
                        stream.stop()
                    case Gone():
                        desk.gone(order.worker)
            desk.hear_workers()
            for message, _ in closed.messages():
                match message:
                    case Closed():
                        desk.closed(message.frame)
                    case Paired() if follower:
                        follower.pair(message)
                    case AlarmNoted():
                        desk.calls.noted(message.key)
            for exposed in stream.take(room=desk.leases.room(time.monotonic_ns())):
                desk.expose(exposed)
            if follower and (counted := follower.counted()):
                decision.send(counted)
            desk.lend()
            desk.repeat()
            for note in stream.notes():
                level = station.alarms.camera_lost.level if note.is_loss else "warn"
                desk.calls.call(note.name, camera, note.text, level=level)
            now_s = time.monotonic()
            for alarm in desk.calls.due(now_s):
                decision.send(alarm)
            if now_s - counted_s >= COUNT_S and (counter := stream.counter()):
                counted_s = now_s
                decision.send(counter)
                if counter.ended and not desk.told and not finished:
                    finished = True
                    lifeline.say(Finished())
            if lifeline.draining and follower:
                follower.end()
            if lifeline.draining and not desk.told:
                break
        stream.close()


def _baseline(station: Station, camera: Camera) -> Baseline | None:
    """Says which there is, as it decides what is judged."""
    loaded = load_baseline(station, camera)
    if loaded is None:
        log.warning("baseline.absent", camera=camera.name, not_judged="focus", learn="linectl baseline")
        return None
    log.info("baseline.loaded", camera=camera.name, frames=loaded[0].frames, sha256=loaded[1])
    return loaded[0]


def _next_epoch(path: Path) -> int:
    """Counts the starts of this capture; durable before the number is used, so none is used twice."""
    epoch = int(path.read_text()) + 1 if path.exists() else 1
    write_durably(path, str(epoch).encode())
    return epoch
