"""How far a store is behind the journal, in rows and in seconds; pure, time is an argument."""

from collections import deque

MARKS_MOST = 1024  # past it every other one goes: an outage of a week is told to the minute


class LagClock:
    """Knows when each row was first seen in the journal, and so how old the oldest is that a store lacks."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque()  # (last row of the journal, when it was first seen)

    def saw(self, last: int, now_s: float) -> None:
        """The journal is so long now."""
        if self._marks and self._marks[-1][0] >= last:
            return
        self._marks.append((last, now_s))
        if len(self._marks) > MARKS_MOST:
            self._marks = deque(mark for n, mark in enumerate(self._marks) if n % 2 == 0 or n == MARKS_MOST)

    def seconds(self, taken: int, now_s: float) -> float:
        """How long the oldest row that is not taken has been there; 0 where all are taken."""
        while self._marks and self._marks[0][0] <= taken:
            self._marks.popleft()
        return now_s - self._marks[0][1] if self._marks else 0.0
