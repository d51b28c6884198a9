"""When a store that has failed may be asked again; pure, time is an argument.

closed ── failure ──▶ open, for a pause ── over ──▶ half-open: one asks ── answer ──▶ closed
                        ▲                                  │
                        └───── failure, twice the pause ───┘
"""

FIRST_S, MOST_S = 0.2, 2.0  # after the first failure, and at most


class Breaker:
    """Of one store: while it is open nobody asks, so a store that hangs costs one timeout a pause."""

    def __init__(self, *, first_s: float = FIRST_S, most_s: float = MOST_S) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._pause_s = first_s
        self._open_until_s = 0.0

    def failed(self, now_s: float) -> None:
        """Opens it; each time for longer."""
        self._open_until_s = now_s + self._pause_s
        self._pause_s = min(2 * self._pause_s, self._most_s)

    def answered(self) -> None:
        """Closes it."""
        self._pause_s, self._open_until_s = self._first_s, 0.0

    def wait_s(self, now_s: float) -> float:
        """How long nobody may ask yet; 0 where one may."""
        return max(0.0, self._open_until_s - now_s)
