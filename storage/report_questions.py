"""What reports ask: counts by shift, hour or minute, read from the tables of counts and never from the rows.

A period takes in what begins in it: shifts from the first that begins at or after `since`, before `until`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from monitor.messages import Outcome
from storage.questions import days_with_rows
from storage.rollup_tables import DefectRollup, PlaceRollup, TimeRollup, VerdictRollup
from storage.rollups import MEASURES, Span, Table, bucket_end, size_range

INSPECTED = (Outcome.PASS, Outcome.REJECT)


class Period(NamedTuple):
    """From `since` up to but not including `until`; wall time, ns since 1970."""

    since: int
    until: int


class OutcomeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many verdicts of a camera ended so in a minute, hour or shift."""

    starts_at: int
    camera: str
    outcome: str
    reason: str  # "": none
    verdicts: int
    grey: int
    defects: int


class Moments(msgspec.Struct, frozen=True, kw_only=True):
    """A measure of a subgroup."""

    n: int
    sum: float
    squares: float

    @property
    def mean(self) -> float | None:
        return self.sum / self.n if self.n else None

    @property
    def variance(self) -> float | None:
        """Of the sample, n - 1; None of fewer than two."""
        return max(0.0, self.squares - self.sum**2 / self.n) / (self.n - 1) if self.n > 1 else None


class Subgroup(msgspec.Struct, frozen=True, kw_only=True):
    """What a control chart has at one place."""

    starts_at: int
    camera: str
    verdicts: int
    not_inspected: int
    rejected: int
    defects: int  # on inspected parts
    sums: tuple[float, ...]  # n, sum and squares of each of rollups.MEASURES

    def measure(self, name: str) -> Moments:
        """Of area (mm²), score, light, focus or latency (ms)."""
        at = 3 * _PLACES[name]
        return Moments(n=int(self.sums[at]), sum=self.sums[at + 1], squares=self.sums[at + 2])


class DefectCount(msgspec.Struct, frozen=True, kw_only=True):
    """A bar of the Pareto chart: from `least_mm2` up to but not including `below_mm2`."""

    camera: str
    zone: str  # "": none
    least_mm2: float | None
    below_mm2: float | None
    defects: int
    area_mm2: float


class CellCount(msgspec.Struct, frozen=True, kw_only=True):
    """A cell of the defect map: rollups.CELLS of them across the frame, and as many along."""

    camera: str
    across: int
    along: int
    defects: int
    area_mm2: float


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """A histogram of times, ms."""

    camera: str  # "": of the part
    measure: str  # latency, late
    buckets: dict[int, int]  # bucket → parts; rollups.bucket_end says where each ends

    def quantile(self, share: float) -> float | None:
        """The end of the bucket that this share lies in, ms: at most 19 % above it. None without any."""
        left = share * sum(self.buckets.values())
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 0:
                return bucket_end(bucket)
        return None


class ShiftCounts(msgspec.Struct, frozen=True, kw_only=True):
    """One shift in figures."""

    outcomes: list[OutcomeCount]
    defects: list[DefectCount]
    times: list[Times]


