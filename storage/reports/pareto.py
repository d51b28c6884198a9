"""Pareto: which few zones, sizes, cameras and shifts most defects come from, by count, area or cost."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from config.quality import Quality
from storage.report_questions import INSPECTED, DefectCount
from storage.reports.asked import Asked, Weight
from storage.reports.figures import number
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Picture, Table
from storage.reports.pareto_change import KINDS_MOST, change_parts
from storage.reports.pictures import pareto_bars
from storage.rollups import Span
from storage.statistics.missing import Missing
from storage.statistics.pareto import Pareto
from storage.statistics.pareto import pareto as ranked

TITLE = "Pareto of defects"
NO_ZONE = "outside any zone"
WEIGHTS: dict[Weight, str] = {"count": "defects", "area": "area of defects", "cost": "cost of defects"}
KINDS = (
    ("zone", "Zone", "zones"),
    ("size", "Size of a defect", "sizes"),
    ("camera", "Camera", "cameras"),
    ("shift", "Shift, by when it begins", "shifts"),
)


class Sums(NamedTuple):
    """Of a kind."""

    defects: float
    area: float  # mm²
    cost: float


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
    weight, costs = asked.options.weight, asked.station.quality
    amounts = {
        "zone": _summed(found, zone_text, sorted({zone_text(each) for each in found}), costs),
        "size": _summed(found, size_text, [size_text(each) for each in sorted(found, key=_by_size)], costs),
        "camera": _summed(found, camera_text, asked.in_order(each.camera for each in found), costs),
        "shift": {name: Sums(amount, 0.0, 0.0) for name, amount in by_shift.items()},
    }
    parts: list[Part] = []
    rows: list[dict[str, Cell]] = []
    largest: list[Fact] = []
    for kind, title, plural in KINDS:
        if kind == "shift" and weight != "count":
            continue  # shifts are counted with the parts, which know neither size nor zone
        pairs = amounts[kind]
        ranks = ranked({name: _weighed(sums, weight) for name, sums in pairs.items()}, most=KINDS_MOST)
        if isinstance(ranks, Missing):
            continue
        of = [_row(kind, ranks, name, pairs) for name in (row.kind for row in ranks.rows)]
        rows += of
        first = ranks.rows[0]
        note = f"{100 * first.share:.1f} % of the {WEIGHTS[weight]}"
        largest.append(Fact(key=f"largest_{kind}", title=f"Most: {kind}", value=first.kind, note=note))
        parts += _shown(title, plural, ranks, of, weight)
    if not rows:
        gap = Gap(
            title="No defect",
            missing=f"None of {verdicts} verdicts in this period has a defect that counts.",
            remedy="Ask for a longer period with --since; what is below the limit of a region is no defect.",
        )
        parts = [gap]
    elif asked.options.change is not None:
        kinds = (("Zone", zone_text), ("Size of a defect", size_text), ("Camera", camera_text))
        parts += change_parts(asked, period, asked.options.change, kinds)
    cost = sum(sums.cost for sums in amounts["camera"].values())
    facts = [
        number("defects", "Defects", defects, f"on {verdicts} verdicts"),
        number("area_mm2", "Area of them", sum(each.area_mm2 for each in found), unit="mm²", digits=1),
        *([number("cost", "Cost of them", cost, _cost_note(costs), digits=1)] if weight == "cost" else []),
        *largest,
    ]
    asked_for: dict[str, Cell] = {"weight": weight}
    if asked.options.change is not None:
        asked_for["change"] = asked.local(asked.options.change)
    return asked.page("pareto", TITLE, period, facts=facts, parts=parts, rows=rows, row_count=verdicts, query=asked_for)


def zone_text(each: DefectCount) -> str:
    return each.zone or NO_ZONE


def camera_text(each: DefectCount) -> str:
    return each.camera


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
    found: Iterable[DefectCount], kind: Callable[[DefectCount], str], order: Sequence[str], costs: Quality
) -> dict[str, Sums]:
    """By kind, in this order: where two are equal it decides, so the same data gives the same table."""
    sums = dict.fromkeys(order, Sums(0.0, 0.0, 0.0))
    for each in found:
        defects, area, cost = sums[kind(each)]
        sums[kind(each)] = Sums(
            defects + each.defects, area + each.area_mm2, cost + each.defects * costs.cost_in(each.zone)
        )
    return sums


def _row(by: str, ranks: Pareto, name: str, pairs: dict[str, Sums]) -> dict[str, Cell]:
    row = next(each for each in ranks.rows if each.kind == name)
    known = {each.kind for each in ranks.rows}
    merged = [pairs[name]] if name in pairs else [sums for kind, sums in pairs.items() if kind not in known]
    return {
        "by": by,
        "kind": name,
        "defects": int(sum(sums.defects for sums in merged)),
        "share": row.share,
        "cumulative": row.cumulative,
        "area_mm2": None if by == "shift" else sum(sums.area for sums in merged),
        "cost": None if by == "shift" else sum(sums.cost for sums in merged),
        "vital": row.vital,
    }


def _weighed(sums: Sums, weight: Weight) -> float:
    match weight:
        case "count":
            return sums.defects
        case "area":
            return sums.area
        case "cost":
            return sums.cost


def _cost_note(costs: Quality) -> str:
    """What a defect costs, as the station file has it."""
    zones = ", ".join(f"{zone} {cost:g}" for zone, cost in sorted(costs.zone_costs.items()))
    return f"{costs.cost:g} a defect" + (f"; {zones}" if zones else "")


def _shown(title: str, plural: str, ranks: Pareto, rows: list[dict[str, Cell]], weight: Weight) -> list[Part]:
    vital = sum(row.vital for row in ranks.rows)
    columns = [
        Column(key="kind", title=title),
        Column(key="defects", title="Defects"),
        Column(key="share", title="Share", is_share=True),
        Column(key="cumulative", title="With those above", is_share=True),
        Column(key="area_mm2", title="Area, mm²", digits=1),
        *([Column(key="cost", title="Cost", digits=1)] if weight == "cost" else []),
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
        parts.append(Picture(title=f"By {title[0].lower()}{title[1:]}", svg=pareto_bars(ranks, amount=WEIGHTS[weight])))
    if all(row["area_mm2"] is None for row in rows):
        columns = [each for each in columns if each.key != "area_mm2"]
    name = f"{title}, in figures" if len(rows) > 1 else f"{title}: one alone"
    parts.append(Table(title=name, columns=tuple(columns), rows=tuple(rows), note=note))
    return parts
