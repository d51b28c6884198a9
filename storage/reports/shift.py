"""Shift: what a shift hands over. Parts, coverage, rejects by type, holds and why, alarms, lateness, and what changed.

It closes whatever became of the line: what a crash left open, the next start closed as not inspected, and it says so.
"""

from collections.abc import Sequence

from monitor.messages import Outcome
from storage.report_questions import DefectCount, OutcomeCount, Period
from storage.report_rows import Start
from storage.reports.asked import Asked
from storage.reports.called import Called, Calls, calls
from storage.reports.changes import changes
from storage.reports.figures import number, share
from storage.reports.latency import LATE, LATENCY, lateness_facts, quantiles
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Table
from storage.reports.pareto import NO_ZONE, size_text
from storage.reports.quality import bars_of, not_inspected, outcomes_of
from storage.rollups import Span
from storage.statistics.missing import Missing
from storage.statistics.yields import coverage, first_pass_yield

TITLE = "Shift report"
STARTS_MOST = 200
ALARMS_MOST = 100  # on paper, the newest; JSON has as many as there are
HOURS_MOST = 48  # bars


def shift(asked: Asked) -> Page:
    """The newest shift with verdicts, or those of the period that was asked for."""
    period = asked.period(newest=True)
    found = asked.reports.shift(period)
    counts = [each for each in found.outcomes if asked.takes(each.camera)]
    starts = asked.snapshot.rows.starts(period.until, STARTS_MOST)
    ours = [each for each in starts if each.started_at >= period.since]
    if not counts and not ours:
        return asked.missing("shift", TITLE, period)
    called = calls(asked, period)
    rejects = asked.reports.pareto(period, outcomes=(Outcome.REJECT,))
    late = next((each for each in found.times if each.measure == LATE), None)
    parts: list[Part] = []
    if counts:
        parts += [_hours(asked, period), _by_camera(asked, counts), not_inspected(counts)]
    parts += [*_calls(asked, called), _changes(asked, starts, period), _starts(asked, ours)]
    if counts:
        parts.append(_rejects(asked, rejects))
    ended = outcomes_of(counts)
    worst = [quantiles(each) for each in found.times if each.measure == LATENCY and asked.takes(each.camera)]
    p99 = max((each.quantiles[1].value for each in worst if not isinstance(each, Missing)), default=None)
    facts = [
        number("triggers", "Triggers", ended.triggers, f"cameras: {len({each.camera for each in counts})}"),
        share("coverage", "Inspection coverage", coverage(ended), f"{ended.not_inspected} not inspected"),
        number("passed", "Passed", ended.passed),
        number("rejected", "Rejected", ended.rejected),
        share("first_pass_yield", "First-pass yield", first_pass_yield(ended), "not inspected counts as not good"),
        number("p99_ms", "Latency, p99", Missing("no verdict") if p99 is None else p99, unit="ms", digits=0),
        *lateness_facts(late)[1:2],
        *_called_facts(called),
        number("recovered", "Left open by a crash", sum(each.recovered for each in ours), "closed as not inspected"),
    ]
    return asked.page(
        "shift",
        TITLE,
        period,
        facts=facts,
        parts=parts,
        rows=_rows(asked, counts),
        row_count=ended.triggers,
        query={"journal_row": asked.snapshot.head.seq if asked.snapshot.head else 0},
    )


def _rows(asked: Asked, counts: Sequence[OutcomeCount]) -> list[dict[str, Cell]]:
    """Verdicts by shift, camera, outcome and reason."""
    return [
        {
            "shift": asked.local(each.starts_at),
            "camera": each.camera,
            "outcome": each.outcome,
            "reason": each.reason or None,
            "verdicts": each.verdicts,
            "grey": each.grey,
            "defects": each.defects,
        }
        for each in counts
    ]


def _hours(asked: Asked, period: Period) -> Part:
    """Bars by the hour, from the first with a verdict; of a longer period by the shift."""
    span = Span.HOUR if period.until - period.since <= HOURS_MOST * 3_600_000_000_000 else Span.SHIFT
    counts = [each for each in asked.reports.quality(period, span) if asked.takes(each.camera)]
    begins = sorted({each.starts_at for each in counts})[-HOURS_MOST:]
    labels = [asked.local(at)[11:] if span is Span.HOUR else asked.local(at)[5:] for at in begins]
    shown = [each for each in counts if each.starts_at in begins]
    points = f"{span.value} begins, {asked.station.shifts.zone}"
    return bars_of(shown, begins, labels, points=points, title=f"Verdicts by {span.value}")


def _by_camera(asked: Asked, counts: Sequence[OutcomeCount]) -> Table:
    rows: list[dict[str, Cell]] = []
    for camera in asked.in_order(each.camera for each in counts):
        ended = outcomes_of(each for each in counts if each.camera == camera)
        share_seen = coverage(ended)
        rows.append(
            {
                "camera": camera,
                "triggers": ended.triggers,
                "passed": ended.passed,
                "rejected": ended.rejected,
                "grey": sum(each.grey for each in counts if each.camera == camera),
                "not_inspected": ended.not_inspected,
                "coverage": None if isinstance(share_seen, Missing) else share_seen,
            }
        )
    columns = (
        Column(key="camera", title="Camera"),
        Column(key="triggers", title="Triggers"),
        Column(key="passed", title="Passed"),
        Column(key="rejected", title="Rejected"),
        Column(key="grey", title="Near a limit"),
        Column(key="not_inspected", title="Not inspected"),
        Column(key="coverage", title="Coverage", is_share=True, digits=2),
    )
    return Table(title="By camera", columns=columns, rows=tuple(rows))


