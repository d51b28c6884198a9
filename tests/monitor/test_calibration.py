"""What was measured of a camera lies whole on disk, goes before its station file, and a wrong one stops the start."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import msgspec
import pytest

from config.calibration import FILE_BYTES, CalibrationFile, calibration_hashes, calibration_path
from config.loader import PACKAGE, ConfigError, config_sha256, load_station, load_uncalibrated, state_folder
from config.station import Station
from monitor.calibration import CalibrationError, measure, notes, save_calibration, state
from monitor.rows import RunBody, VerdictBody, area_text
from monitor.rules.targets import Pattern, Target
from monitor.runner import hold_station
from tests.line.test_bad_files import a_folder_station
from tests.monitor.drawn_targets import Seen, a_chessboard

BOARD = Target(pattern=Pattern.CHESSBOARD, columns=5, rows=9, pitch_mm=10.0)
MM_LIMITS = "min_region_mm2 = 4.0, reject_region_mm2 = 40.0, reject_total_mm2 = 80.0"
PX_LIMITS = MM_LIMITS.replace("mm2", "px")
GIVEN = "calibration = { mm_per_px_across = 0.45, mm_per_line = 0.5 }\n"


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    """A folder camera's, with a picture of a target beside it."""
    monkeypatch.setenv("LINE_STATE", str(tmp_path / "state"))
    (tmp_path / "pictures").mkdir()
    seen = Seen(width=160, height=500, mm_per_px_across=0.4, mm_per_line=0.6, shear_deg=1.0)
    cv2.imwrite(str(tmp_path / "board.png"), a_chessboard(seen, columns=5, rows=9, pitch_mm=10.0))
    loaded = load_station(str(a_folder_station(tmp_path)))
    state_folder(loaded).mkdir(parents=True)
    return loaded


def of_board(station: Station, tmp_path: Path) -> CalibrationFile:
    return measure(station, station.cameras[0], tmp_path / "board.png", BOARD, pitch_uncertainty=None)


def test_what_was_measured_goes_before_the_station_file(station: Station, tmp_path: Path) -> None:
    saved = of_board(station, tmp_path)

    path, sha256 = save_calibration(station, saved)

    again = load_station(str(tmp_path / "replay.toml"))
    [camera] = again.cameras
    assert camera.calibration == saved.calibration != station.cameras[0].calibration
    assert camera.calibration is not None
    assert (camera.calibration.mm_per_px_across, camera.calibration.mm_per_line) == pytest.approx((0.4, 0.6), rel=2e-3)
    assert camera.calibration.shear_deg == pytest.approx(1.0, abs=0.1)
    assert calibration_hashes(again, state_folder(again)) == {"head": sha256}
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [each.name for each in path.parent.iterdir()] == ["calibration-head.json"]
    assert config_sha256(again) != config_sha256(station)  # every verdict names it


def test_the_file_says_what_it_rests_on(station: Station, tmp_path: Path) -> None:
    found = of_board(station, tmp_path)

    assert (found.station, found.camera, found.width, found.height) == ("replay", "head", 160, 500)
    assert found.source == str(tmp_path / "board.png")
    assert found.evidence is not None
    assert found.evidence.picture_sha256 == hashlib.sha256((tmp_path / "board.png").read_bytes()).hexdigest()
    assert (found.evidence.pattern, found.evidence.columns, found.evidence.points) == ("chessboard", 5, 45)
    assert 0 < (found.calibration.area_relative_uncertainty or 0) < 2e-3
    assert notes(station, found) == [
        "the pitch of the target is taken as exact: its own uncertainty is not in that of the areas"
    ]


def test_a_camera_without_one_has_what_its_station_file_says(station: Station) -> None:
    assert calibration_hashes(station, state_folder(station)) == {}
    assert station.cameras[0].calibration is not None
    assert station.cameras[0].calibration.mm_per_px_across == 0.45


def test_what_is_stated_makes_an_area_twice_as_unsure(station: Station) -> None:
    said = state(station, station.cameras[0], mm_per_px_across=0.4, mm_per_line=0.5, relative_uncertainty=0.01)

    assert (said.source, said.width, said.evidence) == ("stated", None, None)
    assert said.calibration.area_relative_uncertainty == pytest.approx(0.02)
    assert notes(station, said) == ["stated, not measured"]


