"""What a bench station's twin knows of its parts, as labels of the reviewer `twin`."""

import math
from pathlib import Path

import msgspec

from monitor.jsonlog import read_lines
from monitor.labels import BORDERLINE, GOOD, TWIN
from monitor.twin.truth import TruthClass
from storage.label_file import TEXT_MOST, Line

LOG = "twin.jsonl"


class _Part(msgspec.Struct):
    """A line of the twin's log; it says more than is needed here."""

    slot: int
    truth: str = msgspec.field(name="class")
    true_areas_mm2: list[float]
    defects: list[str]


def twin_labels(folder: Path) -> list[Line]:
    """A label for each part that has met the gate. The size is the diameter of a circle with the largest area.

    None where the station has no twin, or it has not run.
    """
    return [_line(number, part) for number, part in enumerate(_parts(folder), start=1)]


def _parts(folder: Path) -> list[_Part]:
    return [msgspec.convert(facts, _Part) for facts in read_lines(folder / LOG)]


def _line(number: int, part: _Part) -> Line:
    match TruthClass(part.truth):
        case TruthClass.GOOD:
            label = GOOD
        case TruthClass.BORDERLINE:
            label = BORDERLINE
        case TruthClass.DEFECTIVE:
            label = "+".join(sorted(set(part.defects)))[:TEXT_MOST]
    largest_mm2 = max(part.true_areas_mm2, default=0.0)
    size_mm = round(math.sqrt(4 * largest_mm2 / math.pi), 3)
    return Line(number=number, slot=part.slot, reviewer=TWIN, label=label, size_mm=size_mm or None, blind=True)
