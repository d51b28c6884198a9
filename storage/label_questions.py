"""What is asked of labels: what people said, and the frames and parts that they said it of."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

import monitor.labels
from monitor.labels import State
from monitor.messages import Outcome
from storage.questions import PAGE_ROWS, number_of
from storage.report_questions import Period
from storage.schema import DAY_NS, Defect, Inspection, Label

AT_ONCE = 500  # values of an IN
BY_SLOT = "INDEXED BY inspection_by_slot"  # SQLite would read a year of verdicts for the few that are labelled


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A label on record."""

    seq: int  # its row in the journal
    frame: str | None  # None: the whole part
    slot: int
    label: monitor.labels.Label
    who: str  # brought it
    why: str
    old: str
    at: int  # wall, ns


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A frame as the line judged it; outcome and reason are those in force."""

    seq: int
    frame: str
    slot: int
    camera: str
    outcome: str
    reason: str | None
    captured_at: int
    severity: float | None  # None: no net has judged it
    grey: bool
    area_px: int | None  # of the regions that count
    regions: int


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Parts that ended alike, each by the worst of its frames."""

    rejected: bool
    clear: bool  # rejected by a frame outside the grey band
    uninspected: bool  # by one frame at least
    found: bool  # something that counts, in one frame at least
    parts: int


class Labels:
    """The questions, on one station."""

    def __init__(self, session: Callable[[], AbstractContextManager[Session]], station: str) -> None:
        self._session = session
        self._station = station

    def newest(
        self, *, limit: int, slot: int | None = None, reviewer: str | None = None, state: State | None = None
    ) -> list[Said]:
        """The last that were said."""
        given = {Label.slot: slot, Label.reviewer: reviewer, Label.state: state and str(state)}
        asked = _said(self._station).order_by(Label.seq.desc()).limit(limit)
        for column, value in given.items():
            if value is not None:
                asked = asked.where(column == value)
        return self._labels(asked)

    def of_slot(self, slot: int) -> list[Said]:
        """All of a part, the oldest first."""
        return self._labels(_said(self._station).where(Label.slot == slot).order_by(Label.seq))

    def within(self, period: Period) -> list[Said]:
        """All of parts that were captured in this period, the oldest first."""
        captured = select(Inspection.seq).where(*_captured(self._station, period), Inspection.slot == Label.slot)
        captured = captured.with_hint(Inspection, BY_SLOT, "sqlite").correlate(Label)
        return self._labels(_said(self._station).where(captured.exists()).order_by(Label.seq))

    def seen(self, period: Period) -> list[Seen]:
        """The frames, captured in this period, of the parts that have a label; in the order of the journal."""
        slots = select(Label.slot).where(Label.station == self._station)
        asked = _seen().with_hint(Inspection, BY_SLOT, "sqlite")
        asked = asked.where(*_captured(self._station, period), Inspection.slot.in_(slots))
        return self._frames(asked)

    def look_up(self, frames: Iterable[str], slots: Iterable[int]) -> list[Seen]:
        """Every frame of these names, and of these slots; in the order of the journal."""
        found: dict[int, Seen] = {}
        for column, values in ((Inspection.frame, frames), (Inspection.slot, slots)):
            for some in _chunks(values):
                asked = _seen().where(Inspection.station == self._station, column.in_(some))
                found |= {each.seq: each for each in self._frames(asked)}
        return [found[seq] for seq in sorted(found)]

    def span(self, period: Period) -> tuple[int, int] | None:
        """The first and the last row of verdicts captured in this period; None where there is none."""
        asked = select(func.min(Inspection.seq), func.max(Inspection.seq)).where(*_captured(self._station, period))
        with self._session() as session:
            found: Any = session.execute(asked).one()
        return None if found[0] is None else (found[0], found[1])

    def endings(self, period: Period, camera: str | None = None) -> list[Ending]:
        """How many parts, captured in this period, ended how: the population that labels are a sample of.

        Of one camera, a part is what that one says.
        """
        rejected = Inspection.outcome == str(Outcome.REJECT)
        found = Inspection.area_px > 0
        flags = (rejected, rejected & ~Inspection.grey, Inspection.outcome == str(Outcome.NOT_INSPECTED), found)
        columns = [func.max(case((flag, 1), else_=0)).label(f"flag_{n}") for n, flag in enumerate(flags)]
        captured = _captured(self._station, period) + ([] if camera is None else [Inspection.camera == camera])
        of_part = select(*columns).where(*captured).group_by(Inspection.slot).subquery()
        ended = list(of_part.c)
        asked: Select[*tuple[Any, ...]] = select(*ended, func.count()).group_by(*ended).order_by(*ended)
        with self._session() as session:
            return [
                Ending(rejected=bool(r), clear=bool(c), uninspected=bool(u), found=bool(f), parts=parts)
                for r, c, u, f, parts in session.execute(asked)
            ]

    def behind(self, after: int) -> list[Said]:
        """A page of those behind a row of the journal, in its order."""
        return self._labels(_said(self._station).where(Label.seq > after).order_by(Label.seq).limit(PAGE_ROWS))

    def count(self) -> int:
        """All that are here."""
        with self._session() as session:
            return session.scalar(select(func.count()).where(Label.station == self._station)) or 0

    def _labels(self, asked: Select[*tuple[Any, ...]]) -> list[Said]:
        with self._session() as session:
            return [_as_said(row) for row in session.execute(asked)]

    def _frames(self, asked: Select[*tuple[Any, ...]]) -> list[Seen]:
        names = Seen.__struct_fields__
        with self._session() as session:
            rows = session.execute(asked.order_by(Inspection.seq))
            return [Seen(**dict(zip(names, row, strict=True))) for row in rows]


def _said(station: str) -> Select[*tuple[Any, ...]]:
    return select(Label.__table__).where(Label.station == station)


def _as_said(row: Any) -> Said:
    facts = dict(row._mapping)
    of_label = {name: facts.pop(name) for name in monitor.labels.Label.__struct_fields__}
    del facts["station"]
    return Said(label=monitor.labels.Label(**of_label | {"state": State(of_label["state"])}), **facts)


def _seen() -> Select[*tuple[Any, ...]]:
    """What a `Seen` is made of, in its order."""
    columns = [getattr(Inspection, name) for name in Seen.__struct_fields__[:-1]]
    return select(*columns, number_of(Defect))


def _captured(station: str, period: Period) -> list[Any]:
    """Said of the day too, which leaves partitions out."""
    at = Inspection.captured_at
    days = Inspection.day.between(period.since // DAY_NS, period.until // DAY_NS)
    return [Inspection.station == station, days, at >= period.since, at < period.until]


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(sorted(set(values)))
    while some := list(islice(rest, AT_ONCE)):
        yield some
