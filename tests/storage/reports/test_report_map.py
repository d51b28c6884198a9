"""Map: a cell is where it is in mm, and a pitch is named only where chance would not make it."""

import random
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import storage.reports.map
from config.loader import load_station
from monitor.messages import Outcome
from monitor.rows import Entry, VerdictBody
from storage.reports.map import defect_map, densest_piece
from storage.reports.page import Gap
from storage.statistics.roll_marks import repeating_pitch
from tests.storage.builders import a_region
from tests.storage.reports.pages import SHIFT_0, asked_of, table, the_facts, two_shifts, verdict

FRAME_MM = 500.0
LINE_MM = 0.5
COUNTS_PER_MM = 10.0
TURN_MM = 730.0


@pytest.fixture
def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'audit.sqlite'}"


def marks_at(places_mm: list[float]) -> list[Entry]:
    """A part for each mark of the strip, with the encoder where it was."""
    entries = []
    for place in places_mm:
        slot = int(place // FRAME_MM)
        region = msgspec.structs.replace(a_region(60.0), y=int((place - slot * FRAME_MM) / LINE_MM), height=1)
        made = verdict(slot, Outcome.REJECT, at=SHIFT_0 + slot, areas=(60.0,))
        assert isinstance(made.body, VerdictBody)
        body = msgspec.structs.replace(made.body, regions=(region,), at_count=int(slot * FRAME_MM * COUNTS_PER_MM))
        entries.append(msgspec.structs.replace(made, body=body))
    return entries


def scattered() -> list[float]:
    draw = random.Random(1)
    return [slot * FRAME_MM + draw.uniform(5, 490) for slot in sorted(draw.sample(range(120), 40))]


def test_figures_are_those_worked_out_by_hand(url: str) -> None:
    with asked_of(url, two_shifts()) as asked:
        page = defect_map(asked)

    (cell,) = page.rows
    cell_m2 = (160 * 0.45 / 32) * (1000 * 0.5 / 32) / 1e6
    assert (cell["x"], cell["y"], cell["defects"], cell["unit"]) == (5 * 2.25, 0.0, 5, "mm")
    assert cell["density"] == pytest.approx(5 / (cell_m2 * 18))
    assert the_facts(page)["defects"] == 5


def test_a_mark_once_a_turn_names_its_roll(url: str) -> None:
    entries = marks_at([40.0 + TURN_MM * turn for turn in range(60)])

    with asked_of(url, entries, rolls_mm={"work-roll": 728.0, "idler": 500.0}) as asked:
        page = defect_map(asked)

    (found,) = table(page, "Repeating pitch, head")
    assert found["pitch_mm"] == pytest.approx(TURN_MM, abs=2.0)
    assert found["diameter_mm"] == pytest.approx(TURN_MM / np.pi, abs=1.0)
    assert found["roll"] == "work-roll"
    assert found["p_value"] <= 0.01


def test_a_mark_at_the_same_place_of_each_frame_is_no_roll(sqlite: str) -> None:
    entries = marks_at([40.0 + FRAME_MM * slot for slot in range(40)])

    with asked_of(sqlite, entries, rolls_mm={"idler": FRAME_MM}) as asked:
        (found,) = table(defect_map(asked), "Repeating pitch, head")

    assert found["roll"] == "the part pitch: look at lens and light"


def test_scattered_marks_repeat_nothing(sqlite: str) -> None:
    with asked_of(sqlite, marks_at(scattered())) as asked:
        page = defect_map(asked)

    assert the_facts(page)["pitch_mm_head"] is None


def test_a_test_without_its_level_would_find_a_pitch_in_anything(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(marks: Any, **given: Any) -> Any:
        return msgspec.structs.replace(repeating_pitch(marks, **given), significant=True)

    monkeypatch.setattr(storage.reports.map, "repeating_pitch", careless)
    with asked_of(sqlite, marks_at(scattered())) as asked:
        assert the_facts(defect_map(asked))["pitch_mm_head"] is not None


def test_runs_are_strips_of_their_own() -> None:
    strips = {"a": np.array([0.0, 10.0, 20.0, 5000.0]), "b": np.array([100.0, 101.0])}

    marks, length = densest_piece(strips, 100.0)

    assert marks.tolist() == [0.0, 10.0, 20.0]
    assert length == 20.0


def test_no_more_places_than_stated_are_read(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.reports.map, "SPOTS_MOST", 9)

    with asked_of(sqlite, marks_at([40.0 + TURN_MM * turn for turn in range(60)])) as asked:
        page = defect_map(asked)

    assert page.footer.query["spots_most"] == 9
    assert table(page, "Repeating pitch, head")[0]["marks"] == 9


def test_without_a_calibration_the_map_is_in_pixels_and_says_so(sqlite: str) -> None:
    station = load_station("rail-03")
    station = station.model_copy(
        update={"cameras": tuple(each.model_copy(update={"calibration": None}) for each in station.cameras)}
    )

    with asked_of(sqlite, two_shifts(), station=station) as asked:
        page = defect_map(asked)

    assert page.rows[0]["unit"] == "px"
    assert {part.title for part in page.parts if isinstance(part, Gap)} == {
        "Millimetres, head",
        "Repeating pitch, head",
    }