def test_limits_in_px_stay_in_px_and_it_is_said(tmp_path: Path, station: Station) -> None:
    path = tmp_path / "replay.toml"
    path.write_text(path.read_text().replace(MM_LIMITS, PX_LIMITS))
    in_px = load_station(str(path))

    assert "limits stay in px" in notes(in_px, of_board(in_px, tmp_path))[-1]


def test_a_station_whose_limits_wait_for_it_is_calibrated_all_the_same(station: Station, tmp_path: Path) -> None:
    path = tmp_path / "replay.toml"
    path.write_text(path.read_text().replace(GIVEN, ""))
    with pytest.raises(ConfigError, match=r"cameras\[0\]\.calibration: is missing"):
        load_station(str(path))

    save_calibration(station, of_board(load_uncalibrated(str(path)), tmp_path))

    assert load_station(str(path)).cameras[0].calibration is not None


def changed(**facts: Any) -> Callable[[bytes], bytes]:
    return lambda text: json.dumps(json.loads(text) | facts).encode()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(lambda text: text[: len(text) // 2], "is no calibration", id="cut"),
        pytest.param(lambda _: b"", "is no calibration", id="empty"),
        pytest.param(lambda text: text + b" " * FILE_BYTES, "is larger than 65536 bytes", id="huge"),
        pytest.param(changed(format=99), "has format 99", id="other-format"),
        pytest.param(changed(station="other"), "belongs to other/head, not to replay/head", id="other-station"),
        pytest.param(changed(camera="web"), "belongs to replay/web, not to replay/head", id="other-camera"),
        pytest.param(changed(width=640), r"on 640 px across, the camera's frames have \[160, 160\]", id="other-size"),
        pytest.param(
            changed(calibration={"mm_per_px_across": -1, "mm_per_line": 1}), "mm_per_px_across: Input", id="no-scale"
        ),
        pytest.param(changed(extra=1), "extra: Extra inputs", id="unknown-key"),
        pytest.param(lambda text: text.replace(b"0.4", b"NaN", 1), "is no calibration", id="nan"),
    ],
)
def test_a_wrong_file_is_refused_by_name(
    station: Station, tmp_path: Path, spoil: Callable[[bytes], bytes], why: str
) -> None:
    path, _ = save_calibration(station, of_board(station, tmp_path))
    path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(ConfigError, match=why) as refused:
        load_station(str(tmp_path / "replay.toml"))

    assert str(refused.value).startswith(f"{path}: ")
    ended = run_line("--station", str(tmp_path / "replay.toml"), "--frames", "1")
    assert (ended.returncode, ended.stderr.strip().splitlines()[-1]) == (78, str(refused.value))


def test_without_that_look_the_camera_of_another_size_would_be_believed(
    station: Station, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = save_calibration(station, of_board(station, tmp_path))
    path.write_bytes(changed(width=640)(path.read_bytes()))
    monkeypatch.setattr("config.calibration._problem", lambda *_: None)

    assert load_station(str(tmp_path / "replay.toml")).cameras[0].calibration is not None


def test_a_picture_of_another_size_or_none_is_refused(station: Station, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "wide.png"), a_chessboard(Seen(), columns=5, rows=9, pitch_mm=10.0))

    for name, why in (("wide.png", "is 320 px across, frames of camera 'head' are"), ("none.png", "no such file")):
        with pytest.raises(CalibrationError, match=why):
            measure(station, station.cameras[0], tmp_path / name, BOARD, pitch_uncertainty=None)


def test_rows_from_before_there_were_calibrations_still_read() -> None:
    run = RunBody(
        run="run-1", started_at=1, software="s", config_sha256="c", config="{}", model_name="net",
        model_sha256="m", engine="torch", first_slots={"head": 1}, recovered=0, calibrations={"head": "b"},
    )  # fmt: skip
    old = {key: value for key, value in msgspec.to_builtins(run).items() if key != "calibrations"}

    assert msgspec.json.decode(msgspec.json.encode(old), type=RunBody).calibrations == {}
    assert msgspec.json.decode(msgspec.json.encode(run), type=RunBody).calibrations == {"head": "b"}


