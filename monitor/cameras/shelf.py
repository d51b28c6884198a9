"""What a reader thread has seen and capture has not yet taken: bounded, and nothing on it is ever dropped silently."""

import dataclasses
import threading
from collections import deque
from dataclasses import dataclass

from monitor.cameras import Pixels
from monitor.messages import Reason

FRAMES_MOST = 16  # frames with pixels; past it the newest keeps its place and loses its pixels
ALL_MOST = 50_000  # triggers without pixels are small, but more than this is a loop that stands still


class ShelfFull(Exception):
    """Capture's loop takes nothing any more: the process must end, and be started anew."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One trigger as its camera told it, not yet numbered."""

    at_ns: int  # monotonic, when it reached this host
    pixels: Pixels | None
    refusal: Reason | None = None
    width: int = 0
    height: int = 0
    source: str = ""


class Shelf:
    """One thread puts, another takes."""

    def __init__(self, *, frames_most: int = FRAMES_MOST) -> None:
        self._frames_most = frames_most
        self._seen: deque[Seen] = deque()
        self._frames = 0
        self._shut = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._seen)

    def put(self, seen: Seen) -> None:
        """At the cap the newest becomes an overload: it is still a trigger."""
        with self._lock:
            if self._shut:
                return
            if len(self._seen) >= ALL_MOST:
                raise ShelfFull(f"{ALL_MOST} triggers wait to be counted")
            if seen.pixels is not None:
                if self._frames >= self._frames_most:
                    height, width = seen.pixels.shape[:2]
                    seen = dataclasses.replace(seen, pixels=None, refusal=Reason.OVERLOAD, width=width, height=height)
                else:
                    self._frames += 1
            self._seen.append(seen)

    def take(self, most: int) -> list[Seen]:
        """The oldest, up to so many."""
        with self._lock:
            taken = [self._seen.popleft() for _ in range(min(most, len(self._seen)))]
            self._frames -= sum(seen.pixels is not None for seen in taken)
        return taken

    def shut(self) -> None:
        """Nothing more is put here."""
        with self._lock:
            self._shut = True
