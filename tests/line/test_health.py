"""Frames that are not fit to be inspected end so, each with its reason, whatever the net would have said."""

import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.line import Line
from config.health import Health
from config.loader import load_station
from monitor.baseline import baseline_path
from monitor.rows import Kind, RunBody, VerdictBody, read_body
from monitor.rules.baseline import FRAMES_LEAST
from monitor.rules.health import LEARNED
from tests.line.test_bad_files import a_folder_station
from tests.line.test_kill import rows_of
from tests.line.test_station import verified
from tests.monitor.exposures import Pixels, a_surface, exposed

GOOD = 4
BAD = {"dark": 2, "saturated": 1, "frozen": 2, "blurred": 2, "wrong_size": 1}
OFF = "loop_frames = 0, dark_below_level = 0, saturated_above_share = 1.0, blurred_below_share = 0.0"


def save(path: Path, pixels: Pixels) -> None:
    """Lossless inside, whatever the name says."""
    cv2.imwrite(str(path.with_suffix(".png")), pixels)
    path.with_suffix(".png").rename(path)


def a_shift(folder: Path) -> Path:
    """Good frames, a lamp that fails and comes back too bright, a camera that hangs, then a lens out of focus."""
    pictures = folder / "pictures"
    pictures.mkdir()
    good = [a_surface(slot) for slot in range(101, 101 + GOOD)]
    for n, pixels in enumerate(good):
        save(pictures / f"1-{n}.jpg", pixels)
    save(pictures / "2-0.jpg", exposed(good[0], gain=0.05))
    save(pictures / "2-1.jpg", np.zeros_like(good[0]))
    save(pictures / "2-2.jpg", exposed(good[0], gain=4.0))
    shutil.copy(pictures / "1-3.jpg", pictures / "3-0.jpg")
    shutil.copy(pictures / "1-3.jpg", pictures / "3-1.jpg")
    save(pictures / "4-0.jpg", exposed(good[1], sigma=3.0))
    save(pictures / "4-1.jpg", exposed(good[2], sigma=3.0))
    save(pictures / "5-0.jpg", good[1][:900])
    return a_folder_station(folder)


def learned(line: Line, folder: Path) -> None:
    """`linectl baseline` on frames of another hour."""
    folder.mkdir()
    for slot in range(1, FRAMES_LEAST + 3):
        save(folder / f"{slot}.jpg", a_surface(slot))
    ended = line.linectl("baseline", "--images", str(folder), "--json", "-")
    assert ended.returncode == 0, ended.stderr


def test_a_frame_unfit_to_be_inspected_ends_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_STATE", str(tmp_path / "state"))
    line = Line(str(a_shift(tmp_path)), tmp_path / "state")
    learned(line, tmp_path / "good")

    with line:
        code = line.wait_end(60)

    summary = line.summary()
    assert code == 0
    assert summary["not_inspected_reasons"] == BAD
    assert summary["passed"] + summary["rejected"] == GOOD
    assert summary["triggers"] == GOOD + sum(BAD.values()) == summary["journal_rows"]
    verified(line)
    bodies = [read_body(row) for row in rows_of(line)]
    measured = [body.measures for body in bodies if isinstance(body, VerdictBody) and body.height == 1000]
    assert all(set(LEARNED) < set(measures) for measures in measured)
    [run] = [body for body in bodies if isinstance(body, RunBody)]
    [loaded] = line.events("baseline.loaded")
    assert run.baselines == {"head": loaded["sha256"]}
    assert line.events("baseline.absent") == []


def test_with_the_gates_taken_out_the_net_judges_them_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_STATE", str(tmp_path / "state"))
    station = a_shift(tmp_path)
    station.write_text(station.read_text() + f"health = {{ {OFF} }}\n")
    line = Line(str(station), tmp_path / "state")
    learned(line, tmp_path / "good")

    with line:
        code = line.wait_end(60)

    assert code == 0
    assert Counter(line.summary()["not_inspected_reasons"]) == {"wrong_size": 1}


def test_without_a_baseline_the_start_says_what_is_not_judged(tmp_path: Path) -> None:
    with Line(str(a_shift(tmp_path)), tmp_path / "state") as line:
        code = line.wait_end(60)

    assert code == 0
    assert line.summary()["not_inspected_reasons"] == {k: n for k, n in BAD.items() if k != "blurred"}
    [absent] = line.events("baseline.absent")
    assert (absent["camera"], absent["not_judged"]) == ("head", "focus")


def test_the_light_that_drifts_is_logged_once(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for n in range(24):
        save(pictures / f"{n:02d}.jpg", exposed(a_surface(), gain=1.0 if n < 8 else 0.6, seed=n))
    station = a_folder_station(tmp_path)
    station.write_text(station.read_text() + "health = { drift_frames = 4 }\n")

    with Line(str(station), tmp_path / "state") as line:
        code = line.wait_end(60)

    assert code == 0
    assert line.summary()["not_inspected"] == 0
    drifts = {event["measure"]: event["change_share"] for event in line.events("light.drift")}
    assert len(line.events("light.drift")) == len(drifts)
    assert drifts["mean_level"] < -Health().drift_above_share
    said = [row.body.decode() for row in rows_of(line) if row.kind is Kind.ALARM]
    assert len(said) == len(drifts)
    assert all("light.drift" in each for each in said)


def test_a_baseline_that_is_not_one_refuses_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_STATE", str(tmp_path / "state"))
    named = str(a_shift(tmp_path))
    line = Line(named, tmp_path / "state")
    path = baseline_path(load_station(named), "head")
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 1}')

    with line:
        code = line.wait_end(60)

    assert code == 78
    assert f"{path}: is no baseline" in line.log()
