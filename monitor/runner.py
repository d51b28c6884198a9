"""One run of a station: lock, supervisor, panel or log lines, summary, exit code."""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import structlog
from rich.console import Console
from rich.live import Live

from config.loader import EXIT_CONFIG, state_folder
from config.station import Station
from monitor.bus.endpoints import EndpointError
from monitor.cameras import CameraError
from monitor.children import Job
from monitor.logs import open_logs
from monitor.output import write_json
from monitor.panel import render, summary_table
from monitor.supervisor import Interrupted, StartRefused, Supervisor, View

EXIT_FAULT = 1
EXIT_INTERRUPTED = 130
PANEL_HZ = 4
FOLLOW_S = 1.0
TAIL_BYTES = 4000  # of the log, shown when a start is refused

log = structlog.get_logger()


class Summary(Protocol):
    """A run in figures, kept up while it lasts; storage/summary.py is one."""

    def follow(self) -> None:
        """Takes in what was written lately."""
        ...

    def close(self, *, restarts: int) -> dict[str, Any]:
        """The object of `--summary`."""
        ...


class AlreadyRunning(Exception):
    """Somebody else holds this station's lock."""


def run_station(
    station: Station,
    jobs: list[Job],
    command: Callable[[Job, int], list[str]],
    *,
    frames: int | None,
    seconds: float | None,
    open_summary: Callable[[], Summary],
    summary_to: str | None,
) -> int:
    """Runs until its end, a signal or a hold; the exit code."""
    state = state_folder(station)
    state.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    with_panel = console.is_terminal
    log_path = state / "line.log"
    try:
        with hold_station(state), _log_fd(log_path if with_panel else None) as log_fd:
            open_logs("supervisor", quiet=with_panel)
            supervisor = Supervisor(station, jobs, command, log_fd=log_fd)
            summary = open_summary()
            supervisor.on_tick = _each(FOLLOW_S, summary.follow)
            code = _supervise(supervisor, console if with_panel else None, frames=frames, seconds=seconds)
            if supervisor.view.ready_s is not None and (code == 0 or supervisor.view.held):
                write_summary(summary.close(restarts=supervisor.restarts), summary_to, console)
    except AlreadyRunning as error:
        console.print(f"[red]{error}[/red]")
        return EXIT_FAULT
    except EndpointError as error:
        console.print(f"[red]{error}[/red]")
        return EXIT_FAULT
    except CameraError as error:
        console.print(
            str(error), markup=False, highlight=False, soft_wrap=True
        )  # one line, however narrow the terminal
        return EXIT_CONFIG
    if code not in (0, EXIT_INTERRUPTED) and with_panel and not supervisor.view.held:
        console.print(log_path.read_text(errors="replace")[-TAIL_BYTES:], markup=False, highlight=False)
    return code


@contextlib.contextmanager
def hold_station(state: Path) -> Iterator[None]:
    """The station's lock, before any socket is bound: a second bind would take the first one's path over."""
    state.mkdir(parents=True, exist_ok=True)
    fd = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(fd, 32, 0).decode().strip() or "unknown"
            raise AlreadyRunning(f"{state}: this station runs already, as process {holder}") from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(fd)


def write_summary(summary: dict[str, Any], to: str | None, console: Console) -> None:
    """The table for the person, and one JSON object for the program that asked."""
    console.print(summary_table(summary))
    if to is not None:
        write_json(summary, to)


def _each(seconds: float, act: Callable[[], None]) -> Callable[[View], None]:
    """Acts on the supervisor's tick, not more often than this."""
    acted_s = 0.0

    def tick(_view: View) -> None:
        nonlocal acted_s
        if time.monotonic() - acted_s >= seconds:
            acted_s = time.monotonic()
            act()

    return tick


def _supervise(supervisor: Supervisor, console: Console | None, *, frames: int | None, seconds: float | None) -> int:
    try:
        if console is None:
            supervisor.run(frames=frames, seconds=seconds)
        else:
            with Live(console=console, refresh_per_second=PANEL_HZ, get_renderable=lambda: render(supervisor.view)):
                supervisor.run(frames=frames, seconds=seconds)
    except Interrupted:
        log.warning("line.aborted", open_slots="rejected")
        return EXIT_INTERRUPTED
    except StartRefused as error:
        log.error("line.refused", why=str(error))
        return error.exit_code
    return EXIT_FAULT if supervisor.view.held else 0


@contextlib.contextmanager
def _log_fd(path: Path | None) -> Iterator[int | None]:
    """Where the processes' logs go: a file while the panel has the terminal, else our stderr."""
    if path is None:
        yield None
        return
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        yield fd
    finally:
        os.close(fd)
