"""Where the belt is now, and which count is too late; pure."""

from config.station import Station
from config.timing import verdict_due_ms
from monitor.messages import Counter

SILENT_NS = 1_000_000_000  # the source says its count every 100 ms
_MS = 1_000_000
_S = 1_000_000_000


class BeltClock:
    """The encoder count at any moment, from the last count heard and the speed since."""

    def __init__(self, station: Station) -> None:
        self.has_belt = station.belt is not None
        self._has_encoder = station.belt is not None and station.belt.encoder
        self._way_ns = round(station.belt.way_ms * _MS) if station.belt else 0
        self._answer_ns = round(station.leases.answer_ms * _MS)
        self._due_ns = round(verdict_due_ms(station) * _MS)
        self._way_counts = station.belt.way_counts if station.belt else 0
        self._due_counts = round(verdict_due_ms(station) / 1000 * station.belt.counts_per_s) if station.belt else 0
        self._last: Counter | None = None

    def hear(self, counter: Counter) -> None:
        if (
            self._has_encoder
            and counter.encoder_count is not None
            and (self._last is None or counter.at_ns > self._last.at_ns)
        ):
            self._last = counter

    def count(self, now_ns: int) -> int | None:
        """The encoder count at `now_ns`; None without a belt, or before it was heard."""
        if self._last is None or self._last.encoder_count is None:
            return None
        return self._last.encoder_count + round(self._last.counts_per_s * (now_ns - self._last.at_ns) / _S)

    def is_heard(self, now_ns: int) -> bool:
        """Whether the encoder has spoken lately: one that is away may stand, whatever its last speed was."""
        return self._last is None or now_ns - self._last.at_ns <= SILENT_NS

    def gate_count(self, at_count: int | None) -> int | None:
        """The count at which a part triggered at `at_count` is in front of the gate."""
        return None if at_count is None or not self._has_encoder else at_count + self._way_counts

    def past_gate(self, due_count: int | None, *, since_ns: int, now_ns: int) -> bool:
        """Whether a part, due at this count or known since `since_ns`, must have met the gate."""
        count = self.count(now_ns)
        if count is not None and due_count is not None:
            return count >= due_count
        return self.has_belt and not self._has_encoder and now_ns >= since_ns + self._way_ns

    def overdue(self, *, at_count: int | None, since_ns: int, now_ns: int) -> bool:
        """Whether a verdict comes too late for a part triggered at `at_count`, known since `since_ns`."""
        count = self.count(now_ns)
        if self.has_belt and at_count is not None and count is not None:
            return count >= at_count + self._due_counts
        return now_ns >= since_ns + (self._due_ns if self.has_belt else self._answer_ns)
