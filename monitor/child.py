"""The first and the last lines of every process of the line."""

import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

import structlog

from config.loader import EXIT_CONFIG, load_station
from config.station import Station
from monitor.children import Job
from monitor.lifeline import Lifeline, begin_process
from monitor.logs import open_logs

REFUSALS = frozenset(
    {"ConfigError", "ModelError", "FolderError", "CameraError", "SourceBehind", "EndpointError", "BaselineError"}
)
"""Errors that no restart mends: the station must be put right. By name, as each lives in a stage of its own."""


def be_child(table: Callable[[Station, str], list[Job]], argv: Sequence[str]) -> NoReturn:
    """Does one job of the table, tied to its parent's life, and leaves with what the supervisor must know."""
    name, rope_fd, parent_pid, station_named, run = argv
    station = load_station(station_named)
    begin_process(f"line:{station.name}:{name}", int(parent_pid))
    open_logs(name)
    lifeline = Lifeline(socket.socket(fileno=int(rope_fd)))
    code = 0
    try:
        next(job for job in table(station, run) if job.name == name).run(lifeline)
    except Exception as error:  # the last line of defence: say why, and let the supervisor decide
        code = EXIT_CONFIG if type(error).__name__ in REFUSALS else 1
        structlog.get_logger().error("process.failed", error=str(error), kind=type(error).__name__, exc_info=code == 1)
    sys.stderr.flush()
    os._exit(code)  # libraries that take seconds to unload have nothing left to save
