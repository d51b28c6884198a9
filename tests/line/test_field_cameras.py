"""A whole line on cameras of the field: whatever the wire or the source loses is a row, and never a PASS."""

import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.line import Line
from monitor.jsonlog import read_lines
from monitor.messages import Outcome, Reason
from monitor.rows import AlarmBody, Kind, VerdictBody, read_body
from tests.line.test_kill import rows_of
from tests.line.test_station import verified
from tests.monitor.cameras.builders import GIGE, PASSWORD, a_live_server, a_video
from tests.monitor.cameras.fake_gige import HIGH, WIDE, FakeGige, lossy, whole

FRAMES = 100
LOST = range(30, 34)  # blocks of which no packet arrives


def a_field_station(folder: Path, **camera: Any) -> str:
    """A camera under rail-03's net, with limits that no picture reaches: whatever is inspected passes."""
    facts = {"name": "head", "width": [WIDE, WIDE], "height": [HIGH, HIGH]} | camera
    path = folder / "field-01.toml"
    path.write_text(
        'name = "field-01"\n'
        'actuator = { kind = "log" }\n'
        'model = { weights = "workers/weights/rail-03.safetensors" }\n'
        f"policy = {{ min_region_px = {WIDE * HIGH}.0, reject_region_px = 1e6, reject_total_px = 1e7 }}\n"
        "[[cameras]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in facts.items())
    )
    return str(path)


def bodies(line: Line) -> list[tuple[Outcome, Reason | None, VerdictBody]]:
    """Outcome, reason and body of each verdict, by slot."""
    found = []
    for row in rows_of(line):
        if row.kind is Kind.VERDICT and row.outcome is not None:
            body = read_body(row)
            assert isinstance(body, VerdictBody)
            found.append((row.slot or 0, row.outcome, row.reason, body))
    return [(outcome, reason, body) for _, outcome, reason, body in sorted(found, key=lambda each: each[0])]


def alarms_of(line: Line) -> list[str]:
    """The names of its alarm rows."""
    bodies = [read_body(row) for row in rows_of(line) if row.kind is Kind.ALARM]
    return [body.name for body in bodies if isinstance(body, AlarmBody)]


def adds_up(line: Line) -> dict[str, Any]:
    summary = line.summary()
    assert summary["triggers"] == summary["passed"] + summary["rejected"] + summary["not_inspected"]
    assert summary["triggers"] == summary["journal_rows"] == summary["audit_rows"]
    assert summary["restarts"] == 0
    verified(line)
    return summary


def test_rows_10_and_11_with_5_percent_of_its_packets_lost_the_count_adds_up_and_no_broken_frame_passes(
    tmp_path: Path,
) -> None:
    station = a_field_station(tmp_path, **GIGE, packet_size=1500, resend=False)
    dropped = {*lossy(0.05, blocks=2 * FRAMES), *whole(LOST)}

    with FakeGige(drop_packets=sorted(dropped)), Line(station, tmp_path, "--frames", str(FRAMES)) as line:
        code = line.wait_end(120)

    verdicts = bodies(line)
    summary = adds_up(line)
    sent_in_full = FRAMES - len({block for block, packet in dropped if block <= FRAMES and packet < 24})
    assert code == 0
    assert summary["triggers"] == FRAMES
    assert [body.source.split(",")[0] for _, _, body in verdicts] == [f"block {n}" for n in range(1, FRAMES + 1)]
    assert {outcome for outcome, _, body in verdicts if "," in body.source} == {Outcome.NOT_INSPECTED}
    assert [body.source for _, _, body in verdicts if "lost" in body.source] == [f"block {n}, lost" for n in LOST]
    assert summary["not_inspected_reasons"]["incomplete"] == FRAMES - sent_in_full
    assert 0 < summary["passed"] <= sent_in_full
    assert summary["rejected"] == 0


