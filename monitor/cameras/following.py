"""A camera beside a PLC that counts the triggers: it numbers its own frames, and is told which part that number is.

It is armed before the line is ready, so that no trigger finds it asleep. What it sends before it was paired belongs
to no part that anybody knows: it is logged, and the part ends without a camera.
"""

import time
from collections import deque
from pathlib import Path

import structlog

from config.cameras import CameraBase
from monitor.bus.wire import Bell, End
from monitor.cameras import Exposed, Note
from monitor.cameras.live import DEAF_S, TAKE_MOST, Device, Reader
from monitor.cameras.shelf import Seen
from monitor.messages import Counted, Counter, Paired

ARRIVALS_KEPT = 16

log = structlog.get_logger()


class FollowingStream:
    """What `LiveStream` is where the camera is the source; `counted` is said to decision again and again."""

    def __init__(
        self, camera: CameraBase, device: Device, *, epoch: int, run: str, state: Path, deaf_s: float = DEAF_S
    ) -> None:
        armed = state / f"armed-{camera.name}"
        if not armed.exists() or armed.read_text() != run:  # inside a run a camera that is away comes back
            device.check()
            armed.write_text(run)
        self._name, self._epoch = camera.name, epoch
        self._bell = Bell()
        self.ends: tuple[End, ...] = (self._bell,)
        self._reader = Reader(camera.name, device, self._bell, deaf_s=deaf_s)
        self._count = 0
        self._base: int | None = None
        self._complete_ns = time.monotonic_ns()
        self._arrivals_ns: deque[int] = deque(maxlen=ARRIVALS_KEPT)
        self._reader.start()

    def go(self, frames: int | None) -> None:
        """The PLC triggers; how often is its business."""

    def stop(self) -> None:
        """The PLC ends it."""

    def end(self) -> None:
        """The run is over: whatever still comes is no part of it."""
        self._reader.stop()

    def take(self, *, room: int) -> list[Exposed]:
        """Every frame, whether there is room or not: the camera does not wait."""
        del room
        self._bell.hush()
        self._reader.watch()
        looked_ns = time.monotonic_ns()
        seen = self._reader.shelf.take(TAKE_MOST)
        exposed = [each for one in seen if (each := self._numbered(one))]
        if len(seen) < TAKE_MOST:
            self._complete_ns = looked_ns
        return exposed

    def counter(self) -> Counter | None:
        """The PLC's, not ours."""
        return None

    def counted(self) -> Counted | None:
        """How far our own count is, to be compared with the PLC's; None while the camera is away."""
        if not self._reader.is_there:
            return None
        return Counted(
            camera=self._name,
            epoch=self._epoch,
            count=self._count,
            base=self._base,
            at_ns=self._complete_ns,
            arrivals_ns=tuple(self._arrivals_ns),
        )

    def pair(self, paired: Paired) -> None:
        """From the next frame on; said again and again, and perhaps to an earlier start of ours."""
        if paired.epoch == self._epoch and paired.base != self._base:
            log.warning("camera.paired", camera=self._name, count=self._count, base=paired.base, before=self._base)
            self._base = paired.base

    def notes(self) -> list[Note]:
        return self._reader.notes()

    def close(self) -> None:
        self._reader.stop()
        if self._reader.join():
            self._bell.close()

    def _numbered(self, seen: Seen) -> Exposed | None:
        self._count += 1
        self._arrivals_ns.append(seen.at_ns)
        slot = self._count + (self._base or 0)
        if self._base is None or slot < 1:
            log.warning("frame.unpaired", camera=self._name, count=self._count, source=seen.source)
            return None
        return Exposed(
            slot=slot,
            trigger_count=self._count,
            at_count=None,
            at_ns=seen.at_ns,
            pixels=seen.pixels,
            refusal=seen.refusal,
            width=seen.width,
            height=seen.height,
            source=seen.source,
        )
