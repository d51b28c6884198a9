"""A stricter zone rejects in the real line what the station's own limits let through, and says so in the row."""

import shutil
from pathlib import Path

import cv2

from benchmarks.line import Line
from config.loader import STATIONS, load_station
from monitor.messages import Outcome
from monitor.rows import Row, RunBody, VerdictBody, read_body
from monitor.twin.plant import draw_part
from tests.line.test_bad_files import a_folder_station
from tests.line.test_kill import rows_of
from tests.line.test_station import verified

FRAMES = 30
ZONES = """
[[cameras.zones]]
name = "first-half"
polygon_mm = [[0.0, 0.0], [72.0, 0.0], [72.0, 250.0], [0.0, 250.0]]
min_region_mm2 = 2.0
reject_region_mm2 = 10.0
reject_total_mm2 = 20.0

[[cameras.zones]]
name = "end"
polygon_mm = [[0.0, 450.0], [72.0, 450.0], [72.0, 500.0], [0.0, 500.0]]
ignore = true
"""


def test_a_defect_that_the_station_would_pass_is_rejected_in_a_strict_zone(tmp_path: Path) -> None:
    rail = (STATIONS / "rail-03.toml").read_text()
    path = tmp_path / "rail-03.toml"
    path.write_text(rail.replace("\n[belt]", f"{ZONES}\n[belt]"))

    with Line(str(path), tmp_path / "state", "--frames", str(FRAMES)) as line:
        code = line.wait_end(120)

    summary = line.summary()
    assert code == 0
    assert summary["passed"] + summary["rejected"] == summary["triggers"] == FRAMES
    assert (summary["truth"]["escaped"], summary["truth"]["released_uninspected"]) == (0, 0)
    verified(line)
    verdicts = verdicts_of(line)
    by_zone = [body for row, body in verdicts if row.outcome is Outcome.REJECT and body.zone == "first-half"]
    small = [body for body in by_zone if (body.area_mm2 or 0.0) < 32.0]  # 40 mm² less the grey band
    assert small
    for body in small:
        assert body.policy["reject_region_mm2"] == 10.0
        assert any(region.zone == "first-half" and region.crop_sha256 for region in body.regions)
    own = [body for row, body in verdicts if row.outcome is Outcome.PASS and body.zone is None and body.area_mm2]
    assert own, "a defect of some size in the second half passes by the station's own limits"


def test_a_calibration_gives_areas_beside_limits_in_px(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for slot in range(1, 6):
        path = pictures / f"{slot}.png"
        cv2.imwrite(str(path), draw_part(load_station("rail-03"), slot).pixels["head"])
        shutil.move(path, path.with_suffix(".jpg"))  # lossless inside, whatever the name says
    station = a_folder_station(tmp_path)
    table = station.read_text().replace("calibration = { mm_per_px_across = 0.45, mm_per_line = 0.5 }\n", "")
    station.write_text(table.replace("_mm2", "_px"))
    line = Line(str(station), tmp_path / "state")
    stated = ("--mm-per-px-across", "0.45", "--mm-per-line", "0.5", "--relative-uncertainty", "0.01")
    ended = line.linectl("calibrate", "--camera", "head", *stated)
    assert ended.returncode == 0, ended.stderr
    assert "limits stay in px" in ended.stdout

    with line:
        code = line.wait_end(60)

    assert code == 0
    assert [event["limits"] for event in line.events("calibration.areas_only")] == ["px"]
    [run] = [body for body in map(read_body, rows_of(line)) if isinstance(body, RunBody)]
    assert list(run.calibrations) == ["head"]
    assert '"area_relative_uncertainty":0.02' in run.config
    verified(line)
    bodies = [body for _, body in verdicts_of(line)]
    assert len(bodies) == 5
    for body in bodies:
        assert body.policy["reject_region_px"] == 40.0
        assert body.area_px is not None
        assert body.area_mm2 is not None
        assert abs(body.area_mm2 - body.area_px * 0.225) < 1e-6
        assert body.area_relative_uncertainty == 0.02


def verdicts_of(line: Line) -> list[tuple[Row, VerdictBody]]:
    found = [(row, read_body(row)) for row in rows_of(line)]
    return [(row, body) for row, body in found if isinstance(body, VerdictBody)]
