"""Which inspections: what people and reports ask of the rows, as statements with bound parameters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select

from monitor.labels import State
from monitor.messages import Outcome, Reason
from storage.rollup_tables import VerdictRollup
from storage.rollups import Span
from storage.schema import DAY_NS, Crop, Defect, Inspection, Label

PAGE_ROWS = 500
LONGEST_SHIFT_DAYS = 2
WIDEST_DAYS = 64  # of one statement: where few rows of a year match, it must end before it is broken off


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which inspections; None asks for all. Times are wall, ns since 1970."""

    since: int | None = None
    until: int | None = None  # not including it
    outcome: Outcome | None = None
    reason: Reason | None = None
    camera: str | None = None
    slot: int | None = None
    frame: str | None = None
    zone: str | None = None  # whose limits decided
    model: str | None = None  # SHA-256
    min_area_mm2: float | None = None
    max_area_mm2: float | None = None
    label: str | None = None  # the type of the defect, good or borderline: what was last said of the frame or its part
    label_state: State | None = None  # of what was last said
    unlabelled: bool = False  # only what nobody has said anything of
    oldest_first: bool = False
    limit: int | None = None


class Place(NamedTuple):
    """Where a page ended: the next one begins behind it, however deep."""

    captured_at: int
    seq: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One inspection, as people are shown it."""

    seq: int
    frame: str
    camera: str
    slot: int
    outcome: str
    reason: str | None
    area_mm2: float | None
    captured_at: int
    model: str  # SHA-256
    crops: tuple[str, ...]  # SHA-256 of the crops of its regions
    crops_expired_at: int | None = None  # the last of them; None: none has

    @property
    def place(self) -> Place:
        return Place(self.captured_at, self.seq)


class Kept(NamedTuple):
    """What the store holds of a verdict, to be held against the journal."""

    seq: int
    frame: str
    slot: int
    original: tuple[str, str | None]  # outcome, reason
    effective: tuple[str, str | None]
    corrected_by: int | None
    defects: int
    crops: int
    expired: int  # of the crops


class Days(NamedTuple):
    """From the first to the last day, both included; since 1970, UTC."""

    first: int
    last: int


def matching(station: str, question: Question) -> Select[*tuple[Any, ...]]:
    """What a `Found` is made of, in the order that the question asks for."""
    columns = (
        Inspection.seq,
        Inspection.day,
        Inspection.frame,
        Inspection.camera,
        Inspection.slot,
        Inspection.outcome,
        Inspection.reason,
        Inspection.area_mm2,
        Inspection.captured_at,
        Inspection.model_sha256,
    )
    asked = select(*columns).where(Inspection.station == station, *_conditions(station, question))
    # SQLite knows no frequencies, and would read every row of a year for the few that were dark
    asked = asked.with_hint(Inspection, f"INDEXED BY inspection_{_index(question)}", "sqlite")
    if question.oldest_first:
        return asked.order_by(Inspection.captured_at, Inspection.seq)
    return asked.order_by(Inspection.captured_at.desc(), Inspection.seq.desc())


def behind(place: Place, *, oldest_first: bool) -> ColumnElement[bool]:
    """What comes after a place in this order. The first half is what an index can begin at."""
    at, seq = Inspection.captured_at, Inspection.seq
    if oldest_first:
        return and_(at >= place.captured_at, or_(at > place.captured_at, seq > place.seq))
    return and_(at <= place.captured_at, or_(at < place.captured_at, seq < place.seq))


def days_with_rows(station: str) -> Select[*tuple[Any, ...]]:
    """(first, last) begin of a shift that has verdicts; of a table that is small."""
    ends = [
        select(VerdictRollup.starts_at)
        .where(VerdictRollup.station == station, VerdictRollup.span == Span.SHIFT.value)
        .order_by(order)
        .limit(1)
        .scalar_subquery()
        for order in (VerdictRollup.starts_at, VerdictRollup.starts_at.desc())
    ]
    return select(*ends)


def asked_days(question: Question, first_shift: int, last_shift: int, place: Place | None) -> Days:
    """The days that an answer may lie in; of a page, from its beginning."""
    first, last = first_shift // DAY_NS, last_shift // DAY_NS + LONGEST_SHIFT_DAYS
    if question.since is not None:
        first = max(first, question.since // DAY_NS)
    if question.until is not None:
        last = min(last, question.until // DAY_NS)
    if place is not None and question.oldest_first:
        first = max(first, place.captured_at // DAY_NS)
    elif place is not None:
        last = min(last, place.captured_at // DAY_NS)
    return Days(first, last)


def windows(days: Days, *, oldest_first: bool) -> Iterator[Days]:
    """Days in the order of the answer, ever more at once: most pages are full after the first, and a partitioned
    table is then asked for a few of its days, not for each of them."""
    width, at = 1, days.first if oldest_first else days.last
    while days.first <= at <= days.last:
        if oldest_first:
            yield Days(at, min(days.last, at + width - 1))
            at += width
        else:
            yield Days(max(days.first, at - width + 1), at)
            at -= width
        width = min(4 * width, WIDEST_DAYS)


def within(days: Days) -> ColumnElement[bool]:
    """Said of the day, which leaves partitions out, and of the moment, which an index is in the order of."""
    at = Inspection.captured_at
    return and_(Inspection.day.between(days.first, days.last), at >= days.first * DAY_NS, at < (days.last + 1) * DAY_NS)


def number_of(table: type[Defect | Crop], given: Any = None) -> Any:
    """How many rows of this table belong to an inspection; of those, in which this column is given."""
    counted = func.count() if given is None else func.count(given)
    return (
        select(counted)
        .where(table.station == Inspection.station, table.seq == Inspection.seq, table.day == Inspection.day)
        .correlate(Inspection)
        .scalar_subquery()
    )


def _index(question: Question) -> str:
    """The index of what leaves the fewest rows."""
    asked = {
        "by_frame": question.frame is not None,
        "by_slot": question.slot is not None or question.label is not None or question.label_state is not None,
        "by_zone": question.zone is not None,
        "by_reason": question.reason is not None,
        "with_defects": (question.min_area_mm2 or 0) > 0,
        "by_model": question.model is not None,
        "by_outcome": question.outcome is not None and question.outcome is not Outcome.PASS,
        "by_camera": question.camera is not None,
    }
    return next((name for name, given in asked.items() if given), "newest")


def _conditions(station: str, question: Question) -> Iterator[ColumnElement[bool]]:
    equal = {
        Inspection.outcome: question.outcome and str(question.outcome),
        Inspection.reason: question.reason and str(question.reason),
        Inspection.camera: question.camera,
        Inspection.slot: question.slot,
        Inspection.frame: question.frame,
        Inspection.zone: question.zone,
        Inspection.model_sha256: question.model,
    }
    yield from (column == value for column, value in equal.items() if value is not None)
    if question.since is not None:
        yield Inspection.captured_at >= question.since
    if question.until is not None:
        yield Inspection.captured_at < question.until
    if question.min_area_mm2 is not None:
        yield Inspection.area_mm2 >= question.min_area_mm2
        if question.min_area_mm2 > 0:
            yield Inspection.area_mm2 > literal_column("0")  # a bound value would not tell that the index will do
    if question.max_area_mm2 is not None:
        yield Inspection.area_mm2 <= question.max_area_mm2
    yield from _labelled(station, question)


def _labelled(station: str, question: Question) -> Iterator[ColumnElement[bool]]:
    """By what was said last of the frame, or of its part as a whole; regions have labels of their own, which count."""
    of_frame = and_(
        Label.station == Inspection.station,
        Label.slot == Inspection.slot,
        or_(Label.frame == Inspection.frame, Label.frame.is_(None)),
    )
    if question.unlabelled:
        yield ~select(Label.seq).where(of_frame).correlate(Inspection).exists()
    equal = {Label.label: question.label, Label.state: question.label_state and str(question.label_state)}
    wanted = {column: value for column, value in equal.items() if value is not None}
    if not wanted:
        return
    some = select(Label.slot).where(Label.station == station, *(column == value for column, value in wanted.items()))
    yield Inspection.slot.in_(some)  # those few first: an index leads there
    for column, value in wanted.items():
        last = select(column).where(of_frame).order_by(Label.seq.desc()).limit(1)
        yield last.correlate(Inspection).scalar_subquery() == value
