"""Control charts: whether what is rejected and what is measured varies more than it did, point by point.

Rules and the length of a run stand beside each chart, as tools differ in them. Limits that were frozen are printed with
who froze them and why; else each phase has limits of its own.
"""

from collections.abc import Iterator, Sequence

from storage.report_questions import Period, Subgroup
from storage.reports.asked import Asked
from storage.reports.chart_names import TITLES, VALUES
from storage.reports.figures import number
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Picture, Table, Text
from storage.reports.pictures import control_chart
from storage.reports.series import ENDINGS_MOST, Series, series_of
from storage.rollups import Span
from storage.statistics.charts import Baseline, Chart
from storage.statistics.missing import Missing

TITLE = "Control charts"
BY_HOUR_MOST = 10 * 24 * 3_600_000_000_000  # ns: a longer period is drawn by shift
POINTS_MOST = 2000  # subgroups of a camera that are drawn, the newest
SIGNALS_MOST = 100  # on paper, the newest


def spc(asked: Asked) -> Page:
    """Laney p′ and u′, or g and t where rejects are rare; EWMA of area, light and score; others on request."""
    period = asked.period()
    span = span_of(asked, period)
    groups = _groups(asked, period, span)
    cut = max((len(of) for of in groups.values()), default=0) - POINTS_MOST
    groups = {camera: of[-POINTS_MOST:] for camera, of in groups.items()}
    if not groups:
        return asked.missing("spc", TITLE, period)
    parts: list[Part] = []
    rows: list[dict[str, Cell]] = []
    signals: list[dict[str, Cell]] = []
    summary: list[dict[str, Cell]] = []
    for camera in asked.in_order(groups):
        for series in series_of(asked, camera, groups[camera], period):
            points = _points(asked, series, span)
            parts += _drawn(asked, series, span)
            rows += points
            signals += [row for row in points if row["signals"]]
            summary += _summary(asked, series)
    frozen = asked.options.frozen
    if frozen is not None:
        parts.insert(0, Text(title="Frozen limits", text=f"Kept by {frozen.who}: {frozen.why} (from {frozen.source})."))
    parts += [_summary_table(summary), _signal_table(signals)]
    note = f"the newest {POINTS_MOST}; {cut} came before" if cut > 0 else ""
    facts: list[Fact] = [
        number("signals", "Signals", len(signals), f"points of {len(rows)}"),
        number("charts", "Charts", len(summary), "phases of their own included"),
        Fact(key="span", title="One point is", value=f"{'an' if span is Span.HOUR else 'a'} {span.value}", note=note),
        Fact(key="limits", title="Limits", value="frozen" if frozen else "of this period"),
    ]
    return asked.page(
        "spc",
        TITLE,
        period,
        facts=facts,
        parts=parts,
        rows=rows,
        row_count=sum(group.verdicts for of in groups.values() for group in of),
        query={
            "by": span.value,
            "charts": ", ".join(asked.options.charts) or "fitting",
            "rules": asked.options.rules,
            "run": asked.options.run,
            "phases": ", ".join(map(asked.local, asked.options.phases)) or None,
            "frozen_by": frozen.who if frozen else None,
            "frozen_why": frozen.why if frozen else None,
            "frozen_from": frozen.source if frozen else None,
        },
    )


def span_of(asked: Asked, period: Period) -> Span:
    """What makes one point."""
    if asked.options.span is not None:
        return asked.options.span
    return Span.HOUR if period.until - period.since <= BY_HOUR_MOST else Span.SHIFT


def limits_of(asked: Asked) -> dict[str, Baseline]:
    """The limits of this period, to be frozen; of charts that lack what they need there are none."""
    period = asked.period()
    groups = _groups(asked, period, span_of(asked, period))
    return {
        series.key: series.charts[-1].baseline
        for camera in groups
        for series in series_of(asked, camera, groups[camera], period)
        if series.charts
    }


def _groups(asked: Asked, period: Period, span: Span) -> dict[str, list[Subgroup]]:
    """By camera, the oldest first."""
    found: dict[str, list[Subgroup]] = {}
    for group in asked.reports.spc(period, span):
        if asked.takes(group.camera):
            found.setdefault(group.camera, []).append(group)
    return found


