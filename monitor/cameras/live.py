"""A camera that sets its own pace: a thread reads it, says when it is lost and back, and capture takes what it saw.

Nothing here blocks capture: a device may take its time to connect, to read, or to notice that it is gone, and while
it does, `take` looks at the thread's clock and says `camera.lost` in its place.
"""

import contextvars
import threading
import time
from pathlib import Path
from typing import Protocol

import structlog

from config.cameras import CameraBase
from monitor.bus.wire import Bell, End
from monitor.cameras import CameraError, Exposed, Note
from monitor.cameras.count import TriggerCount
from monitor.cameras.shelf import Seen, Shelf
from monitor.messages import Counter

BACK_OFF_S = (0.2, 2.0)  # between two attempts to connect: doubled from the first to the second
STOP_S = 1.0  # a thread that hangs in its device must not keep the run from ending
TAKE_MOST = 64  # triggers at once: a thousand lost blocks must not hold up capture's loop
DEAF_S = 0.8  # a read that has not come back for so long: the camera is gone

log = structlog.get_logger()


class Silent(Exception):
    """The camera does not answer, but its stream may still go on by itself: what it sent meanwhile is then counted."""


class Link(Protocol):
    """A connection to a camera that is sending; of the reader's thread alone."""

    def read(self) -> list[Seen]:
        """What came within some 100 ms, perhaps nothing; Silent, or CameraError where it must be opened anew."""
        ...

    def close(self, *, lost: bool) -> None:
        """Stops and lets go; `lost`: nobody is there to be told."""
        ...


class Device(Protocol):
    """What differs from one kind to the next."""

    def check(self) -> None:
        """At start: CameraError where the camera is absent, another one, or not as the station says."""
        ...

    def open(self) -> Link:
        """Connects and starts it; CameraError where it cannot."""
        ...


class Reader:
    """The thread, and what is known of its camera."""

    def __init__(self, name: str, device: Device, bell: Bell, *, deaf_s: float) -> None:
        """`deaf_s`: a read that has not come back for so long is a camera that is gone."""
        self._deaf_s = deaf_s
        self.shelf = Shelf()
        self.failed: BaseException | None = None
        self.is_there = False  # the camera answers, and what it is triggered for it sends
        self._name, self._device, self._bell = name, device, bell
        context = contextvars.copy_context()  # a thread's own would leave the process's name out of its log lines
        self._thread = threading.Thread(target=context.run, args=(self._run,), name=f"reader-{name}", daemon=True)
        self._stop = threading.Event()
        self._stop_s = float("inf")
        self._lock = threading.Lock()
        self._read_s = float("inf")  # when the read that is under way began; inf: none is
        self._lost_s: float | None = None
        self._why = ""
        self._notes: list[Note] = []

    def start(self) -> None:
        if not self._thread.is_alive():
            self._thread.start()

    def stop(self) -> None:
        if not self._stop.is_set():
            self._stop_s = time.monotonic()
            self._stop.set()

    def join(self) -> bool:
        """Waits for the thread to let its camera go; whether it has."""
        if self._thread.ident is not None:
            self._thread.join(STOP_S)
        return not self._thread.is_alive()

    @property
    def over(self) -> bool:
        """Whether nothing more will come, as it was told to stop."""
        if not self._stop.is_set() or self.failed is not None:
            return False
        if self._thread.is_alive() and time.monotonic() - self._stop_s < STOP_S:
            return False
        self.shelf.shut()
        return True

    def watch(self) -> None:
        """Says of a read that hangs what the thread cannot say itself."""
        if self.failed is not None:
            raise self.failed
        if not self._stop.is_set() and time.monotonic() - self._read_s > self._deaf_s:
            self._lose(f"no answer for {self._deaf_s:g} s")

    def notes(self) -> list[Note]:
        """Losses and returns since the last call."""
        with self._lock:
            notes, self._notes = self._notes, []
        return notes

    def _run(self) -> None:
        try:
            self._read_on()
        except Exception as error:  # a thread has nobody to raise to: capture raises it at its next look
            self.failed = error
            self._bell.ring()

    def _read_on(self) -> None:
        wait_s, counted = BACK_OFF_S[0], True
        link: Link | None = None
        while not self._stop.is_set():
            try:
                link = link or self._device.open()
                self._read_s = time.monotonic()
                seen = link.read()
            except Silent as error:
                self._lose(str(error))
                continue
            except CameraError as error:
                self._lose(str(error))
                if link is not None:
                    link.close(lost=True)
                link, counted = None, False
                self._stop.wait(wait_s)
                wait_s = min(2 * wait_s, BACK_OFF_S[1])
                continue
            finally:
                self._read_s = float("inf")
            self._find(counted=counted)
            wait_s, counted = BACK_OFF_S[0], True
            for each in seen:
                self.shelf.put(each)
            if seen:
                self._bell.ring()
        if link is not None:
            link.close(lost=self._lost_s is not None)

    def _lose(self, why: str) -> None:
        self.is_there = False
        with self._lock:
            if self._lost_s is None:
                self._lost_s = time.monotonic()
                log.error("camera.lost", camera=self._name, why=why)
                self._notes.append(Note("camera.lost", why, is_loss=True))
            elif why != self._why:
                log.warning("camera.away", camera=self._name, why=why)
            self._why = why

    def _find(self, *, counted: bool) -> None:
        """`counted`: whether the triggers it was away for are among the rows, or nobody knows how many there were."""
        with self._lock:
            if self._lost_s is not None:
                away_s = round(time.monotonic() - self._lost_s, 2)
                log.warning("camera.back", camera=self._name, away_s=away_s, triggers_counted=counted)
                missed = "what was triggered meanwhile was counted" if counted else "nobody knows what was triggered"
                self._notes.append(Note("camera.back", f"after {away_s:g} s; {missed}", is_loss=False))
                self._lost_s, self._why = None, ""
        self.is_there = True


