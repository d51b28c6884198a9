"""How every command of this package takes a station's name, and how it ends where something is in its way."""

from typing import NoReturn

import typer

from config.loader import EXIT_CONFIG, ConfigError, load_station
from config.station import Station

EXIT_FAULT = 1


def load_or_exit(named: str) -> Station:
    """The station of this name or file; a configuration that is refused ends the command with 78."""
    try:
        return load_station(named)
    except ConfigError as error:
        fail(error)


def fail(error: Exception) -> NoReturn:
    """Says what is in the way on stderr, and ends: 78 for a configuration, else 1."""
    typer.echo(str(error), err=True)
    raise typer.Exit(EXIT_CONFIG if isinstance(error, ConfigError) else EXIT_FAULT) from error
