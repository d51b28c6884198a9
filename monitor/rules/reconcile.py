"""Whether a camera that counts for itself and the PLC mean the same part by the same number; pure.

    PLC      …─C─┬───────────────┬─C+1─…   its count of triggers, read again and again
    camera   …─n─┘               └─n+1─…   frames since its epoch began
                 │◀─ a window ──▶│
                 └ quiet: every trigger has its frame, and every frame its trigger

A frame carries no number of the PLC's, so its slot is `base` + n. That is found out while the line stands, and
compared in each quiet moment after: between two frames in flight, one lost and one doubled look the same. What was
captured since the last moment in which both agreed waits for the next. Where they disagree all of it is in doubt, and
the line must stand again: a frame that came a whole part too late would else be taken for the next part's for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.messages import Counted, Counter, Paired

SETTLE_NS = 300_000_000  # longer than any camera takes from its trigger to memory: after it, nothing is under way


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a quiet moment showed: the slots up to `to` that were not sure yet are all sure, or all in doubt."""

    pair: Paired  # by which they were numbered, or will be
    after: int
    to: int
    agrees: bool
    missing: int = 0  # triggers without a frame; negative: frames without a trigger


@dataclass(kw_only=True)
class Reconciler:
    """One camera. It must deliver a frame within `window_ns` of its trigger, and the PLC count it within the same."""

    camera: str
    window_ns: int
    sure_to: int  # slot; those up to it are closed, or were compared
    pair: Paired | None = None  # None: the line must stand until there is one
    _read: Counter | None = None  # a quiet one that was not compared yet

    def read(self, counter: Counter) -> None:
        """The PLC's count, as it was between `asked_ns` and `at_ns`."""
        if counter.steady_ns and counter.asked_ns - counter.steady_ns >= self.window_ns:
            self._read = counter

    def counted(self, counted: Counted) -> Finding | None:
        """The camera's count; None where the moment was not quiet, or is not over yet."""
        if self.pair and self.pair.epoch != counted.epoch:
            self.pair = None  # its capture was restarted: nobody knows what it missed
        read = self._read
        if read is None or counted.at_ns < read.asked_ns:
            return None
        window_ns = self.window_ns if self.pair else SETTLE_NS
        count = _count_at(counted, read.asked_ns, window_ns)
        if count is None or read.asked_ns - read.steady_ns < window_ns:
            return None
        self._read = None
        after, self.sure_to = self.sure_to, max(self.sure_to, read.trigger_count)
        now = Paired(camera=self.camera, epoch=counted.epoch, base=read.trigger_count - count)
        if self.pair is None:
            self.pair = now
            return Finding(pair=now, after=after, to=self.sure_to, agrees=False)
        missing = now.base - self.pair.base
        found = Finding(pair=self.pair, after=after, to=self.sure_to, agrees=not missing, missing=missing)
        if missing:
            self.pair = None
        return found


class Reconciling:
    """All cameras of a station that count for themselves."""

    def __init__(self, windows_ms: Mapping[str, float], closed_to: Mapping[str, int]) -> None:
        """`windows_ms`: by camera, config/timing.py says which; `closed_to`: slots that are closed already."""
        self._cameras = {
            name: Reconciler(camera=name, window_ns=round(window_ms * 1e6), sure_to=closed_to[name])
            for name, window_ms in windows_ms.items()
        }
        self._pairs: dict[str, Paired] = {}

    @property
    def cameras(self) -> frozenset[str]:
        return frozenset(self._cameras)

    @property
    def pauses(self) -> bool:
        """Whether the line must stand, as a camera's frames have no numbers."""
        return any(each.pair is None for each in self._cameras.values())

    def read(self, counter: Counter) -> None:
        for each in self._cameras.values():
            each.read(counter)

    def counted(self, counted: Counted) -> Finding | None:
        each = self._cameras[counted.camera]
        found = each.counted(counted)
        if each.pair and counted.base != each.pair.base:
            self._pairs[counted.camera] = each.pair
        return found

    def pairs(self) -> list[Paired]:
        """What captures have not taken in yet."""
        pairs, self._pairs = list(self._pairs.values()), {}
        return pairs


def difference(found: Finding) -> str:
    """What a person is told of a finding; empty where there was nothing to compare."""
    if not found.missing:
        return ""
    what = "triggers without a frame" if found.missing > 0 else "frames without a trigger"
    slots = f"; slots {found.after + 1} to {found.to} are not inspected" if found.to > found.after else ""
    return f"{abs(found.missing)} {what}{slots}, and the line pauses until both counts are paired anew"


def _count_at(counted: Counted, at_ns: int, window_ns: int) -> int | None:
    """How many frames there were at `at_ns`; None where one had come within a window before it."""
    later = sum(arrival > at_ns for arrival in counted.arrivals_ns)
    earlier = counted.arrivals_ns[: len(counted.arrivals_ns) - later]
    if not earlier:
        return None if counted.count > later else 0  # older than those that are listed, or none at all
    return counted.count - later if at_ns - earlier[-1] >= window_ns else None
