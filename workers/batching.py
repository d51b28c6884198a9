"""How many of the frames that a worker holds are scored together; pure: times are arguments.

A batch costs less than its frames one by one, but its first answer comes as late as its last. So it may be as large
as the frame that is due first can bear. Nobody waits for more frames: what is held is what is planned.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np

from monitor.messages import Frame

SAVES_LEAST = 0.1  # of the time; where a batch saves less, its frames wait for one another for nothing
BATCH_MS_MOST = 1000.0  # a worker says between batches that it lives, not inside one
LATELY = 200  # times that are remembered
_MS = 1_000_000


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What scoring takes."""

    measured_ms: dict[int, float]  # frames scored together → ms of the net at the start; 1 is among them
    slower: float = 1.0  # than at the start, lately
    after_ms: float = 0.0  # regions and pictures of one frame

    @property
    def most(self) -> int:
        return max(self.measured_ms)

    def net_ms(self, n: int) -> float:
        """At the start; between the sizes that were measured on a line, past the last in proportion."""
        sizes = sorted(self.measured_ms)
        if n > sizes[-1]:
            return self.measured_ms[sizes[-1]] * n / sizes[-1]
        return float(np.interp(n, sizes, [self.measured_ms[size] for size in sizes]))

    def ms(self, n: int) -> float:
        """From the start of a batch to the last of its answers."""
        return self.slower * self.net_ms(n) + n * self.after_ms


def plan(
    held: Sequence[Frame], *, now_ns: int, most: int, cost_ms: Callable[[int], float], margin_ms: float
) -> list[int]:
    """Positions of the frames to score together now, in the order in which they are due.

    More than one only where the batch saves time and ends, `margin_ms` before the first is due, for what comes after.
    A frame that is too late for that even alone is scored alone, and so is a second attempt: it may be what killed
    its first worker, and takes no other with it.
    """
    order = sorted(range(len(held)), key=lambda i: (held[i].due_ns == 0, held[i].due_ns))  # 0: never due
    together = _leading_first_attempts(held[i] for i in order)
    for n in range(min(most, together), 1, -1):
        ends_ns = now_ns + (cost_ms(n) + margin_ms) * _MS
        in_time = held[order[0]].due_ns == 0 or ends_ns <= held[order[0]].due_ns
        if in_time and cost_ms(n) <= (1 - SAVES_LEAST) * n * cost_ms(1):
            return order[:n]
    return order[:1]


def sizes(most: int) -> list[int]:
    """The batches to measure: 2, 4, 8 … and the largest."""
    return [*(1 << k for k in range(1, most.bit_length()) if 1 << k < most), *([most] if most > 1 else [])]


class Pace:
    """How long a worker takes: measured at the start, and lately."""

    def __init__(self, single_ms: Sequence[float]) -> None:
        """`single_ms`: the net's times on single frames."""
        self._measured_ms = {1: float(np.median(single_ms))}
        self._slower = deque((ms / self._measured_ms[1] for ms in single_ms), LATELY)
        self._after_ms: deque[float] = deque(maxlen=LATELY)
        self._answer_ms = deque(single_ms, LATELY)

    def measured(self, n: int, times_ms: Sequence[float]) -> bool:
        """Takes in what n frames together took at the start; False where that is no gain, or too long."""
        ms = float(np.median(times_ms))
        gains = ms <= min(BATCH_MS_MOST, (1 - SAVES_LEAST) * n * self._measured_ms[1])
        if gains:
            self._measured_ms[n] = ms
        return gains

    def scored(self, n: int, net_ms: float) -> None:
        """One clock for all sizes: what the machine does slows them alike, and none is judged by what it once was."""
        self._slower.append(net_ms / self.costs.net_ms(n))

    def answered(self, answer_ms: float, *, after_ms: float) -> None:
        """An answer, so long after its batch began, of that so long after the net was done with it."""
        self._answer_ms.append(answer_ms)
        self._after_ms.append(after_ms)

    @property
    def costs(self) -> Costs:
        return Costs(measured_ms=self._measured_ms, slower=_p99(self._slower), after_ms=_p99(self._after_ms))

    @property
    def p99_ms(self) -> float:
        """For one answer, its batch's wait included: never less than the largest batch takes, whatever came lately.

        A lease lasts (cameras + 1) of these: the batch in hand, then at most as many as there are other cameras.
        """
        lately, costs = _p99(self._answer_ms), self.costs
        return max(lately, costs.ms(costs.most)) if costs.most > 1 else lately

    @property
    def fps(self) -> float:
        """Frames/s of the net at the start, in the batches that suit it best."""
        return max(1000 * n / ms for n, ms in self._measured_ms.items())


def _leading_first_attempts(held: Iterable[Frame]) -> int:
    count = 0
    for frame in held:
        if frame.attempt > 1:
            break
        count += 1
    return count


def _p99(times: Sequence[float] | deque[float]) -> float:
    return float(np.percentile(times, 99)) if times else 0.0
