"""How far a store is behind the journal, in rows and in seconds; pure, time is an argument."""

from collections import deque

MARKS_MOST = 1024  # past it every other one goes: an outage of a week is told to within twenty minutes


class LagClock:
    """Knows when each row was first seen in the journal, and so how old the oldest is that a store lacks."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque()  # (last row of the journal, when it was first seen)
        self._apart_s = 0.0  # marks are at least

    def saw(self, last: int, now_s: float) -> None:
        """The journal is so long now."""
        if self._marks and self._marks[-1][0] >= last:
            return
        if self._marks and now_s - self._marks[-1][1] < self._apart_s:
            self._marks[-1] = last, self._marks[-1][1]
            return
        self._marks.append((last, now_s))
        if len(self._marks) > MARKS_MOST:
            marks = list(self._marks)
            self._apart_s = max(2 * self._apart_s, 2 * (marks[-1][1] - marks[0][1]) / MARKS_MOST)
            # of two marks the earlier time goes for the rows of both
            self._marks = deque(
                (second[0], first[1]) for first, second in zip(marks[::2], [*marks[1::2], marks[-1]], strict=True)
            )

    def seconds(self, taken: int, now_s: float) -> float:
        """How long the oldest row that is not taken has been there; 0 where all are taken."""
        while self._marks and self._marks[0][0] <= taken:
            self._marks.popleft()
        if not self._marks:
            self._apart_s = 0.0
            return 0.0
        return now_s - self._marks[0][1]
