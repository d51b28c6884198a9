"""What retention asks of the audit store, and what a tombstone does to it."""

from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, Select, Table, and_, case, func, or_, select, true, tuple_, update
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from config.retention import Retention
from monitor.messages import Outcome
from monitor.retention import LegalHold
from monitor.rows import PurgeBody, Row
from monitor.rules.retention import key_of
from storage.keeping import Tombstone
from storage.schema import DAY_NS, Crop, Inspection

PAGE_ROWS = 1000  # pictures


class KeptPicture(NamedTuple):
    """A picture that has not expired, by one of the verdicts that name it."""

    seq: int
    number: int
    kind: str
    sha256: str
    outcome: Outcome  # in force
    grey: bool
    captured_at: int

    @property
    def place(self) -> tuple[int, int, str]:
        return self.seq, self.number, self.kind


class Youngest(NamedTuple):
    """The youngest verdict of those that ended so and name this picture."""

    sha256: str
    outcome: Outcome
    grey: bool
    captured_at: int


class Pictures:
    """The questions, on one station."""

    def __init__(self, session: Callable[[], AbstractContextManager[Session]], station: str) -> None:
        self._session = session
        self._station = station

    def days(self) -> tuple[int, int] | None:
        """The first and the last day with a picture that is kept; None where there is none."""
        with self._session() as session:
            asked = select(func.min(Crop.day), func.max(Crop.day)).where(*self._kept())
            found: Any = session.execute(asked).one()
        return None if found[0] is None else (found[0], found[1])

    def of_day(self, day: int, after: tuple[int, int, str] | None) -> list[KeptPicture]:
        """The next page of those that are kept and were captured on a day, in the order of the journal."""
        place = (Crop.seq, Crop.number, Crop.kind)
        ended = (Inspection.outcome, Inspection.grey, Inspection.captured_at)
        asked = self._joined(select(*place, Crop.sha256, *ended)).where(Crop.day == day)
        if after is not None:
            asked = asked.where(tuple_(*place) > after)
        with self._session() as session:
            return [
                KeptPicture(seq, number, kind, sha256, Outcome(outcome), grey, captured_at)
                for seq, number, kind, sha256, outcome, grey, captured_at in session.execute(
                    asked.order_by(*place).limit(PAGE_ROWS)
                )
            ]

    def youngest(self, pictures: Collection[str]) -> list[Youngest]:
        """How young the verdicts are that name these pictures still, by how they ended."""
        ended = (Crop.sha256, Inspection.outcome, Inspection.grey)
        asked = self._joined(select(*ended, func.max(Inspection.captured_at))).where(Crop.sha256.in_(pictures))
        with self._session() as session:
            found = session.execute(asked.group_by(*ended))
            return [Youngest(sha256, Outcome(outcome), grey, at) for sha256, outcome, grey, at in found]

    def held(self, pictures: Collection[str], holds: Iterable[LegalHold]) -> set[str]:
        """Those of these that a verdict under one of these holds names still."""
        covered = [_covered(hold) for hold in holds]
        if not covered:
            return set()
        asked = self._joined(select(Crop.sha256)).where(Crop.sha256.in_(pictures), or_(*covered)).distinct()
        with self._session() as session:
            return set(session.scalars(asked))

    def count(self, policy: Retention, now: int) -> dict[str, tuple[int, int]]:
        """By the key of the policy: (pictures that its verdicts name still, those of them whose time is over)."""
        found: dict[str, tuple[int, int]] = {}
        ended = (Inspection.outcome, Inspection.grey)
        with self._session() as session:
            for days in sorted({*policy.model_dump().values()}):
                over = func.sum(case((Inspection.captured_at <= now - days * DAY_NS, 1), else_=0))
                asked = self._joined(select(*ended, func.count(), over)).group_by(*ended)
                for outcome, grey, pictures, due in session.execute(asked):
                    key = key_of(Outcome(outcome), grey=grey)
                    if getattr(policy, key) == days:
                        before = found.get(key, (0, 0))
                        found[key] = before[0] + pictures, before[1] + (due if days else 0)
        return found

    def expired(self, named: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Tombstone]:
        """(verdict's row, picture) → the row by which it expired; of those that have."""
        wanted = set(named)
        asked = select(Crop.seq, Crop.sha256, Crop.expired_by, Crop.expired_at).where(
            Crop.station == self._station,
            Crop.seq.in_({seq for seq, _ in wanted}),
            Crop.expired_by.is_not(None),
        )
        with self._session() as session:
            found: list[Any] = list(session.execute(asked))
        return {(seq, sha256): Tombstone(by, at) for seq, sha256, by, at in found if (seq, sha256) in wanted}

    def _kept(self) -> list[Any]:
        return [Crop.station == self._station, Crop.expired_by.is_(None)]

    def _joined(self, asked: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """With the verdicts of those that are kept."""
        verdict = and_(Inspection.station == Crop.station, Inspection.day == Crop.day, Inspection.seq == Crop.seq)
        return asked.select_from(Crop).join(Inspection, verdict).where(*self._kept())


def _covered(hold: LegalHold) -> ColumnElement[bool]:
    if hold.slot is not None:
        return Inspection.slot == hold.slot
    at = Inspection.captured_at
    return and_(at >= (hold.since or 0), true() if hold.until is None else at < hold.until)


def expire(connection: Connection, station: str, row: Row, body: PurgeBody) -> None:
    """The pictures of the verdicts before this row have expired; those of later ones have not."""
    crop = cast(Table, Crop.__table__)
    connection.execute(
        update(crop)
        .where(crop.c.station == station, crop.c.sha256.in_(body.pictures))
        .where(crop.c.seq < row.seq, crop.c.expired_by.is_(None))
        .values(expired_by=row.seq, expired_at=body.at)
    )
