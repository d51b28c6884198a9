"""The kinds of actuator that turn a disposition into a movement, or a line on disk."""

from typing import Annotated, Literal

from pydantic import Field

from config.base import Table


class LogActuator(Table):
    """Writes each disposition to a file, fsynced: for stations without a gate."""

    kind: Literal["log"]


class TwinActuator(Table):
    """The gate of the digital twin: its slot table, which rejects by default."""

    kind: Literal["twin"]


Actuator = Annotated[LogActuator | TwinActuator, Field(discriminator="kind")]
