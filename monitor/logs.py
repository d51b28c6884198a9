"""Logs: one JSON line an event on stderr, `noun.verb` with its facts as keywords."""

import logging
import sys

import structlog


def open_logs(process: str, *, quiet: bool = False) -> None:
    """Sends this process's events to stderr as JSON; `quiet` keeps warnings and worse only."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
