"""Before and after: what became of each kind of defect at a moment, as when a roll or a limit was changed."""

from collections.abc import Callable, Sequence
from typing import Any

from storage.report_questions import INSPECTED, DefectCount, Period
from storage.reports.asked import Asked
from storage.reports.page import Cell, Column, Gap, Part, Table
from storage.rollups import Span
from storage.statistics.missing import Missing
from storage.statistics.rates import RateRatio, rate_ratio

Kind = Callable[[DefectCount], str]
KINDS_MOST = 12  # rows of a table


def change_parts(asked: Asked, period: Period, at: int, kinds: Sequence[tuple[str, Kind]]) -> list[Part]:
    """A table for each kind, the shift in which it happened left out: it is neither before nor after."""
    changed = asked.station.shifts.around(at)
    sides = Period(period.since, changed[0]), Period(changed[1], period.until)
    inspected = [_inspected(asked, side) for side in sides]
    when = asked.local(at)
    if not all(inspected):
        side = "before" if not inspected[0] else "after"
        gap = Gap(
            title=f"Before and after {when}",
            missing=f"No inspected part lies in a whole shift {side} it.",
            remedy="Ask for a period that has shifts on both sides: --since, --until.",
        )
        return [gap]
    found = [
        [each for each in asked.reports.pareto(side, outcomes=INSPECTED) if asked.takes(each.camera)] for side in sides
    ]
    note = (
        f"{inspected[0]} inspected before, {inspected[1]} after; the shift of the change itself is left out. The ratio "
        "is that of defects per inspected part, between exact bounds of 95 %; it has changed where these leave out 1."
    )
    return [_table(f"{title}, before and after {when}", kind, found, inspected, note) for title, kind in kinds]


def _inspected(asked: Asked, period: Period) -> int:
    if period.since >= period.until:
        return 0
    counts = asked.reports.quality(period, Span.SHIFT)
    return sum(each.verdicts for each in counts if each.outcome in INSPECTED and asked.takes(each.camera))


def _table(title: str, kind: Kind, found: list[list[DefectCount]], inspected: list[int], note: str) -> Table:
    sums: list[dict[str, int]] = [{}, {}]
    for side, counts in zip(sums, found, strict=True):
        for each in counts:
            side[kind(each)] = side.get(kind(each), 0) + each.defects
    total = {name: sum(side.get(name, 0) for side in sums) for name in {*sums[0], *sums[1]}}
    order = sorted(total, key=lambda name: (-total[name], name))[:KINDS_MOST]
    return Table(
        title=title,
        columns=(
            Column(key="kind", title=title.partition(",")[0]),
            Column(key="before", title="Defects before"),
            Column(key="before_per_1000", title="per 1,000 parts", digits=2),
            Column(key="after", title="Defects after"),
            Column(key="after_per_1000", title="per 1,000 parts", digits=2),
            Column(key="ratio", title="Ratio", digits=2),
            Column(key="low", title="at least", digits=2),
            Column(key="high", title="at most", digits=2),
            Column(key="change", title=""),
        ),
        rows=tuple(_row(name, sums[0].get(name, 0), sums[1].get(name, 0), inspected) for name in order),
        note=note,
    )


def _row(name: str, before: int, after: int, inspected: list[int]) -> dict[str, Cell]:
    counted: dict[str, Any] = {"kind": name, "before": before, "after": after}
    found = rate_ratio(before, inspected[0], after, inspected[1])
    if isinstance(found, Missing):
        return counted
    return counted | {
        "before_per_1000": 1000 * found.before,
        "after_per_1000": 1000 * found.after,
        "ratio": found.ratio,
        "low": found.low,
        "high": found.high,
        "change": _said(found),
    }


def _said(found: RateRatio) -> str:
    return "more" if found.is_higher else "fewer" if found.is_lower else "not told apart"
