"""A baseline is learned from good frames alone, lies whole on disk, and a wrong one stops the start."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from config.loader import PACKAGE, load_station
from config.station import Station
from monitor.baseline import (
    FILE_BYTES,
    BaselineError,
    baseline_hashes,
    baseline_path,
    load_baseline,
    save_baseline,
)
from monitor.learning import learn
from monitor.messages import Reason
from monitor.rows import RunBody
from monitor.rules.baseline import FRAMES_LEAST, Baseline
from monitor.rules.health import FOCUS, LEARNED, MEAN
from tests.line.test_bad_files import a_folder_station
from tests.monitor.exposures import a_surface, exposed

GOOD = FRAMES_LEAST + 2


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Station:
    """A folder camera's, with a state folder of its own and pictures that are mostly good."""
    monkeypatch.setenv("LINE_STATE", str(tmp_path / "state"))
    (tmp_path / "state/replay").mkdir(parents=True)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for slot in range(1, GOOD + 1):
        cv2.imwrite(str(pictures / f"{slot:03d}.jpg"), a_surface(slot))
    return load_station(str(a_folder_station(tmp_path)))


def learned(station: Station) -> Baseline:
    return learn(station, station.cameras[0], images=None, frames=1000).baseline


def test_bad_files_are_named_and_left_out(station: Station, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    before = learned(station)
    cv2.imwrite(str(pictures / "a-dark.jpg"), np.zeros((1000, 160), np.uint8))
    cv2.imwrite(str(pictures / "b-burnt.jpg"), exposed(a_surface(), gain=4.0))
    cv2.imwrite(str(pictures / "c-small.jpg"), a_surface()[:500])
    (pictures / "d-copy.jpg").write_bytes((pictures / "001.jpg").read_bytes())
    (pictures / "e-text.jpg").write_text("no picture")
    (pictures / "f-cut.jpg").write_bytes((pictures / "001.jpg").read_bytes()[:9000])

    lesson = learn(station, station.cameras[0], images=None, frames=1000)

    assert dict(lesson.skipped) == {
        "a-dark.jpg": Reason.DARK,
        "b-burnt.jpg": Reason.SATURATED,
        "c-small.jpg": Reason.WRONG_SIZE,
        "d-copy.jpg": Reason.FROZEN,
        "e-text.jpg": Reason.UNREADABLE,
        "f-cut.jpg": Reason.INCOMPLETE,
    }
    assert lesson.baseline.measures == before.measures
    assert (lesson.baseline.frames, lesson.baseline.width, lesson.baseline.height) == (GOOD, (160, 160), (1000, 1000))


def test_too_few_good_frames_are_refused_with_their_number(station: Station, tmp_path: Path) -> None:
    for slot in range(1, 5):
        cv2.imwrite(str(tmp_path / f"pictures/{slot:03d}.jpg"), np.zeros((1000, 160), np.uint8))

    with pytest.raises(BaselineError, match=rf"{GOOD - 4} good frames .* at least {FRAMES_LEAST} .*4 skipped, as 001"):
        learned(station)


def test_a_few_defective_or_blurred_frames_move_little(station: Station, tmp_path: Path) -> None:
    before = learned(station).measures[FOCUS]
    for slot in range(1, 4):
        cv2.imwrite(str(tmp_path / f"pictures/{slot:03d}.jpg"), exposed(a_surface(slot), sigma=4.0))

    after = learned(station).measures[FOCUS]

    assert after.median == pytest.approx(before.median, rel=0.02)


def test_a_twin_learns_from_surfaces_it_draws() -> None:
    rail = load_station("rail-03")

    lesson = learn(rail, rail.cameras[0], images=None, frames=FRAMES_LEAST)

    assert lesson.skipped == ()
    assert lesson.baseline.frames == FRAMES_LEAST
    assert set(lesson.baseline.measures) == set(LEARNED)


def test_what_was_saved_is_loaded_with_its_hash(station: Station) -> None:
    saved = learned(station)

    path, sha256 = save_baseline(station, saved)

    assert load_baseline(station, station.cameras[0]) == (saved, sha256)
    assert baseline_hashes(station) == {"head": sha256}
    assert [p.name for p in path.parent.iterdir()] == ["baseline-head.json"]


def test_a_camera_without_one_has_none(station: Station) -> None:
    assert load_baseline(station, station.cameras[0]) is None
    assert baseline_hashes(station) == {}


def changed(**facts: Any) -> Callable[[bytes], bytes]:
    return lambda text: json.dumps(json.loads(text) | facts).encode()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(lambda text: text[: len(text) // 2], "is no baseline", id="cut"),
        pytest.param(lambda _: b"", "is no baseline", id="empty"),
        pytest.param(lambda text: text + b" " * FILE_BYTES, "is larger than 65536 bytes", id="huge"),
        pytest.param(changed(format=99), "has format 99", id="other-format"),
        pytest.param(changed(station="other"), "belongs to other/head, not to replay/head", id="other-station"),
        pytest.param(changed(camera="web"), "belongs to replay/web, not to replay/head", id="other-camera"),
        pytest.param(changed(width=[640, 640]), r"640 × 1000 px, the camera's are \[160, 160\]", id="other-size"),
        pytest.param(changed(frames=3), "from 3 frames, at least 30", id="too-few"),
        pytest.param(changed(measures={}), "lacks the measures", id="no-measures"),
        pytest.param(changed(extra=1), "unknown field `extra`", id="unknown-key"),
    ],
)
def test_a_wrong_file_is_refused_by_name(station: Station, spoil: Callable[[bytes], bytes], why: str) -> None:
    path, _ = save_baseline(station, learned(station))
    path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(BaselineError, match=why) as refused:
        load_baseline(station, station.cameras[0])

    assert str(refused.value).startswith(f"{path}: ")


def test_a_file_that_cannot_be_read_is_refused_by_name(station: Station) -> None:
    path = baseline_path(station, "head")
    path.mkdir()

    with pytest.raises(BaselineError, match="cannot be read"):
        load_baseline(station, station.cameras[0])


def test_a_run_s_row_from_before_there_were_baselines_still_reads() -> None:
    now = RunBody(
        run="run-1", started_at=1, software="s", config_sha256="c", config="{}", model_name="net",
        model_sha256="m", engine="torch", first_slots={"head": 1}, recovered=0, baselines={"head": "b"},
    )  # fmt: skip
    old = {key: value for key, value in msgspec.to_builtins(now).items() if key != "baselines"}

    decoders = {text: msgspec.json.decode(text, type=RunBody) for text in map(msgspec.json.encode, (old, now))}

    assert [body.baselines for body in decoders.values()] == [{}, {"head": "b"}]


def linectl(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(PACKAGE / "run_line.py"), "baseline", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_command_writes_one_json_object(station: Station, tmp_path: Path) -> None:
    del station
    (tmp_path / "pictures/000.jpg").write_text("no picture")

    ended = linectl("--station", str(tmp_path / "replay.toml"), "--json", "-")

    said = json.loads(ended.stdout)
    [row] = said["rows"]
    assert ended.returncode == 0
    assert (said["station"], row["camera"], row["frames"]) == ("replay", "head", GOOD)
    assert row["skipped"] == [{"image": "000.jpg", "why": "unreadable"}]
    assert json.loads(Path(row["file"]).read_text())["measures"][MEAN] == row["measures"][MEAN]


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        pytest.param(["--camera", "web"], 2, "web", id="no-such-camera"),
        pytest.param(["--images", "/nowhere"], 1, "/nowhere: no such folder", id="no-folder"),
        pytest.param(["--frames", "5"], 1, "at least 30 are needed", id="too-few"),
    ],
)
def test_the_command_says_what_is_wrong(
    station: Station, tmp_path: Path, arguments: list[str], code: int, why: str
) -> None:
    ended = linectl("--station", str(tmp_path / f"{station.name}.toml"), *arguments)

    assert ended.returncode == code
    assert why in ended.stderr
    assert not baseline_path(station, "head").exists()