def test_row_3_an_unplugged_camera_is_said_within_1_s_and_the_line_goes_on_when_it_is_back(tmp_path: Path) -> None:
    station = a_field_station(tmp_path, **GIGE)

    with FakeGige(fps=5) as camera, Line(station, tmp_path) as line:
        line.wait_ready()
        log = line.state / "source-head.jsonl"
        line.wait_for("triggers", lambda: len(read_lines(log)) >= 5)
        camera.kill()
        killed_s = time.time()
        line.wait_for("camera.lost", lambda: line.events("camera.lost"))
        camera.plug_in()
        line.wait_for("camera.back", lambda: line.events("camera.back"))
        before = len(read_lines(log))
        line.wait_for("triggers again", lambda: len(read_lines(log)) >= before + 5)
        line.ask_to_stop()
        code = line.wait_end(20)

    said_s = datetime.fromisoformat(line.events("camera.lost")[0]["timestamp"]).timestamp()
    assert code == 0
    assert said_s - killed_s <= 1.0
    assert alarms_of(line)[:2] == ["camera.lost", "camera.back"]
    assert adds_up(line)["triggers"] == len(read_lines(log))


def test_a_video_file_ends_the_run_and_each_of_its_frames_is_a_row(tmp_path: Path) -> None:
    clip = a_video(tmp_path / "clip.avi", frames=8)
    station = a_field_station(tmp_path, kind="video", source=str(clip))

    with Line(station, tmp_path) as line:
        code = line.wait_end(90)

    assert code == 0
    assert adds_up(line)["passed"] == 8


def test_a_live_source_s_password_stays_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMERA_PASSWORD", PASSWORD)

    with a_live_server(fps=5) as server:
        station = a_field_station(tmp_path, kind="video", source=server.source)
        with Line(station, tmp_path, "--frames", "10") as line:
            line.wait_ready()
            server.unplug()
            line.wait_for("camera.lost", lambda: line.events("camera.lost"))
            server.plug_in()
            code = line.wait_end(60)

    state = [path.read_bytes() for path in line.state.rglob("*") if path.is_file()]
    assert code == 0
    assert adds_up(line)["triggers"] == 10
    assert PASSWORD not in line.log()
    assert not any(PASSWORD.encode() in each for each in state)


@pytest.mark.parametrize(
    ("camera", "why"),
    [
        pytest.param(GIGE | {"serial": "OTHER-7"}, "no camera with serial 'OTHER-7'", id="wrong-serial"),
        pytest.param(GIGE | {"width": [100, 120]}, "the camera sends 160 × 200", id="wrong-size"),
    ],
)
def test_rows_12_and_13_a_wrong_camera_never_starts(camera: dict[str, Any], why: str, tmp_path: Path) -> None:
    station = a_field_station(tmp_path, **camera)

    with FakeGige(), Line(station, tmp_path, "--frames", "1") as line:
        code = line.wait_end(60)

    assert code == 78
    assert any(why in event["error"] for event in line.events("process.failed"))


def test_without_the_library_the_extra_is_named_and_nothing_starts(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "sitecustomize.py").write_text("import sys\nsys.modules['viva_genicam'] = None\n")
    station = a_field_station(tmp_path, **GIGE)

    with Line(station, tmp_path, "--frames", "1", env={"PYTHONPATH": os.fspath(absent)}) as line:
        code = line.wait_end(60)

    assert code == 78
    (said,) = line.log().splitlines()
    assert said.startswith("field-01.cameras[0].kind: 'gige' needs viva_genicam, ")
    assert said.endswith("pip install 'line-monitor[gige]'")


def test_a_killed_capture_takes_the_camera_up_again_and_its_slots_go_on(tmp_path: Path) -> None:
    station = a_field_station(tmp_path, **GIGE)

    with FakeGige(fps=5) as camera, Line(station, tmp_path) as line:
        line.wait_ready()
        log = line.state / "source-head.jsonl"
        line.wait_for("triggers", lambda: len(read_lines(log)) >= 5)
        line.kill("capture-head")
        before = len(read_lines(log))
        line.wait_for("camera.lost", lambda: line.events("camera.lost"))  # it is still the dead process's
        camera.miss_heartbeats()
        line.wait_for("triggers again", lambda: len(read_lines(log)) >= before + 5)
        line.ask_to_stop()
        code = line.wait_end(20)

    summary = line.summary()
    assert code == 0
    assert summary["restarts"] == 1
    assert summary["triggers"] == len(read_lines(log)) == summary["passed"] + summary["not_inspected"]
    verified(line)
