"""Starts the processes from the sink, watches them, restarts them within a budget, and stops them from the source."""

import contextlib
import selectors
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import structlog

from config.alarms import Level
from config.loader import EXIT_CONFIG
from config.station import Station
from config.timing import transit_text
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Pusher
from monitor.children import Child, Job, Role, State
from monitor.lifeline import Drain, Finished, Go, Gone, Held, Noted, Order, Ready, Status, Stop, Stores
from monitor.messages import Alarm
from monitor.rules.stores import StoreLag, StoreWatch

TICK_S = 0.05
SAY_S = 0.3  # alarms are said again until decision has noted them
SINK_RETRY_S = 10.0  # past its budget a sink is tried this often; the line does not wait for it
EMPTY_S = 15.0  # for parts on the belt to reach the gate when a run ends by itself
HURRIED_S = 3.2  # the same after Ctrl-C: with what follows, 5 s in all
DRAIN_S = 8.0
HURRIED_DRAIN_S = 0.6
LATE_START_S = 120.0

log = structlog.get_logger()


@dataclass(kw_only=True)
class View:
    """What the panel shows."""

    station: Station
    children: list[Child]
    phase: str = "starting"
    status: Status | None = None
    held: str | None = None
    stores: tuple[StoreLag, ...] = ()
    alarms: list[str] = field(default_factory=list)
    ready_s: float | None = None


