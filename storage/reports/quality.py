"""Quality: how much was inspected, and how much of it was good, by shift and by camera.

A part that was not inspected is never a good one (storage/statistics/yields.py has the definitions): it stays in the
denominator of the yield, and the coverage stands first.
"""

from collections.abc import Iterable, Sequence

from monitor.messages import Outcome
from storage.report_questions import INSPECTED, OutcomeCount
from storage.reports.asked import Asked
from storage.reports.figures import known, number, share
from storage.reports.page import Cell, Column, Fact, Page, Part, Picture, Table, Text
from storage.reports.pictures import outcome_bars
from storage.rollups import Span
from storage.statistics.missing import Missing
from storage.statistics.proportions import wilson
from storage.statistics.yields import (
    Outcomes,
    coverage,
    defects_per_million,
    defects_per_unit,
    first_pass_yield,
    rolled_throughput_yield,
    sigma_level,
    yield_of_inspected,
)

TITLE = "Quality"
BARS_MOST = 60  # shifts that are drawn, the newest
ROWS_MOST = 100  # on paper


def quality(asked: Asked) -> Page:
    """FPY, RTY, DPU, DPMO with the opportunities of one part, and the inspection coverage."""
    period = asked.period()
    counts = [each for each in asked.reports.quality(period, Span.SHIFT) if asked.takes(each.camera)]
    if not counts:
        return asked.missing("quality", TITLE, period)
    opportunities = asked.options.opportunities or asked.station.quality.opportunities
    shifts = sorted({each.starts_at for each in counts})
    cameras = asked.in_order(each.camera for each in counts)
    of_shift: dict[tuple[int, str], list[OutcomeCount]] = {}
    for each in counts:
        of_shift.setdefault((each.starts_at, each.camera), []).append(each)
    rows = [
        {"shift": asked.local(shift), "camera": camera, **_figures(of_shift[shift, camera], opportunities)}
        for shift in shifts
        for camera in cameras
        if (shift, camera) in of_shift
    ]
    rows = [row for row in rows if row["triggers"]]
    by_camera = [
        {"camera": camera, **_figures([each for each in counts if each.camera == camera], opportunities)}
        for camera in cameras
    ]
    parts: list[Part] = [
        _bars(asked, counts, shifts),
        Table(title="By camera", columns=_columns(Column(key="camera", title="Camera")), rows=tuple(by_camera)),
        Table(
            title="By shift",
            columns=_columns(Column(key="shift", title="Shift begins"), Column(key="camera", title="Camera")),
            rows=tuple(rows[-ROWS_MOST:]),
            note=f"The last {ROWS_MOST} of {len(rows)}; JSON and XLSX have all." if len(rows) > ROWS_MOST else "",
        ),
        not_inspected(counts),
        Text(
            title="How these are reckoned",
            text="First-pass yield is passed over all triggers, so a part that was not inspected counts as not good. "
            "DPU is defects, not defective parts, over inspected units; DPMO divides it by the opportunities of one "
            f"unit, {opportunities} here ([quality], or --opportunities). A unit is one part as one camera saw it. The "
            "rolled yield is the product of the cameras' first-pass yields. Sigma levels are of the DPMO, without and "
            "with the shift of 1.5 sigma by convention.",
        ),
    ]
    return asked.page(
        "quality",
        TITLE,
        period,
        facts=_facts(counts, cameras, opportunities),
        parts=parts,
        rows=rows,
        row_count=sum(each.verdicts for each in counts),
        query={"opportunities": opportunities},
    )


def outcomes_of(counts: Iterable[OutcomeCount]) -> Outcomes:
    """How the triggers of these counts ended."""
    ended = dict.fromkeys(map(str, Outcome), 0)
    for each in counts:
        ended[each.outcome] += each.verdicts
    return Outcomes(
        passed=ended[Outcome.PASS], rejected=ended[Outcome.REJECT], not_inspected=ended[Outcome.NOT_INSPECTED]
    )


def not_inspected(counts: Sequence[OutcomeCount]) -> Table:
    """Why parts were not inspected; the most frequent reason first."""
    reasons: dict[tuple[str, str], int] = {}
    for each in counts:
        if each.outcome == Outcome.NOT_INSPECTED:
            reasons[each.reason, each.camera] = reasons.get((each.reason, each.camera), 0) + each.verdicts
    of = sum(each.verdicts for each in counts)
    return Table(
        title="Why parts were not inspected",
        columns=(
            Column(key="reason", title="Reason"),
            Column(key="camera", title="Camera"),
            Column(key="parts", title="Parts"),
            Column(key="share_of_triggers", title="Of all triggers", is_share=True, digits=2),
        ),
        rows=tuple(
            {"reason": reason, "camera": camera, "parts": times, "share_of_triggers": times / of}
            for (reason, camera), times in sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
        ),
    )