def _drawn(asked: Asked, series: Series, span: Span) -> Iterator[Part]:
    title = f"{TITLES[series.chart]}, {series.camera}"
    for phase in series.phases:
        if isinstance(phase, Missing):
            yield Gap(
                title=title,
                missing=f"{phase.why[0].upper()}{phase.why[1:]}.",
                remedy="A longer period (--since), shorter subgroups (--by minute) or kept limits (--baseline) may do.",
            )
    if not series.charts:
        return
    labels = [_label(asked, at, span) for at in series.at]
    rare = series.chart in {"g", "t"}
    points = f"{'time of the reject' if rare else f'{span.value} begins'}, {asked.station.shifts.zone}"
    svg = control_chart(series.charts, labels, value=VALUES[series.chart], points=points)
    yield Picture(title=title, svg=svg, note=_note(series))


def _note(series: Series) -> str:
    chart = series.charts[0]
    runs = ", ".join(f"{rule}: {length} on one side" for rule, length in chart.runs.items())
    said = [
        f"Solid: centre; dashed: limits{', frozen' if chart.frozen else ''}. Rules {', '.join(chart.rules)}"
        + (f" ({runs})." if runs else ".")
    ]
    if chart.kind in {"laney p′", "laney u′"}:
        said.append("σz " + ", ".join(f"{each.baseline.sigma:.2f}" for each in series.charts) + ".")
    if chart.kind == "ewma":
        said.append("Weight 0.2, 3 sigma wide.")
    if chart.kind in {"g", "t"}:
        said.append("A point below is a worse line, one above a better one.")
    if series.cut:
        said.append(f"Of the newest {ENDINGS_MOST} parts that did not pass.")
    if left_out := sum(len(each.left_out) for each in series.charts):
        said.append(f"{left_out} subgroups without an inspected part have no point.")
    return " ".join(said)


def _points(asked: Asked, series: Series, span: Span) -> list[dict[str, Cell]]:
    found: list[dict[str, Cell]] = []
    for number_of, chart in enumerate(series.charts, start=1):
        broken: dict[int, list[str]] = {}
        for signal in chart.signals:
            broken.setdefault(signal.index, []).append(signal.rule)
        found += [
            {
                "camera": series.camera,
                "chart": series.chart,
                "phase": number_of,
                "at": _moment(asked, series.at[point.index], span),
                "value": point.value,
                "centre": point.centre,
                "lower": point.lower,
                "upper": point.upper,
                "signals": " ".join(broken.get(point.index, [])),
            }
            for point in chart.points
        ]
    return found


def _summary(asked: Asked, series: Series) -> list[dict[str, Cell]]:
    return [_of_phase(asked, series, number_of, chart) for number_of, chart in enumerate(series.charts, start=1)]


def _of_phase(asked: Asked, series: Series, phase: int, chart: Chart) -> dict[str, Cell]:
    basis = chart.baseline
    return {
        "camera": series.camera,
        "chart": TITLES[series.chart],
        "phase": phase,
        "from": asked.local(series.at[chart.points[0].index]),
        "points": len(chart.points),
        "centre": basis.centre,
        "sigma": basis.sigma,
        "signals": len({signal.index for signal in chart.signals}),
        "limits": "frozen" if chart.frozen else f"of {basis.points} points",
    }


def _summary_table(rows: Sequence[dict[str, Cell]]) -> Table:
    columns = (
        Column(key="camera", title="Camera"),
        Column(key="chart", title="Chart"),
        Column(key="phase", title="Phase"),
        Column(key="from", title="From"),
        Column(key="points", title="Points"),
        Column(key="centre", title="Centre"),
        Column(key="sigma", title="Sigma"),
        Column(key="signals", title="Signals"),
        Column(key="limits", title="Limits"),
    )
    note = "Sigma: Laney's σz; of a measure, that of one subgroup; 1 where the centre alone gives the limits."
    return Table(title="Charts", columns=columns, rows=tuple(rows), note=note)


def _signal_table(signals: Sequence[dict[str, Cell]]) -> Table:
    columns = (
        Column(key="at", title="At"),
        Column(key="camera", title="Camera"),
        Column(key="chart", title="Chart"),
        Column(key="signals", title="Rules"),
        Column(key="value", title="Value"),
        Column(key="lower", title="Lower limit"),
        Column(key="upper", title="Upper limit"),
    )
    more = len(signals) - SIGNALS_MOST
    note = f"The newest; {more} came before." if more > 0 else ""
    newest = sorted(signals, key=lambda row: str(row["at"]))[-SIGNALS_MOST:]
    return Table(title="Signals", columns=columns, rows=tuple(newest), note=note)


def _label(asked: Asked, at: int, span: Span) -> str:
    return asked.local(at)[5:] if span is not Span.MINUTE else asked.local(at)[11:]


def _moment(asked: Asked, at: int, span: Span) -> str:
    return asked.local(at) if span is not Span.MINUTE else asked.clock(at)
