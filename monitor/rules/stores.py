"""When a store that is away or behind calls a person, and when it is well again; pure.

The line does not wait for a store: what calls is that people, reports and other programs see an old state.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

WELL_ROWS = 1000  # a line of 1,000 rows/s is never quite even with its stores


class StoreLag(msgspec.Struct, frozen=True, kw_only=True):
    """How far one store is behind the journal."""

    store: Annotated[str, Meta(max_length=64)]  # images, audit, live, checkpoints, second place
    rows: int | None  # None: it cannot be asked how far it is
    seconds: float  # since the oldest row was written that it lacks, or since it is away
    why: Annotated[str, Meta(max_length=500)] = ""  # what it answers; empty where it takes rows in

    @property
    def text(self) -> str:
        """As people read it: 1,200 rows and 14 s behind: connection refused."""
        rows = "an unknown number of rows" if self.rows is None else f"{self.rows:,} rows"
        return f"{rows} and {self.seconds:.0f} s behind" + (f": {self.why}" if self.why else "")


class Told(NamedTuple):
    """Something to be said of a store: `store.lag` once an outage, then `store.back`."""

    name: str
    about: str
    text: str


class StoreWatch:
    """The stores of one run."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._told: set[str] = set()  # those that are away or behind, and said to be

    def look(self, lags: Sequence[StoreLag]) -> list[Told]:
        """What is to be said now."""
        told = []
        for lag in lags:
            if lag.store not in self._told and lag.seconds > self._after_s:
                self._told.add(lag.store)
                told.append(Told("store.lag", lag.store, lag.text))
            elif lag.store in self._told and self._is_well(lag):
                self._told.discard(lag.store)
                told.append(Told("store.back", lag.store, "it takes rows in, and has caught up"))
        return told

    def _is_well(self, lag: StoreLag) -> bool:
        return not lag.why and lag.rows is not None and lag.rows <= WELL_ROWS and 2 * lag.seconds <= self._after_s


def behind(lags: Sequence[StoreLag], *, over_s: float) -> list[StoreLag]:
    """Those that are worth showing."""
    return [lag for lag in lags if lag.why or lag.seconds > over_s]