def bars_of(
    counts: Sequence[OutcomeCount], begins: Sequence[int], labels: Sequence[str], *, points: str, title: str
) -> Picture:
    """What became of the parts, by when they came."""
    kinds = {"passed": Outcome.PASS, "rejected": Outcome.REJECT, "not inspected": Outcome.NOT_INSPECTED}
    sums = {kind: dict.fromkeys(begins, 0) for kind in kinds}
    for each in counts:
        for kind, outcome in kinds.items():
            if each.outcome == outcome:
                sums[kind][each.starts_at] += each.verdicts
    amounts = {kind: list(found.values()) for kind, found in sums.items()}
    return Picture(title=title, svg=outcome_bars(labels, amounts, points=points, parts="verdicts"))


def _bars(asked: Asked, counts: Sequence[OutcomeCount], shifts: Sequence[int]) -> Picture:
    shown = shifts[-BARS_MOST:]
    labels = [asked.local(shift)[5:] for shift in shown]
    title = "Verdicts by shift" if len(shown) == len(shifts) else f"Verdicts of the last {len(shown)} shifts"
    recent = [each for each in counts if each.starts_at >= shown[0]]
    return bars_of(recent, shown, labels, points=f"shift begins, {asked.station.shifts.zone}", title=title)


def _columns(*first: Column) -> tuple[Column, ...]:
    return (
        *first,
        Column(key="triggers", title="Triggers"),
        Column(key="not_inspected", title="Not inspected"),
        Column(key="coverage", title="Coverage", is_share=True, digits=2),
        Column(key="rejected", title="Rejected"),
        Column(key="first_pass_yield", title="FPY", is_share=True, digits=2),
        Column(key="yield_of_inspected", title="Yield of inspected", is_share=True, digits=2),
        Column(key="defects", title="Defects"),
        Column(key="dpu", title="DPU", digits=4),
        Column(key="dpmo", title="DPMO", digits=0),
    )


def _figures(counts: Sequence[OutcomeCount], opportunities: int) -> dict[str, Cell]:
    ended = outcomes_of(counts)
    defects = _defects(counts)
    return {
        "triggers": ended.triggers,
        "passed": ended.passed,
        "rejected": ended.rejected,
        "not_inspected": ended.not_inspected,
        "coverage": known(coverage(ended)),
        "first_pass_yield": known(first_pass_yield(ended)),
        "yield_of_inspected": known(yield_of_inspected(ended)),
        "defects": defects,
        "dpu": known(defects_per_unit(defects, ended.inspected)),
        "dpmo": known(defects_per_million(defects, ended.inspected, opportunities=opportunities)),
    }


def _facts(counts: Sequence[OutcomeCount], cameras: Sequence[str], opportunities: int) -> list[Fact]:
    ended, defects = outcomes_of(counts), _defects(counts)
    each = [outcomes_of([count for count in counts if count.camera == camera]) for camera in cameras]
    dpmo = defects_per_million(defects, ended.inspected, opportunities=opportunities)
    sigma = dpmo if isinstance(dpmo, Missing) else sigma_level(dpmo)
    good = yield_of_inspected(ended)
    return [
        share("coverage", "Inspection coverage", coverage(ended), f"{ended.inspected} of {ended.triggers} triggers"),
        share("first_pass_yield", "First-pass yield", first_pass_yield(ended), "not inspected counts as not good"),
        share("yield_of_inspected", "Yield of inspected", good, _interval(ended)),
        share(
            "rolled_throughput_yield", "Rolled yield, RTY", rolled_throughput_yield(each), f"cameras: {len(cameras)}"
        ),
        number(
            "dpu", "Defects per unit, DPU", defects_per_unit(defects, ended.inspected), f"{defects} defects", digits=4
        ),
        number("dpmo", "DPMO", dpmo, f"opportunities per part: {opportunities}", digits=0),
        number(
            "sigma_level",
            "Sigma level",
            sigma if isinstance(sigma, Missing) else sigma.unshifted,
            "without a shift",
            digits=2,
        ),
        number(
            "sigma_level_shifted",
            "Sigma level, shifted",
            sigma if isinstance(sigma, Missing) else sigma.shifted,
            "with the shift of 1.5 sigma",
            digits=2,
        ),
    ]


def _interval(ended: Outcomes) -> str:
    found = wilson(ended.passed, ended.inspected)
    if isinstance(found, Missing):
        return ""
    return f"95 %: {100 * found.low:.2f} to {100 * found.high:.2f} %, Wilson"


def _defects(counts: Iterable[OutcomeCount]) -> int:
    """Of what was inspected: a frame that was not judged may show regions all the same."""
    return sum(each.defects for each in counts if each.outcome in INSPECTED)
