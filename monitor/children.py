"""A process of the line as its supervisor sees it: started, ready, beating, lost, started again within a budget."""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from config.station import Restarts
from monitor.lifeline import Beat, Lifeline, Note, Order, Ready, Rope

START_S = 90.0  # a cold torch on a busy machine takes ten
HUNG_S = 3.0  # fifteen lost beats


class Role(StrEnum):
    """What a process does for the flow; the order is from the sink to the source."""

    SINK = "sink"  # recorder, Redis: the line runs on without it
    LINE = "line"
    WORKER = "worker"
    SOURCE = "source"  # counts the triggers


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of the table that is the system."""

    name: str
    inward: str  # what comes in
    outward: str  # what goes out
    role: Role
    run: Callable[[Lifeline], None]  # imports its own stage, and nothing else of ours
    threads: int = 1
    hung_s: float = HUNG_S


class State(StrEnum):
    """How a process is."""

    STARTING = "starting"
    READY = "ready"
    ENDED = "ended"  # as it was told to
    DEAD = "dead"  # past its budget, or waiting for its next start


@dataclass(kw_only=True)
class Child:
    """A job and the process that does it."""

    job: Job
    command: Callable[[Job, int], list[str]]  # job, file descriptor of its rope → argv
    budget: Restarts
    log_fd: int | None = None  # where its stderr goes; None: ours
    state: State = State.DEAD
    facts: dict[str, float | str] = field(default_factory=dict)
    restarts: int = 0
    finished: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _rope: Rope | None = None
    _beaten_s: float = 0.0
    _lost_s: deque[float] = field(default_factory=deque)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        return self.state in (State.STARTING, State.READY)

    def start(self) -> None:
        """A process of its own group, so that Ctrl-C at the terminal reaches only us."""
        self._rope = Rope()
        fd = self._rope.theirs.fileno()
        threads = str(self.job.threads)
        self._process = subprocess.Popen(
            self.command(self.job, fd),
            pass_fds=(fd,),
            process_group=0,
            stdin=subprocess.DEVNULL,
            stdout=self.log_fd if self.log_fd is not None else sys.stderr.fileno(),
            stderr=self.log_fd,
            env=os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        )
        self._rope.handed_over()
        self.state, self._beaten_s, self.finished = State.STARTING, time.monotonic(), False

    def fileno(self) -> int:
        return self._rope.fileno() if self._rope else -1

    def order(self, order: Order) -> None:
        if self._rope and self.alive:
            self._rope.order(order)

    def listen(self) -> list[Note]:
        """What it said; beats are kept here."""
        if self._rope is None:
            return []
        notes, _ = self._rope.notes()
        if notes:
            self._beaten_s = time.monotonic()
        for note in notes:
            if isinstance(note, Ready):
                self.state, self.facts = State.READY, dict(note.facts)
        return [note for note in notes if not isinstance(note, Beat)]

    def exit_code(self) -> int | None:
        """None while it runs; a hung one is killed first, and reads -9."""
        if self._process is None:
            return None
        limit_s = self.job.hung_s if self.state is State.READY else START_S
        if self._process.poll() is None and time.monotonic() - self._beaten_s > limit_s:
            self._process.kill()
            self._process.wait()
        return self._process.poll()

    def ended(self, state: State) -> None:
        """Lets go of a process that is no more."""
        if self._rope:
            self._rope.cut()
        self._rope, self._process, self.state = None, None, state

    def may_restart(self) -> bool:
        """Counts a loss; whether the budget allows another start."""
        now_s = time.monotonic()
        self._lost_s.append(now_s)
        while self._lost_s and now_s - self._lost_s[0] > self.budget.within_s:
            self._lost_s.popleft()
        return len(self._lost_s) <= self.budget.most

    def cut(self, *, grace_s: float) -> None:
        """Cuts its rope, waits, and then does not ask again."""
        if self._process is None:
            return
        if self._rope:
            self._rope.cut()
            self._rope = None
        try:
            self._process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.ended(State.ENDED)
