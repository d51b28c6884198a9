"""A bench station labels itself: its twin knows what was on the belt."""

import json
from pathlib import Path

from monitor.labels import TWIN
from storage.twin_labels import twin_labels
from tests.storage.labelled import a_standing_line
from tests.storage.test_labels import on_record, taken_in


def test_the_twin_knows_its_parts(folder: Path) -> None:
    line = a_standing_line(folder)
    truths = [
        ("good", [], []),
        ("defective", [78.54, 3.0], ["squat", "dent", "squat"]),
        ("borderline", [38.0], ["dent"]),
    ]
    (line / "twin.jsonl").write_text(
        "".join(
            json.dumps({"slot": slot, "class": truth, "true_areas_mm2": areas, "defects": kinds, "gate": "rejected"})
            + "\n"
            for slot, (truth, areas, kinds) in enumerate(truths, start=1)
        )
        + '{"slot": 4, "cla'
    )

    taken_in(twin_labels(line), who=TWIN)
    again = taken_in(twin_labels(line), who=TWIN)

    assert again.already == 3
    assert [
        (s.slot, s.label.label, s.label.size_mm, str(s.label.state), s.label.reviewer) for s in on_record(line)
    ] == [
        (1, "good", None, "confirmed", "twin"),
        (2, "dent+squat", 10.0, "confirmed", "twin"),
        (3, "borderline", 6.956, "corrected", "twin"),
    ]


def test_without_a_twin_there_is_nothing_to_take(folder: Path) -> None:
    assert twin_labels(folder) == []
