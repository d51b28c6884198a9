"""A folder in which half the files are no frames: one verdict a file, each with the reason that fits."""

import json
from collections import Counter
from pathlib import Path

import cv2

from benchmarks.line import Line
from config.loader import load_station
from monitor.messages import Reason
from monitor.twin.plant import draw_part
from tests.line.test_station import verified
from tests.monitor.cameras.test_folder import BAD

GOOD = 6


def reason_here(name: str, reason: Reason) -> Reason:
    """The bad files are drawn for another camera's sizes: what is whole there has the wrong size here."""
    return Reason.WRONG_SIZE if name in {"truncated", "sixteen-bit", "coloured"} else reason


def a_folder_station(folder: Path) -> Path:
    """rail-03's net and limits over the pictures of a folder."""
    path = folder / "replay.toml"
    path.write_text(
        'name = "replay"\n'
        'actuator = { kind = "log" }\n'
        'model = { weights = "workers/weights/rail-03.safetensors" }\n'
        "policy = { min_region_mm2 = 4.0, reject_region_mm2 = 40.0, reject_total_mm2 = 80.0 }\n"
        "[[cameras]]\n"
        'kind = "folder"\n'
        'name = "head"\n'
        f'root = "{folder / "pictures"}"\n'
        'pattern = "*.jpg"\n'
        "width = [160, 160]\n"
        "height = [1000, 1000]\n"
        "calibration = { mm_per_px_across = 0.45, mm_per_line = 0.5 }\n"
    )
    return path


def test_every_file_has_a_verdict_and_a_reason_that_fits(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, make, _ in BAD:
        make(pictures / f"{name}.jpg")
    station = load_station("rail-03")
    for slot in range(1, GOOD + 1):
        path = pictures / f"good-{slot}.jpg"
        cv2.imwrite(str(path.with_suffix(".png")), draw_part(station, slot).pixels["head"])
        path.with_suffix(".png").rename(path)  # lossless inside, whatever the name says

    with Line(str(a_folder_station(tmp_path)), tmp_path / "state") as line:
        code = line.wait_end(60)

    summary = line.summary()
    assert code == 0
    assert summary["triggers"] == len(BAD) + GOOD
    assert summary["passed"] + summary["rejected"] == GOOD
    assert summary["not_inspected_reasons"] == Counter(str(reason_here(name, reason)) for name, _, reason in BAD)
    assert (summary["late"], summary["truth"], summary["restarts"]) == (0, None, 0)
    verified(line)
    rows = json.loads(line.linectl("history", "--limit", "100", "--json", "-").stdout)["rows"]
    assert len(rows) == len(BAD) + GOOD


def test_a_second_run_draws_the_folder_anew(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    cv2.imwrite(str(pictures / "1.jpg"), draw_part(load_station("rail-03"), 1).pixels["head"])
    station = a_folder_station(tmp_path)

    for _ in range(2):
        with Line(str(station), tmp_path / "state", "--frames", "5") as line:
            assert line.wait_end(60) == 0

    slots = [json.loads(each)["slot"] for each in (line.state / "source-head.jsonl").read_text().splitlines()]
    assert slots == [1, 2]
    verified(line)


def test_where_doubt_holds_the_line_one_bad_file_stops_it(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "1.jpg").write_text("no picture")
    station = a_folder_station(tmp_path)
    station.write_text('on_uninspected = "hold"\n' + station.read_text())

    with Line(str(station), tmp_path / "state", "--seconds", "30") as line:
        code = line.wait_end(60)

    assert code == 1
    assert line.events("line.held")
    verified(line)
