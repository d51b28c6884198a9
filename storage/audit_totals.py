"""The totals of a station from its counts in SQL: what a live view begins with that has lost its own."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.rollup_tables import VerdictRollup
from storage.rollups import Span
from storage.schema import Inspection, Run

Ask = Callable[[], AbstractContextManager[Session]]


class Totals:
    """Asked inside `AuditStore.snapshot`, all of it stands as of the snapshot's head."""

    def __init__(self, session: Ask, station: str) -> None:
        self._session, self._station = session, station

    def endings(self) -> Counter[str]:
        """`OUTCOME:reason` in force → verdicts, from the hours' counts: a year has some ten thousand of them."""
        asked = (
            select(VerdictRollup.outcome, VerdictRollup.reason, func.sum(VerdictRollup.verdicts))
            .where(VerdictRollup.station == self._station, VerdictRollup.span == Span.HOUR)
            .group_by(VerdictRollup.outcome, VerdictRollup.reason)
        )
        with self._session() as session:
            return Counter({f"{outcome}:{reason}": int(number) for outcome, reason, number in session.execute(asked)})

    def runs(self) -> dict[str, int]:
        """Verdicts of each run, the index of runs read run by run; a run that has none is not there."""
        station, found = self._station, {}
        with self._session() as session:
            for run in session.scalars(select(Run.run).where(Run.station == station).distinct()).all():
                asked = select(func.count()).where(Inspection.station == station, Inspection.run == run)
                if number := session.scalar(asked):
                    found[run] = number
        return found

    def corrected(self, after: int) -> dict[int, str]:
        """Verdicts behind a row that do not stand as they were given: seq → `OUTCOME:reason` in force."""
        asked = select(Inspection.seq, Inspection.outcome, Inspection.reason).where(
            Inspection.station == self._station, Inspection.seq > after, Inspection.corrected_by.is_not(None)
        )
        with self._session() as session:
            return {seq: f"{outcome}:{reason or ''}" for seq, outcome, reason in session.execute(asked)}
