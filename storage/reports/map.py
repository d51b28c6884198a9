"""Map: where on the part defects lie, in mm, and whether they repeat along the belt as a mark on a roll would.

The density is of all defects, from the counts of cells. The pitch needs single places: of each camera the newest
`SPOTS_MOST` are read, laid along the strip by the encoder, and the piece of it with the most marks is tested
(storage/statistics/roll_marks.py).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from config.cameras import Calibration, CameraBase
from storage.report_questions import INSPECTED, CellCount
from storage.report_rows import Spot
from storage.reports.asked import Asked
from storage.reports.figures import number
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Picture, Table
from storage.reports.pictures import density_map
from storage.rollups import CELLS
from storage.statistics.missing import Missing
from storage.statistics.roll_marks import LEAST_MARKS, LEAST_TURNS, Pitch, repeating_pitch

TITLE = "Map of defects"
SPOTS_MOST = 20_000  # defects of a camera whose places are read one by one
PIECE_TURNS = 2000  # of the shortest pitch: so long is the strip that is tested at once, a second's work
SURROGATES = 199
PITCH_REMEDY = (
    "Calibrate the camera (linectl calibrate) and have an encoder on the belt; then ask for a longer period with "
    "--since, or another range with --pitch-mm: a mark shows only over several turns."
)
MERGE = 0.02  # of the shortest pitch: regions closer than this are one mark


def defect_map(asked: Asked) -> Page:
    """Density in mm, and the pitch of marks, of each camera."""
    period = asked.period()
    counts = [each for each in asked.reports.quality(period) if asked.takes(each.camera)]
    if not counts:
        return asked.missing("map", TITLE, period)
    cells = [each for each in asked.reports.density(period, outcomes=INSPECTED) if asked.takes(each.camera)]
    cameras = {camera.name: camera for camera in asked.station.cameras}
    facts: list[Fact] = [number("defects", "Defects", sum(each.defects for each in cells))]
    parts: list[Part] = []
    rows: list[dict[str, Cell]] = []
    for name in asked.in_order(each.camera for each in counts):
        inspected = sum(each.verdicts for each in counts if each.camera == name and each.outcome in INSPECTED)
        spots = asked.snapshot.rows.spots(period, name, SPOTS_MOST)
        found = [each for each in cells if each.camera == name]
        drawn, of_cells = _density(
            asked.station.name, name, cameras.get(name), cells=found, spots=spots, inspected=inspected
        )
        parts += drawn
        rows += of_cells
        pitch = _pitch(asked, cameras.get(name), spots)
        parts.append(_pitch_part(asked, name, pitch, len(spots)))
        facts.append(_pitch_fact(asked, name, pitch))
    shortest, longest = asked.options.pitch_mm
    return asked.page(
        "map",
        TITLE,
        period,
        facts=facts,
        parts=parts,
        rows=rows,
        row_count=sum(each.verdicts for each in counts),
        query={"shortest_pitch_mm": shortest, "longest_pitch_mm": longest, "spots_most": SPOTS_MOST},
    )


def marks_of(spots: Sequence[Spot], calibration: Calibration, counts_per_mm: float) -> dict[str, NDArray[np.float64]]:
    """Run → where along the strip the middles of defects lie, mm: the encoder at the trigger, and the line below it."""
    found: dict[str, list[float]] = {}
    for spot in spots:
        if spot.at_count is not None:
            middle_mm = (spot.y + spot.height / 2) * calibration.mm_per_line
            found.setdefault(spot.run, []).append(spot.at_count / counts_per_mm + middle_mm)
    return {run: np.sort(np.array(places)) for run, places in found.items()}


def densest_piece(strips: dict[str, NDArray[np.float64]], most_mm: float) -> tuple[NDArray[np.float64], float]:
    """(marks from the first one on, length) of the piece of a strip, no longer than this, with the most marks; mm."""
    best: NDArray[np.float64] = np.array([])
    for places in strips.values():
        ends = np.searchsorted(places, places + most_mm, side="right")
        first = int(np.argmax(ends - np.arange(len(places))))
        if ends[first] - first > len(best):
            best = places[first : ends[first]]
    return (best - best[0], float(best[-1] - best[0])) if len(best) else (best, 0.0)


def _density(
    station: str,
    name: str,
    camera: CameraBase | None,
    *,
    cells: Sequence[CellCount],
    spots: Sequence[Spot],
    inspected: int,
) -> tuple[list[Part], list[dict[str, Cell]]]:
    """The picture of one camera, and its cells."""
    if not cells or not inspected:
        gap = Gap(
            title=f"Density, {name}",
            missing=f"No defect of camera {name} in this period, on {inspected} inspected parts.",
            remedy="Ask for a longer period with --since.",
        )
        return [gap], []
    calibration = camera.calibration if camera else None
    width, height = _frame(camera, spots)
    across = calibration.mm_per_px_across if calibration else 1.0
    along = calibration.mm_per_line if calibration else 1.0
    unit, area_unit, scale = ("mm", "m²", 1e6) if calibration else ("px", "Mpx", 1e6)
    counts = np.zeros((CELLS, CELLS))
    for each in cells:
        counts[each.along, each.across] = each.defects
    cell_area = width * across * height * along / CELLS**2 / scale
    per_area = counts / (cell_area * inspected)
    x_edges, y_edges = (np.linspace(0, size, CELLS + 1) for size in (width * across, height * along))
    svg = density_map(per_area, x_edges, y_edges, unit=unit, density=f"defects a part and {area_unit}")
    note = (
        f"{int(counts.sum())} defects on {inspected} inspected parts; cells of "
        f"{width * across / CELLS:.3g} × {height * along / CELLS:.3g} {unit}. The belt runs along the horizontal axis; "
        "0 is the first line, and the first pixel of it."
    )
    parts: list[Part] = [Picture(title=f"Density, {name}", svg=svg, note=note)]
    if calibration is None:
        parts.append(
            Gap(
                title=f"Millimetres, {name}",
                missing=f"Camera {name} has no calibration, so the map is in pixels.",
                remedy=f"linectl calibrate --station {station} --camera {name}",
            )
        )
    rows: list[dict[str, Cell]] = [
        {
            "camera": name,
            "unit": unit,
            "x": float(x_edges[each.across]),
            "y": float(y_edges[each.along]),
            "width": width * across / CELLS,
            "height": height * along / CELLS,
            "defects": each.defects,
            "area_mm2": each.area_mm2 if calibration else None,
            "density": float(per_area[each.along, each.across]),
        }
        for each in cells
    ]
    top = sorted(rows, key=lambda row: (-int(row["defects"] or 0), float(row["y"] or 0), float(row["x"] or 0)))[:5]
    columns = (
        Column(key="x", title=f"From, across, {unit}", digits=1),
        Column(key="y", title=f"From, along, {unit}", digits=1),
        Column(key="defects", title="Defects"),
        Column(key="density", title=f"A part and {area_unit}", digits=2),
    )
    parts.append(Table(title=f"Densest cells, {name}", columns=columns, rows=tuple(top)))
    return parts, rows


def _frame(camera: CameraBase | None, spots: Sequence[Spot]) -> tuple[int, int]:
    """(width, height) of a frame, px: of the largest with a defect, else the largest that the camera may send."""
    if spots:
        return max(spot.frame_width for spot in spots), max(spot.frame_height for spot in spots)
    return (camera.width[1], camera.height[1]) if camera else (CELLS, CELLS)


def _pitch(asked: Asked, camera: CameraBase | None, spots: Sequence[Spot]) -> Pitch | Missing:
    belt, (shortest, longest) = asked.station.belt, asked.options.pitch_mm
    if camera is None or camera.calibration is None or belt is None:
        return Missing("places along the strip need a calibrated camera and a [belt] with an encoder")
    strips = marks_of(spots, camera.calibration, belt.counts_per_mm)
    marks, length = densest_piece(strips, PIECE_TURNS * shortest)
    if len(marks) < LEAST_MARKS:
        return Missing(f"{len(marks)} marks on one piece of strip: a repeating pitch needs {LEAST_MARKS}")
    reach = min(longest, length / LEAST_TURNS)
    if reach <= shortest:
        return Missing(f"{length:.0f} mm of strip hold fewer than {LEAST_TURNS} turns of {shortest:g} mm")
    return repeating_pitch(
        marks,
        length_mm=length,
        shortest_mm=shortest,
        longest_mm=reach,
        rolls_mm=asked.options.rolls_mm,
        merge_mm=MERGE * shortest,
        surrogates=SURROGATES,
    )


def _pitch_part(asked: Asked, name: str, pitch: Pitch | Missing, spots: int) -> Part:
    if isinstance(pitch, Missing):
        return Gap(
            title=f"Repeating pitch, {name}",
            missing=f"{pitch.why[0].upper()}{pitch.why[1:]}.",
            remedy=PITCH_REMEDY,
        )
    row: dict[str, Cell] = {
        "found": "repeats" if pitch.significant else "no repetition that chance would not make",
        "pitch_mm": pitch.period_mm if pitch.significant else None,
        "uncertainty_mm": pitch.uncertainty_mm if pitch.significant else None,
        "diameter_mm": pitch.diameter_mm if pitch.significant else None,
        "roll": _roll(asked, pitch) if pitch.significant else None,
        "marks": pitch.marks,
        "p_value": pitch.p_value,
    }
    return Table(
        title=f"Repeating pitch, {name}",
        columns=(
            Column(key="found", title="Found"),
            Column(key="pitch_mm", title="Pitch, mm", digits=1),
            Column(key="uncertainty_mm", title="±, mm", digits=1),
            Column(key="diameter_mm", title="Of a roll of ⌀, mm", digits=1),
            Column(key="roll", title="Roll"),
            Column(key="marks", title="Marks"),
            Column(key="p_value", title="p", digits=3),
        ),
        rows=(row,),
        note=f"Of the newest {spots} places (at most {SPOTS_MOST} are read), on the piece of strip with the most "
        f"marks, against {SURROGATES} surrogates, at a level of {pitch.level:g}. The pitch is as it shows on the "
        "product.",
    )


def _roll(asked: Asked, pitch: Pitch) -> str | None:
    """What has this circumference; dirt on the lens shows once in each frame, and is no roll."""
    belt = asked.station.belt
    if belt and abs(pitch.period_mm - belt.part_pitch_mm) <= max(pitch.uncertainty_mm, 0.01 * belt.part_pitch_mm):
        return "the part pitch: look at lens and light"
    return pitch.roll or ("not among --roll" if asked.options.rolls_mm else None)


def _pitch_fact(asked: Asked, name: str, pitch: Pitch | Missing) -> Fact:
    title = f"Repeating pitch, {name}"
    if isinstance(pitch, Missing):
        return number(f"pitch_mm_{name}", title, pitch)
    if not pitch.significant:
        return Fact(key=f"pitch_mm_{name}", title=title, value=None, note=f"none found, p = {pitch.p_value:.3f}")
    said = _roll(asked, pitch) or f"⌀ {pitch.diameter_mm:.0f} mm"
    return number(f"pitch_mm_{name}", title, pitch.period_mm, f"{said}, p = {pitch.p_value:.3f}", digits=1, unit="mm")
