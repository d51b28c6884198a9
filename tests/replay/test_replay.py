"""Golden replay: the same surfaces through the same net and limits give the same verdicts.

An intended change rewrites `expected.json` in the same commit: `python -m tests.replay.test_replay`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from config.loader import load_station
from monitor.rules.policy import judge
from monitor.rules.regions import find_regions
from monitor.twin.plant import draw_part
from workers.segmenter import Segmenter

EXPECTED = Path(__file__).with_name("expected.json")
SLOTS = range(1, 21)
AREA_TOLERANCE = 0.02  # engines round differently from one processor to the next


def replay() -> list[dict[str, Any]]:
    """Slot, outcome, severity and the box of the largest region of the first parts of rail-03."""
    station = load_station("rail-03")
    segmenter = Segmenter.load(station.model, threads=2)
    camera = station.cameras[0]
    rows = []
    for slot in SLOTS:
        probability = segmenter.probability(draw_part(station, slot).pixels[camera.name])
        regions, _ = find_regions(probability, threshold=segmenter.threshold, calibration=camera.calibration)
        judgement = judge(regions, station.policy)
        rows.append(
            {
                "slot": slot,
                "outcome": str(judgement.outcome),
                "grey": judgement.grey,
                "severity": round(judgement.severity, 4),
                "regions": judgement.counted,
                "model_sha256": segmenter.sha256,
            }
        )
    return rows


def test_the_same_frames_give_the_same_verdicts() -> None:
    expected = json.loads(EXPECTED.read_text())

    replayed = replay()

    assert [{k: v for k, v in row.items() if k != "severity"} for row in replayed] == [
        {k: v for k, v in row.items() if k != "severity"} for row in expected
    ]
    assert [row["severity"] for row in replayed] == pytest.approx(
        [row["severity"] for row in expected], rel=AREA_TOLERANCE, abs=AREA_TOLERANCE
    )


if __name__ == "__main__":
    EXPECTED.write_text(json.dumps(replay(), indent=1) + "\n")