def _rejects(asked: Asked, found: Sequence[DefectCount]) -> Table:
    """Defects of rejected parts, the most frequent type first."""
    return Table(
        title="Rejects by type",
        columns=(
            Column(key="camera", title="Camera"),
            Column(key="zone", title="Zone"),
            Column(key="size", title="Size of a defect"),
            Column(key="defects", title="Defects"),
            Column(key="area_mm2", title="Area, mm²", digits=1),
        ),
        rows=tuple(
            {
                "camera": each.camera,
                "zone": each.zone or NO_ZONE,
                "size": size_text(each),
                "defects": each.defects,
                "area_mm2": each.area_mm2,
            }
            for each in found
            if asked.takes(each.camera)
        ),
        note="Defects on parts that were rejected; a part may have several.",
    )


def _calls(asked: Asked, called: Calls | Missing) -> list[Part]:
    if isinstance(called, Missing):
        gap = Gap(
            title="Alarms and holds",
            missing=f"{called.why[0].upper()}{called.why[1:]}.",
            remedy="Make this report where the line runs, with its LINE_STATE; linectl verify looks at a journal.",
        )
        return [gap]
    columns = (
        Column(key="raised", title="Raised"),
        Column(key="alarm", title="Alarm"),
        Column(key="about", title="About"),
        Column(key="text", title="Why"),
        Column(key="ended", title="Acknowledged"),
        Column(key="by", title="By"),
        Column(key="found", title="What was found"),
    )
    holds = [_call(asked, each) for each in called.alarms if each.level == "hold"]
    others = [_call(asked, each) for each in called.alarms if each.level != "hold"]
    more = len(others) - ALARMS_MOST
    parts: list[Part] = [
        Table(title="Holds, and why", columns=columns, rows=tuple(holds)),
        Table(
            title="Other alarms",
            columns=(columns[0], Column(key="level", title="Level"), *columns[1:6]),
            rows=tuple(others[-ALARMS_MOST:]),
            note=f"The newest; {more} came before." if more > 0 else "",
        ),
    ]
    if called.people:
        did: list[dict[str, Cell]] = [
            {
                "at": asked.clock(each.at),
                "who": each.who,
                "what": each.what,
                "old": each.old,
                "new": each.new,
                "why": each.why,
            }
            for each in called.people
        ]
        titles = {"at": "At", "who": "Who", "what": "What", "old": "Before", "new": "After", "why": "Why"}
        every = tuple(Column(key=key, title=title) for key, title in titles.items())
        parts.append(Table(title="What people did", columns=every, rows=tuple(did)))
    return parts


def _call(asked: Asked, each: Called) -> dict[str, Cell]:
    latched = each.level in {"hold", "reject"}
    return {
        "raised": asked.clock(each.raised_at),
        "level": each.level,
        "alarm": each.name,
        "about": each.about,
        "text": each.text,
        "ended": asked.clock(each.ended_at) if each.ended_at else "nobody yet" if latched else None,
        "by": each.by or None,
        "found": each.why or None,
    }


def _starts(asked: Asked, ours: Sequence[Start]) -> Table:
    columns = (
        Column(key="started", title="Started"),
        Column(key="net", title="Net"),
        Column(key="engine", title="Engine"),
        Column(key="software", title="Software"),
        Column(key="recovered", title="Left open before it"),
    )
    rows: tuple[dict[str, Cell], ...] = tuple(
        {
            "started": asked.clock(each.started_at),
            "net": f"{each.model or 'unnamed'} {each.model_sha256[:12]}",
            "engine": each.engine,
            "software": each.software,
            "recovered": each.recovered,
        }
        for each in ours
    )
    return Table(title="Starts of the line", columns=columns, rows=rows)


def _changes(asked: Asked, starts: Sequence[Start], period: Period) -> Table:
    columns = (
        Column(key="at", title="Since the start at"),
        Column(key="what", title="What"),
        Column(key="before", title="Before"),
        Column(key="after", title="After"),
    )
    rows: tuple[dict[str, Cell], ...] = tuple(
        {"at": asked.clock(start.started_at), "what": what, "before": before, "after": after}
        for start, what, before, after in changes(starts, period)
    )
    return Table(title="Changes of net, limits and software", columns=columns, rows=rows)


def _called_facts(called: Calls | Missing) -> list[Fact]:
    if isinstance(called, Missing):
        return [number("holds", "Holds", called), number("alarms", "Alarms", called)]
    holds = [each for each in called.alarms if each.level == "hold"]
    standing = sum(each.ended_at is None for each in holds)
    return [
        number("holds", "Holds", len(holds), f"{standing} stand" if standing else ""),
        number("alarms", "Alarms", len(called.alarms), "holds included"),
    ]