class Reports:
    """The questions of the reports, on one station."""

    def __init__(self, session: Callable[[], AbstractContextManager[Session]], station: str) -> None:
        self._session = session
        self._station = station

    def shifts(self) -> Period | None:
        """Begins of the first and of the last shift that has verdicts; None where there is none."""
        with self._session() as session:
            first, last = session.execute(days_with_rows(self._station)).one()
        return None if first is None else Period(first, last)

    def shift(self, period: Period) -> ShiftCounts:
        """Everything of the shift, or shifts, that begin in this period."""
        return ShiftCounts(outcomes=self.quality(period), defects=self.pareto(period), times=self.latency(period))

    def quality(self, period: Period, span: Span = Span.SHIFT) -> list[OutcomeCount]:
        """Counts by camera, outcome and reason; the oldest first."""
        key = (VerdictRollup.starts_at, VerdictRollup.camera, VerdictRollup.outcome, VerdictRollup.reason)
        asked = select(*key, VerdictRollup.verdicts, VerdictRollup.grey, VerdictRollup.defects)
        names = OutcomeCount.__struct_fields__
        return [
            OutcomeCount(**dict(zip(names, row, strict=True)))
            for row in self._rows(asked.where(*self._in(VerdictRollup, period, span)).order_by(*key))
        ]

    def spc(self, period: Period, span: Span = Span.HOUR) -> list[Subgroup]:
        """Subgroups by camera, the oldest first, with the moments of what was measured."""
        key = (VerdictRollup.starts_at, VerdictRollup.camera)
        verdicts = VerdictRollup.verdicts
        sums = [getattr(VerdictRollup, f"{name}_{of}") for name in MEASURES for of in ("n", "sum", "squares")]
        asked = select(
            *key,
            func.sum(verdicts),
            _sum_where(VerdictRollup.outcome == str(Outcome.NOT_INSPECTED), verdicts),
            _sum_where(VerdictRollup.outcome == str(Outcome.REJECT), verdicts),
            _sum_where(VerdictRollup.outcome != str(Outcome.NOT_INSPECTED), VerdictRollup.defects),
            *map(func.sum, sums),
        )
        asked = asked.where(*self._in(VerdictRollup, period, span)).group_by(*key).order_by(*key)
        return [
            Subgroup(
                starts_at=starts_at,
                camera=camera,
                verdicts=int(verdicts),
                not_inspected=int(not_inspected),
                rejected=int(rejected),
                defects=int(defects),
                sums=tuple(moments),
            )
            for starts_at, camera, verdicts, not_inspected, rejected, defects, *moments in self._rows(asked)
        ]

    def pareto(
        self, period: Period, span: Span = Span.SHIFT, *, outcomes: Sequence[Outcome] = tuple(Outcome)
    ) -> list[DefectCount]:
        """Defects by camera, zone and size class, the most frequent first; spans are hour and shift.

        `outcomes`: only those of verdicts that ended so.
        """
        key = (DefectRollup.camera, DefectRollup.zone, DefectRollup.size)
        count = func.sum(DefectRollup.defects)
        asked = select(*key, count, func.sum(DefectRollup.area_sum)).where(*self._in(DefectRollup, period, span))
        asked = asked.where(DefectRollup.outcome.in_(map(str, outcomes)))
        found = []
        for camera, zone, size, defects, area in self._rows(asked.group_by(*key).order_by(count.desc(), *key)):
            least, below = size_range(size)
            found.append(
                DefectCount(
                    camera=camera, zone=zone, least_mm2=least, below_mm2=below, defects=int(defects), area_mm2=area
                )
            )
        return found

    def density(self, period: Period, *, outcomes: Sequence[Outcome] = tuple(Outcome)) -> list[CellCount]:
        """Where in the frame defects lie; cells without any are left out. `outcomes` as for `pareto`."""
        key = (PlaceRollup.camera, PlaceRollup.across, PlaceRollup.along)
        asked = select(*key, func.sum(PlaceRollup.defects), func.sum(PlaceRollup.area_sum))
        asked = asked.where(*self._in(PlaceRollup, period, Span.SHIFT), PlaceRollup.outcome.in_(map(str, outcomes)))
        asked = asked.group_by(*key).order_by(*key)
        return [
            CellCount(camera=camera, across=across, along=along, defects=int(defects), area_mm2=area)
            for camera, across, along, defects, area in self._rows(asked)
        ]

    def latency(self, period: Period, span: Span = Span.SHIFT) -> list[Times]:
        """How long verdicts took, by camera, and how late the gate was told; spans are hour and shift."""
        key = (TimeRollup.camera, TimeRollup.measure, TimeRollup.bucket)
        asked = select(*key, func.sum(TimeRollup.parts)).where(*self._in(TimeRollup, period, span))
        buckets: dict[tuple[str, str], dict[int, int]] = {}
        for camera, measure, bucket, parts in self._rows(asked.group_by(*key).order_by(*key)):
            buckets.setdefault((camera, measure), {})[bucket] = int(parts)
        return [Times(camera=camera, measure=measure, buckets=found) for (camera, measure), found in buckets.items()]

    def _in(self, table: Table, period: Period, span: Span) -> list[ColumnElement[bool]]:
        return [
            table.station == self._station,
            table.span == span.value,
            table.starts_at >= period.since,
            table.starts_at < period.until,
        ]

    def _rows(self, asked: Select[*tuple[Any, ...]]) -> list[Any]:
        with self._session() as session:
            return list(session.execute(asked))


_PLACES = {name: place for place, name in enumerate(MEASURES)}


def _sum_where(condition: ColumnElement[bool], column: Any) -> ColumnElement[int]:
    """Of the rows that meet a condition; 0 of none."""
    return func.coalesce(func.sum(column).filter(condition), 0)