class StartRefused(Exception):
    """A process that cannot start; its own words are in the log."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Interrupted(Exception):
    """Ctrl-C a second time: out, now."""


class Supervisor:
    """One run of the line."""

    def __init__(
        self, station: Station, jobs: list[Job], command: Callable[[Job, int], list[str]], *, log_fd: int | None = None
    ) -> None:
        self._station = station
        self._children = [Child(job=job, command=command, budget=station.restarts, log_fd=log_fd) for job in jobs]
        self.view = View(station=station, children=self._children)
        self._frames: int | None = None
        self._going = self._stopping = False
        self._draining: set[str] = set()
        self._asked = 0  # signals to stop
        self._alarms: dict[str, Alarm] = {}
        self._said_s = 0.0
        self._retry_s: dict[str, float] = {}
        self._stores = StoreWatch(station.alarms.store_lag.after_s)
        self._levels: dict[str, Level] = {"line.held": "hold", "store.lag": station.alarms.store_lag.level}
        self.on_tick: Callable[[View], None] = lambda _view: None

    @property
    def restarts(self) -> int:
        return sum(child.restarts for child in self._children)

    def run(self, *, frames: int | None, seconds: float | None) -> None:
        """From the first start to the last exit."""
        self._frames = frames
        with self._signals(), Pusher(Endpoints(self._station).decision) as self._decision:
            try:
                for child in reversed(self._children):  # from the sink: nothing is sent to nobody
                    child.start()
                if not self._until(
                    lambda: all(c.state is State.READY for c in self._children), LATE_START_S, starting=True
                ):
                    return
                self.view.phase, self.view.ready_s = "running", time.monotonic()
                self._going = True
                for child in self._children:
                    self._go(child)
                if said := transit_text(self._station):
                    log.warning("belt.no_encoder", text=said)
                log.info("line.ready", station=self._station.name, processes=len(self._children))
                bounded = frames is not None or seconds is not None
                self._until(lambda: self._over(bounded), seconds)
                self._stop()
            finally:
                for child in self._children:
                    child.cut(grace_s=0.0)

    def _over(self, bounded: bool) -> bool:
        sources = [child for child in self._children if child.job.role is Role.SOURCE]
        if self.view.held and not bounded:
            return self._asked > 0  # the hold is latched: a person must look
        return self._asked > 0 or bool(self.view.held) or all(child.finished for child in sources)

    def _stop(self) -> None:
        """From the source: triggers end, the line empties, and each process follows the one before it."""
        self.view.phase = "stopping"
        self._stopping = True
        self._tell(Role.SOURCE, Stop())
        sources = [child for child in self._children if child.job.role is Role.SOURCE]
        self._until(lambda: all(c.finished or not c.alive for c in sources), self._span(EMPTY_S, HURRIED_S))
        names = [child.job.name for child in self._children]
        captures = [child for child in self._children if child.job.name.startswith("capture")]
        workers = [child for child in self._children if child.job.role is Role.WORKER]
        decision = [self._children[names.index("decision")]]
        rest = [child for child in self._children if child not in (*captures, *workers, *decision)]
        servers = [child for child in rest if child.job.name == "redis"]
        for group in ([*captures, *workers], decision, [child for child in rest if child not in servers], servers):
            self._draining |= {child.job.name for child in group}
            for child in group:
                child.order(Drain())
            over = self._until(lambda g=group: not any(c.alive for c in g), self._span(DRAIN_S, HURRIED_DRAIN_S))  # type: ignore[misc]
            if not over:
                log.warning("stop.cut_short", processes=[child.job.name for child in group if child.alive])
            for child in group:
                child.cut(grace_s=0.2)

    def _span(self, calm_s: float, hurried_s: float) -> float:
        return hurried_s if self._asked else calm_s

    def _until(self, over: Callable[[], bool], seconds: float | None, *, starting: bool = False) -> bool:
        """Keeps the line going until `over`, a second signal, or the time; whether it was `over`."""
        until_s = None if seconds is None else time.monotonic() + seconds
        asked = self._asked
        while not over():
            if self._asked >= 2:
                raise Interrupted
            if starting and self._asked:
                return False  # nothing was triggered yet: there is nothing to drain
            if self._asked > asked and until_s is not None and self._stopping:
                until_s = min(until_s, time.monotonic() + HURRIED_DRAIN_S)
                asked = self._asked
            if until_s is not None and time.monotonic() >= until_s:
                if starting:
                    late = [child.job.name for child in self._children if child.state is not State.READY]
                    raise StartRefused(f"not ready after {seconds:g} s: {', '.join(late)}", 1)
                return False
            self._tick(starting=starting)
        return True

    def _tick(self, *, starting: bool) -> None:
        with selectors.DefaultSelector() as selector:
            for child in self._children:
                if child.fileno() >= 0:
                    selector.register(child, selectors.EVENT_READ)
            selector.select(TICK_S)
        for child in self._children:
            for note in child.listen():
                self._heard(child, note)
            if (code := child.exit_code()) is not None:
                self._exited(child, code, starting=starting)
        self._retry()
        now_s = time.monotonic()
        if self._alarms and now_s - self._said_s >= SAY_S:
            self._said_s = now_s
            for alarm in self._alarms.values():
                self._decision.send(alarm)
        self.on_tick(self.view)

    def _heard(self, child: Child, note: object) -> None:
        match note:
            case Ready():
                log.info("process.ready", name=child.job.name, pid=child.pid, **child.facts)
                if child.job.name in self._draining:
                    child.order(Drain())  # it was lost before it could finish
                elif self._going and (self._stopping or self.view.held):
                    child.order(Stop())
                elif self._going:
                    self._go(child)
            case Finished():
                child.finished = True
            case Status():
                self.view.status = note
            case Stores():
                self._look_at(note.lags)
            case Held():
                self._hold(note.reason)
            case Noted():
                self._alarms.pop(note.key, None)

    def _look_at(self, lags: tuple[StoreLag, ...]) -> None:
        """Says of each store once that it is away or behind, and once that it is back."""
        self.view.stores = lags
        if self._going and not self._stopping:
            for name, about, text in self._stores.look(lags):
                self._alarm(name, about, text)

    def _exited(self, child: Child, code: int, *, starting: bool) -> None:
        pid, name = child.pid, child.job.name
        if self._stopping and code == 0:
            child.ended(State.ENDED)
            return
        if starting and code == EXIT_CONFIG:
            raise StartRefused(f"{name} refused to start", EXIT_CONFIG)
        child.ended(State.DEAD)
        self._alarm("process.lost", name, f"pid {pid} ended with {code}")
        if child.job.role is Role.WORKER:
            for capture in self._children:
                if capture.job.name.startswith("capture"):
                    capture.order(Gone(worker=f"{name}.{pid}"))
        if child.may_restart():
            child.restarts += 1
            child.start()
        elif child.job.role is Role.SINK:
            self._retry_s[name] = time.monotonic() + SINK_RETRY_S
        elif starting:
            raise StartRefused(f"{name} was lost {child.restarts + 1} times before the line was ready", 1)
        else:
            self._hold(f"{name} was lost {child.budget.most + 1} times in {child.budget.within_s:g} s")

    def _retry(self) -> None:
        for child in self._children:
            if not self._stopping and time.monotonic() >= self._retry_s.get(child.job.name, float("inf")):
                del self._retry_s[child.job.name]
                child.restarts += 1
                child.start()

    def _hold(self, reason: str) -> None:
        """Latched: no more triggers until a person has looked, and started the line anew."""
        if self.view.held:
            return
        self.view.held = reason
        self._tell(Role.SOURCE, Stop())
        self._alarm("line.held", self._station.name, reason)

    def _alarm(self, name: str, about: str, text: str) -> None:
        (log.info if name == "store.back" else log.error)(name, about=about, text=text)
        alarm = Alarm(
            key=f"{name}.{about}.{time.monotonic_ns()}"[:64],
            name=name,
            about=about,
            text=text,
            raised_at=time.time_ns(),
            level=self._levels.get(name, "warn"),
        )
        self._alarms[alarm.key] = alarm
        self.view.alarms = [*self.view.alarms, f"{time.strftime('%H:%M:%S')}  {name}  {about}: {text}"][-5:]
        self._said_s = 0.0

    def _go(self, child: Child) -> None:
        """Tells all that the line is ready, and a source how often to trigger: of N frames, each brings its share."""
        sources = [each for each in self._children if each.job.role is Role.SOURCE]
        if child not in sources:
            child.order(Go(frames=None))
            return
        if self._frames is None:
            child.order(Go(frames=None))
            return
        share, rest = divmod(self._frames, len(sources))
        child.order(Go(frames=share + (sources.index(child) < rest)))

    def _tell(self, role: Role, order: Order) -> None:
        for child in self._children:
            if child.job.role is role:
                child.order(order)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Installed by ourselves, since an inherited SIGINT may be ignored."""

        def ask(_signum: int, _frame: object) -> None:
            self._asked += 1

        asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {each: signal.signal(each, ask) for each in asked}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
