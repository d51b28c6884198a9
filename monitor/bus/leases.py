"""Who holds which frame, and until when; pure: time is an argument, sockets are the caller's.

A worker offers a credit; a waiting frame is leased to it (attempt 1). The lease ends with the worker's `Done`, at
once when the worker is known dead, or at its time. There is a second attempt when one still fits before the part is
due, and never a third: two workers that died of one frame are reason enough to call it poison.
"""

from collections import deque
from dataclasses import dataclass, field

from monitor.messages import FrameId, Reason

ATTEMPTS = 2
WORKER_SILENT_NS = 1_000_000_000  # ten credits unsaid and nothing leased: nobody is there
_MS = 1_000_000


@dataclass(kw_only=True)
class Held:
    """A frame between its announcement and its end."""

    frame: FrameId
    due_ns: int  # when an answer is worthless; 0: never
    attempt: int = 1
    deaths: int = 0  # workers that died holding it
    worker: str | None = None  # who has it; None while it waits
    until_ns: int = 0


@dataclass(kw_only=True)
class Worker:
    """What a worker's last credit said."""

    p99_ns: int
    serves: int
    free: bool
    heard_ns: int


@dataclass(kw_only=True)
class Leases:
    """The leases of one camera."""

    lease_ns: int  # at least; more where the worker's own p99 asks for it
    backlog: int
    _waiting: deque[Held] = field(default_factory=deque)
    _leased: dict[FrameId, Held] = field(default_factory=dict)
    _workers: dict[str, Worker] = field(default_factory=dict)

    def room(self, now_ns: int) -> int:
        """Frames that could be drawn now: one for each worker that is free or at work, less those that wait already.

        The next frame is read while the last is scored: a worker that waits for its file stands idle.
        """
        workers = {*self._free(now_ns), *(held.worker for held in self._leased.values())}
        return max(0, min(len(workers), self.backlog) - len(self._waiting))

    def credit(self, worker: str, *, p99_ms: float, serves: int, now_ns: int) -> None:
        """This worker holds no frame of ours and would take one."""
        if any(held.worker == worker for held in self._leased.values()):
            return  # said before our frame reached it
        self._workers[worker] = Worker(p99_ns=int(p99_ms * _MS), serves=serves, free=True, heard_ns=now_ns)

    def offer(self, frame: FrameId, *, due_ns: int, now_ns: int) -> Reason | None:
        """Takes a frame in, or says why the newest one must go."""
        if len(self._waiting) >= self.backlog:
            return self._refusal(now_ns)
        self._waiting.append(Held(frame=frame, due_ns=due_ns))
        return None

    def assign(self, now_ns: int) -> list[tuple[str, FrameId, int]]:
        """(worker, frame, attempt) for every waiting frame that a free worker can take."""
        assigned = []
        for worker in self._free(now_ns):
            if not self._waiting:
                break
            held = self._waiting.popleft()
            facts = self._workers[worker]
            facts.free = False
            held.worker = worker
            held.until_ns = now_ns + max(self.lease_ns, (facts.serves + 1) * facts.p99_ns)
            self._leased[held.frame] = held
            assigned.append((worker, held.frame, held.attempt))
        return assigned

    def done(self, frame: FrameId, attempt: int, worker: str) -> None:
        """The worker's answer is on its way to decision. A token of an older attempt has no effect."""
        held = self._leased.get(frame)
        if held and held.worker == worker and held.attempt == attempt:
            del self._leased[frame]

    def unsent(self, frame: FrameId, now_ns: int) -> list[tuple[FrameId, Reason]]:
        """The worker was not there to take it: as if it had died, but it was not the frame's fault."""
        held = self._leased.pop(frame)
        self._workers.pop(held.worker or "", None)
        held.worker = None
        self._waiting.appendleft(held)
        return self.expired(now_ns)

    def gone(self, worker: str, now_ns: int) -> list[tuple[FrameId, Reason]]:
        """This worker is dead: what it held gets its second attempt, or is given up."""
        self._workers.pop(worker, None)
        lost = [held for held in self._leased.values() if held.worker == worker]
        for held in lost:
            held.deaths += 1
        return [given_up for held in lost for given_up in self._end(held, now_ns)]

    def closed(self, frame: FrameId) -> None:
        """The frame has its verdict: nobody need score it any more."""
        self._leased.pop(frame, None)
        self._waiting = deque(held for held in self._waiting if held.frame != frame)

    def expired(self, now_ns: int) -> list[tuple[FrameId, Reason]]:
        """(frame, reason) for all that no attempt can save; leases past their time are ended."""
        over = [held for held in self._leased.values() if now_ns >= held.until_ns]
        for held in over:
            self._workers.pop(held.worker or "", None)  # hung or lost; its next credit brings it back
        given_up = [each for held in over for each in self._end(held, now_ns)]
        for held in [held for held in self._waiting if not self._fits(held.due_ns, now_ns)]:
            self._waiting.remove(held)
            given_up.append((held.frame, Reason.NO_ANSWER if held.attempt > 1 else self._refusal(now_ns)))
        return given_up

    def _free(self, now_ns: int) -> list[str]:
        """Workers with a credit, who waited longest first; one that fell silent is hung, not free."""
        heard = {name: worker.heard_ns for name, worker in self._workers.items() if worker.free}
        return sorted((name for name in heard if now_ns - heard[name] < WORKER_SILENT_NS), key=lambda name: heard[name])

    def _end(self, held: Held, now_ns: int) -> list[tuple[FrameId, Reason]]:
        del self._leased[held.frame]
        if held.attempt < ATTEMPTS and self._fits(held.due_ns, now_ns):
            held.attempt, held.worker = held.attempt + 1, None
            self._waiting.appendleft(held)
            return []
        return [(held.frame, Reason.POISON if held.deaths >= ATTEMPTS else Reason.NO_ANSWER)]

    def _fits(self, due_ns: int, now_ns: int) -> bool:
        p99_ns = min((worker.p99_ns for worker in self._workers.values()), default=0)
        return due_ns == 0 or now_ns + p99_ns < due_ns

    def _refusal(self, now_ns: int) -> Reason:
        """Why nobody scored it: too much to do, or nobody there to do it."""
        heard = any(now_ns - worker.heard_ns < WORKER_SILENT_NS for worker in self._workers.values())
        return Reason.OVERLOAD if heard or self._leased else Reason.NO_WORKER