@pytest.mark.parametrize(
    ("area_mm2", "uncertainty", "text"),
    [
        pytest.param(12.34, 0.03, "12.3 ± 0.4 mm²", id="measured"),
        pytest.param(1234.0, 0.03, "1234 ± 37 mm²", id="large"),
        pytest.param(12.34, 0.0003, "12.340 ± 0.004 mm²", id="sure"),
        pytest.param(12.34, None, "12 mm²", id="not-known"),
        pytest.param(0.0, 0.03, "0 mm²", id="nothing"),
        pytest.param(None, None, "55 px", id="in-px"),
    ],
)
def test_an_area_is_written_with_its_uncertainty(area_mm2: float | None, uncertainty: float | None, text: str) -> None:
    body = VerdictBody(
        run="r", camera="head", trigger_count=1, captured_at=0, decided_at=0, at_count=None, source="", width=1,
        height=1, model_sha256="", config_sha256="", software="", policy={}, score=None, severity=None, grey=False,
        area_px=55, area_mm2=area_mm2, largest_mm2=None, area_relative_uncertainty=uncertainty,
    )  # fmt: skip

    assert area_text(body) == text


def run_line(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(PACKAGE / "run_line.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def linectl(tmp_path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run_line("calibrate", "--station", str(tmp_path / "replay.toml"), "--camera", "head", *arguments)


LAID = ("--columns", "5", "--rows", "9", "--pitch-mm", "10")


def test_the_command_writes_one_json_object(station: Station, tmp_path: Path) -> None:
    del station

    ended = linectl(tmp_path, "--target", str(tmp_path / "board.png"), *LAID, "--json", "-")

    said = json.loads(ended.stdout)
    [row] = said["rows"]
    assert (ended.returncode, said["station"], row["camera"]) == (0, "replay", "head")
    assert json.loads(Path(row["file"]).read_text())["calibration"] == row["calibration"]


def test_a_zone_that_does_not_fit_any_more_is_said(station: Station, tmp_path: Path) -> None:
    path = tmp_path / "replay.toml"
    zone = 'name = "edge", polygon_mm = [[0.0, 0.0], [70.0, 0.0], [70.0, 9.0]], ignore = true'
    path.write_text(path.read_text() + f"zones = [{{ {zone} }}]\n")
    assert load_station(str(path)).cameras[0].zones

    ended = linectl(tmp_path, "--mm-per-px-across", "0.4", "--mm-per-line", "0.5")

    assert ended.returncode == 0
    assert "does not start with it" in ended.stdout
    assert "replay.cameras[0].zones[0].polygon_mm: point 1, [70, 0] mm, is pixel 175.0" in ended.stdout
    assert calibration_path(state_folder(station), "head").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        pytest.param([], 2, "--mm-per-line", id="neither-way"),
        pytest.param(["--mm-per-line", "0.5"], 2, "--mm-per-px-across", id="half-a-way"),
        pytest.param(["--target", "board.png", *LAID, "--mm-per-line", "0.5"], 2, "--target", id="both-ways"),
        pytest.param(["--target", "board.png", *LAID[:4], "--pitch-mm", "0"], 2, "--pitch-mm", id="no-pitch"),
        pytest.param(["--target", "/nowhere.png", *LAID], 1, "/nowhere.png: no such file", id="no-picture"),
        pytest.param(["--target", "board.png", *LAID, "--rows", "8"], 1, "5 × 8 inner corners", id="wrong-count"),
    ],
)
def test_the_command_says_what_is_wrong(
    station: Station, tmp_path: Path, arguments: list[str], code: int, why: str
) -> None:
    ended = linectl(tmp_path, *(str(tmp_path / each) if each == "board.png" else each for each in arguments))

    assert ended.returncode == code
    assert why in ended.stderr
    assert not calibration_path(state_folder(station), "head").exists()


def test_it_is_refused_while_the_line_runs(station: Station, tmp_path: Path) -> None:
    with hold_station(state_folder(station)):
        ended = linectl(tmp_path, "--mm-per-px-across", "0.4", "--mm-per-line", "0.5")

    assert ended.returncode == 1
    assert "runs already" in ended.stderr
    assert not calibration_path(state_folder(station), "head").exists()