class LiveStream:
    """The camera is the trigger source: each frame it made, and each it says it lost, is a trigger."""

    def __init__(self, camera: CameraBase, device: Device, *, run: str, log_path: Path, deaf_s: float = DEAF_S) -> None:
        self._count = TriggerCount(camera.name, run=run, log_path=log_path)
        if not self._count.resumed:  # inside a run a camera that is away comes back; at start it is refused
            device.check()
        self._bell = Bell()
        self.ends: tuple[End, ...] = (self._bell,)
        self._reader = Reader(camera.name, device, self._bell, deaf_s=deaf_s)
        self._most: int | None = 0  # nothing before go()
        self._told = False  # to go, or to stop

    def go(self, frames: int | None) -> None:
        self._most, self._told = frames, True
        if not self._full:
            self._reader.start()

    def stop(self) -> None:
        self._told = True
        self._reader.stop()

    @property
    def ended(self) -> bool:
        """Whether every trigger of this run has been counted."""
        return self._told and (self._full or (self._reader.over and not len(self._reader.shelf)))

    def take(self, *, room: int) -> list[Exposed]:
        """Every trigger, whether there is room or not: the camera does not wait."""
        del room
        self._bell.hush()
        self._reader.watch()
        left = TAKE_MOST if self._most is None else min(TAKE_MOST, self._most - self._count.drawn)
        exposed = [self._numbered(seen) for seen in self._reader.shelf.take(max(0, left))]
        if exposed:
            self._count.sync()
        if self._told and self._full:
            self._reader.stop()
        return exposed

    def counter(self) -> Counter:
        return self._count.counter(ended=self.ended)

    def notes(self) -> list[Note]:
        return self._reader.notes()

    def close(self) -> None:
        self._reader.stop()
        if self._reader.join():
            self._bell.close()
        self._count.close()

    @property
    def _full(self) -> bool:
        return self._most is not None and self._count.drawn >= self._most

    def _numbered(self, seen: Seen) -> Exposed:
        slot = self._count.next(source=seen.source)
        return Exposed(
            slot=slot,
            trigger_count=slot,
            at_count=None,
            at_ns=seen.at_ns,
            pixels=seen.pixels,
            refusal=seen.refusal,
            width=seen.width,
            height=seen.height,
            source=seen.source,
        )
