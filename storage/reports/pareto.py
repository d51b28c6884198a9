"""Pareto: which few zones, sizes, cameras and shifts most defects come from, by count and by area."""

from collections.abc import Callable, Iterable, Sequence

from storage.report_questions import INSPECTED, DefectCount
from storage.reports.asked import Asked
from storage.reports.figures import number
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Picture, Table
from storage.reports.pictures import pareto_bars
from storage.rollups import Span
from storage.statistics.missing import Missing
from storage.statistics.pareto import Pareto
from storage.statistics.pareto import pareto as ranked

TITLE = "Pareto of defects"
NO_ZONE = "outside any zone"
KINDS_MOST = 12  # rows; further ones are under "other"
KINDS = (
    ("zone", "Zone", "zones"),
    ("size", "Size of a defect", "sizes"),
    ("camera", "Camera", "cameras"),
    ("shift", "Shift, by when it begins", "shifts"),
)


def pareto(asked: Asked) -> Page:
    """Defects by zone, size class, camera and shift; equal ones stand in the order of their names."""
    period = asked.period()
    counts = [each for each in asked.reports.quality(period, Span.SHIFT) if asked.takes(each.camera)]
    found = [each for each in asked.reports.pareto(period, outcomes=INSPECTED) if asked.takes(each.camera)]
    if not counts:
        return asked.missing("pareto", TITLE, period)
    verdicts, defects = sum(each.verdicts for each in counts), sum(each.defects for each in found)
    by_shift: dict[str, float] = {}
    for each in sorted(counts, key=lambda each: asked.shift_name(each.starts_at)):
        if each.outcome in INSPECTED:
            name = asked.shift_name(each.starts_at)
            by_shift[name] = by_shift.get(name, 0) + each.defects
    amounts = {
        "zone": _summed(found, lambda each: each.zone or NO_ZONE, sorted({each.zone or NO_ZONE for each in found})),
        "size": _summed(found, size_text, [size_text(each) for each in sorted(found, key=_by_size)]),
        "camera": _summed(found, lambda each: each.camera, asked.in_order(each.camera for each in found)),
        "shift": {name: (amount, 0.0) for name, amount in by_shift.items()},
    }
    parts: list[Part] = []
    rows: list[dict[str, Cell]] = []
    largest: list[Fact] = []
    for kind, title, plural in KINDS:
        pairs = amounts[kind]
        ranks = ranked({name: count for name, (count, _) in pairs.items()}, most=KINDS_MOST)
        if isinstance(ranks, Missing):
            continue
        of = [_row(kind, ranks, name, pairs) for name in (row.kind for row in ranks.rows)]
        rows += of
        first = ranks.rows[0]
        note = f"{100 * first.share:.1f} % of the defects"
        largest.append(Fact(key=f"largest_{kind}", title=f"Most: {kind}", value=first.kind, note=note))
        parts += _shown(title, plural, ranks, of)
    if not rows:
        gap = Gap(
            title="No defect",
            missing=f"None of {verdicts} verdicts in this period has a defect that counts.",
            remedy="Ask for a longer period with --since; what is below the limit of a region is no defect.",
        )
        parts = [gap]
    facts = [
        number("defects", "Defects", defects, f"on {verdicts} verdicts"),
        number("area_mm2", "Area of them", sum(each.area_mm2 for each in found), unit="mm²", digits=1),
        *largest,
    ]
    return asked.page("pareto", TITLE, period, facts=facts, parts=parts, rows=rows, row_count=verdicts)


def size_text(each: DefectCount) -> str:
    """A size class for people."""
    if each.least_mm2 is None:
        return "no area in mm²"
    if each.below_mm2 is None:
        return f"{each.least_mm2:g} mm² and more"
    return f"{each.least_mm2:g} to {each.below_mm2:g} mm²"


def _by_size(each: DefectCount) -> float:
    return -1.0 if each.least_mm2 is None else each.least_mm2


def _summed(
    found: Iterable[DefectCount], kind: Callable[[DefectCount], str], order: Sequence[str]
) -> dict[str, tuple[float, float]]:
    """(defects, mm²) by kind, in this order: where two are equal it decides, so the same data gives the same table."""
    sums = dict.fromkeys(order, (0.0, 0.0))
    for each in found:
        count, area = sums[kind(each)]
        sums[kind(each)] = count + each.defects, area + each.area_mm2
    return sums


def _row(by: str, ranks: Pareto, name: str, pairs: dict[str, tuple[float, float]]) -> dict[str, Cell]:
    row = next(each for each in ranks.rows if each.kind == name)
    known = {each.kind for each in ranks.rows}
    area = pairs[name][1] if name in pairs else sum(area for kind, (_, area) in pairs.items() if kind not in known)
    return {
        "by": by,
        "kind": name,
        "defects": int(row.amount),
        "share": row.share,
        "cumulative": row.cumulative,
        "area_mm2": None if by == "shift" else area,
        "vital": row.vital,
    }


def _shown(title: str, plural: str, ranks: Pareto, rows: list[dict[str, Cell]]) -> list[Part]:
    vital = sum(row.vital for row in ranks.rows)
    columns = [
        Column(key="kind", title=title),
        Column(key="defects", title="Defects"),
        Column(key="share", title="Share", is_share=True),
        Column(key="cumulative", title="With those above", is_share=True),
        Column(key="area_mm2", title="Area, mm²", digits=1),
        Column(key="vital", title="Among the vital few"),
    ]
    merged = f" {ranks.merged} more are under other." if ranks.merged else ""
    note = (
        f"{vital} of {len(ranks.rows)} {plural} reach {100 * ranks.line:.0f} %." + merged
        if ranks.reached
        else f"The named ones do not reach {100 * ranks.line:.0f} %." + merged
    )
    parts: list[Part] = []
    if len(rows) > 1:
        parts.append(Picture(title=f"By {title[0].lower()}{title[1:]}", svg=pareto_bars(ranks, amount="defects")))
    if all(row["area_mm2"] is None for row in rows):
        columns = [each for each in columns if each.key != "area_mm2"]
    name = f"{title}, in figures" if len(rows) > 1 else f"{title}: one alone"
    parts.append(Table(title=name, columns=tuple(columns), rows=tuple(rows), note=note))
    return parts
