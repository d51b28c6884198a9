"""What a report is given: the station, the store as of one moment, and a period of whole shifts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from config.station import Station
from storage.audit import Snapshot
from storage.report_questions import Period, Reports
from storage.reports.page import Cell, Fact, Footer, Gap, Page, Part
from storage.rollups import Span
from storage.statistics.charts import Baseline

NANO = 1_000_000_000
PITCH_MM = (100.0, 4000.0)  # of rolls from 32 mm to 1.3 m
Weight = Literal["count", "area", "cost"]
RunRules = Literal["nelson", "western-electric"]


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """Limits of control charts that somebody has decided to keep."""

    who: str
    why: str
    source: str  # the file, or the period that they were estimated from
    limits: dict[str, Baseline]  # by "camera/chart"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What single reports can be asked besides."""

    camera: str | None = None  # None: each
    opportunities: int | None = None  # quality: for a defect, on one part; None: as the station file has it
    weight: Weight = "count"  # pareto
    change: int | None = None  # pareto: before and after this moment; wall time, ns
    span: Span | None = None  # spc: what makes one point; None: what gives a readable chart
    charts: tuple[str, ...] = ()  # spc; empty: those that fit the rate of defects
    rules: RunRules = "nelson"  # spc
    run: int | None = None  # spc: how many points on one side are a run; None: as the rules have it
    phases: tuple[int, ...] = ()  # spc: when limits begin anew; wall time, ns
    frozen: Frozen | None = None  # spc
    pitch_mm: tuple[float, float] = PITCH_MM  # map: shortest and longest repeating pitch that is looked for
    rolls_mm: dict[str, float] = field(default_factory=dict)  # map: circumferences, as they show on the product
    part: str | None = None  # trace: a slot, or one of its frames
    policy: Path | None = None  # what-if: a file with the table [policy]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One report, asked for."""

    station: Station
    folder: Path  # the state folder, where the journal lies
    snapshot: Snapshot
    since: int | None = None  # wall time, ns since 1970
    until: int | None = None
    options: Options = Options()

    @property
    def reports(self) -> Reports:
        return self.snapshot.reports

    def period(self, *, newest: bool = False) -> Period:
        """Whole shifts: all that `since` and `until` touch; without them all there are, or the newest one."""
        shifts, found = self.station.shifts, self.reports.shifts()
        if found is None:
            return Period(self.since or 0, self.until or 0)
        since, until = self.since, self.until
        if newest and since is None and until is None:
            since = found.until
        begin = found.since if since is None else shifts.around(since)[0]
        end = shifts.around(found.until)[1] if until is None else shifts.around(until - 1)[1]
        return Period(begin, max(begin, end))

    def takes(self, camera: str) -> bool:
        """Whether this camera was asked for."""
        return self.options.camera in {None, camera}

    def in_order(self, cameras: Iterable[str]) -> list[str]:
        """Those of the station as it has them, then those that it has no more; each once."""
        known = [camera.name for camera in self.station.cameras]
        found = set(cameras)
        return [name for name in known if name in found] + sorted(found - set(known))

    def page(
        self,
        report: str,
        title: str,
        period: Period,
        *,
        facts: Sequence[Fact] = (),
        parts: Sequence[Part] = (),
        rows: Sequence[dict[str, Cell]] = (),
        row_count: int,
        query: dict[str, Cell] | None = None,
    ) -> Page:
        """The page; `query` says what was asked besides the station and the period."""
        asked: dict[str, Cell] = {
            "station": self.station.name,
            "since": self.local(period.since) if period.since else None,
            "until": self.local(period.until) if period.until else None,
            "camera": self.options.camera,
        }
        head = self.snapshot.head
        return Page(
            report=report,
            title=title,
            station=f"{self.station.name}, {self.station.title}" if self.station.title else self.station.name,
            period=self.said(period),
            facts=tuple(facts),
            parts=tuple(parts),
            rows=tuple(rows),
            footer=Footer(
                query=asked | (query or {}),
                row_count=row_count,
                time_zone=self.station.shifts.zone,
                chain_head="" if head is None else head.hash.hex(),
                version=f"line-monitor {version('line-monitor')}",
            ),
        )

    def missing(self, report: str, title: str, period: Period) -> Page:
        """The page where there is not one verdict."""
        gap = Gap(
            title="Nothing to report yet",
            missing=f"There is no verdict of {self.station.name} in this period.",
            remedy=f"Run the line (python run_line.py --station {self.station.name}), or ask for a longer period with "
            "--since and --until; linectl history lists what there is.",
        )
        return self.page(report, title, period, parts=[gap], row_count=0)

    def local(self, wall_ns: int) -> str:
        """To the minute, in the time zone of the station's shifts."""
        return f"{self._at(wall_ns):%Y-%m-%d %H:%M}"

    def clock(self, wall_ns: int) -> str:
        """To the second."""
        return f"{self._at(wall_ns):%Y-%m-%d %H:%M:%S}"

    def shift_name(self, begins_at: int) -> str:
        """Which of the day's shifts this is: when it begins."""
        return f"{self._at(begins_at):%H:%M}"

    def said(self, period: Period) -> str:
        if not period.until:
            return "all there is"
        return f"{self.local(period.since)} to {self.local(period.until)}, {self.station.shifts.zone}"

    def _at(self, wall_ns: int) -> datetime:
        return datetime.fromtimestamp(wall_ns // NANO, ZoneInfo(self.station.shifts.zone))
