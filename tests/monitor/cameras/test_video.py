"""Video: each frame is a trigger, colour turns grey only where the station says so, and no password is repeated."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from monitor.cameras import CameraError, live, video
from monitor.messages import Reason
from tests.monitor.cameras.builders import (
    PASSWORD,
    Remembers,
    a_live_server,
    a_picture,
    a_stream,
    a_video,
    drained,
    taken,
)
from tests.monitor.cameras.fake_gige import HIGH, WIDE


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Remembers:
    remembers = Remembers()
    monkeypatch.setattr(live, "log", remembers)
    monkeypatch.setattr(video, "log", remembers)
    monkeypatch.setenv("CAMERA_PASSWORD", PASSWORD)
    return remembers


@pytest.mark.parametrize("code", ["FFV1", "Y800"])
def test_a_grey_file_is_its_pixels_and_ends(code: str, tmp_path: Path) -> None:
    path = a_video(tmp_path / "grey.avi", frames=5, code=code)
    stream = a_stream(tmp_path, kind="video", source=str(path))
    stream.go(None)

    exposed = drained(stream)
    stream.close()

    assert [each.source for each in exposed] == [f"grey.avi, frame {n}" for n in range(1, 6)]
    assert all(np.array_equal(each.pixels, a_picture(each.slot)) for each in exposed if each.pixels is not None)
    assert [each.refusal for each in exposed] == [None] * 5


@pytest.mark.parametrize(
    ("to_grey", "refusal"), [pytest.param(True, None, id="asked"), pytest.param(False, Reason.WRONG_FORMAT, id="not")]
)
def test_colour_is_turned_to_grey_only_where_the_station_says_so(
    to_grey: bool, refusal: Reason | None, tmp_path: Path
) -> None:
    path = a_video(tmp_path / "colour.avi", frames=3, coloured=True)
    stream = a_stream(tmp_path, kind="video", source=str(path), to_grey=to_grey)
    stream.go(None)

    exposed = drained(stream)
    stream.close()

    assert [each.refusal for each in exposed] == [refusal] * 3
    assert [each.pixels is not None for each in exposed] == [to_grey] * 3
    if to_grey:
        assert np.abs(np.subtract(exposed[0].pixels, a_picture(1), dtype=np.int16)).max() <= 1  # type: ignore[arg-type]


def test_without_a_rate_a_file_waits_for_a_worker(tmp_path: Path) -> None:
    stream = a_stream(tmp_path, kind="video", source=str(a_video(tmp_path / "1.avi", frames=2)))
    stream.go(None)

    assert stream.take(room=0) == []
    assert len(stream.take(room=1)) == 1
    stream.close()


def test_with_a_rate_a_file_keeps_it(tmp_path: Path) -> None:
    path = a_video(tmp_path / "1.avi", frames=6)
    stream = a_stream(tmp_path, kind="video", source=str(path), rate=20.0)
    stream.go(None)

    began_s = time.monotonic()
    exposed = drained(stream)
    stream.close()

    assert len(exposed) == 6
    assert time.monotonic() - began_s >= 5 / 20


def test_a_file_that_is_cut_short_ends_where_it_is_cut_and_says_so(tmp_path: Path, log: Remembers) -> None:
    path = a_video(tmp_path / "1.avi", frames=20)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    stream = a_stream(tmp_path, kind="video", source=str(path))
    stream.go(None)

    exposed = drained(stream)
    stream.close()

    assert 0 < len(exposed) < 20
    assert log.facts("video.short") == [{"camera": "head", "frames": len(exposed), "stated": 20}]


@pytest.mark.parametrize("make", [pytest.param(lambda _path: None, id="absent"), pytest.param(Path.touch, id="empty")])
def test_a_file_that_is_no_video_is_refused(make: object, tmp_path: Path) -> None:
    path = tmp_path / "no.avi"
    if callable(make):
        make(path)

    with pytest.raises(CameraError, match=r"field-01.cameras\[0\].source: .*no.avi"):
        a_stream(tmp_path, kind="video", source=str(path))


def test_a_live_source_that_goes_is_said_within_1_s_and_comes_back(tmp_path: Path, log: Remembers) -> None:
    with a_live_server() as server:
        stream = a_stream(tmp_path, kind="video", source=server.source)
        stream.go(None)
        before = taken(stream, until=lambda exposed: len(exposed) >= 3)
        server.unplug()
        unplugged_s = time.monotonic()
        before += taken(stream, until=lambda _: log.at("camera.lost"))
        server.plug_in()
        after = taken(stream, until=lambda exposed: len(exposed) >= 3)
        stream.stop()
        after += drained(stream)
        stream.close()

    slots = [each.slot for each in before + after]
    assert log.at("camera.lost")[0] - unplugged_s <= 1.0
    assert slots == list(range(1, len(slots) + 1))
    assert all(each.pixels is not None and each.pixels.shape == (HIGH, WIDE) for each in before + after)
    assert not log.facts("camera.back")[0]["triggers_counted"]


def test_a_live_source_that_stalls_is_lost_within_1_s(tmp_path: Path, log: Remembers) -> None:
    with a_live_server() as server:
        stream = a_stream(tmp_path, kind="video", source=server.source)
        stream.go(None)
        taken(stream, until=lambda exposed: len(exposed) >= 3)
        server.fps = 0.25  # the line is up, and no frame comes
        stalled_s = time.monotonic()
        taken(stream, until=lambda _: log.at("camera.lost"))
        stream.stop()
        drained(stream)
        stream.close()

    assert log.at("camera.lost")[0] - stalled_s <= 1.0


def test_no_password_is_in_a_row_a_log_or_an_error(
    tmp_path: Path, log: Remembers, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with a_live_server() as server:
        stream = a_stream(tmp_path, kind="video", source=server.source)
        stream.go(None)
        exposed = taken(stream, until=lambda exposed: exposed)
        server.unplug()
        taken(stream, until=lambda _: log.at("camera.away"))
        stream.stop()
        drained(stream)
        stream.close()
        with pytest.raises(CameraError) as gone:
            a_stream(tmp_path, run="later", kind="video", source=server.source)
        server.plug_in()
        monkeypatch.setenv("CAMERA_PASSWORD", PASSWORD + "?")
        with pytest.raises(CameraError) as refused:
            a_stream(tmp_path, run="later", kind="video", source=server.source)

    written = "".join(path.read_text() for path in tmp_path.glob("*.jsonl"))
    said = capfd.readouterr()
    everything = f"{exposed}{written}{log.said}{gone.value}{refused.value}{said.out}{said.err}"
    assert "cannot be opened" in str(refused.value)
    assert exposed[0].source.startswith("http://viewer:…@127.0.0.1")
    assert PASSWORD not in everything


def test_with_the_url_in_full_a_row_would_tell_it(
    tmp_path: Path, log: Remembers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "named", lambda camera: os.path.expandvars(camera.source))  # the guard taken out

    with a_live_server() as server:
        stream = a_stream(tmp_path, kind="video", source=server.source)
        stream.go(1)
        exposed = drained(stream)
        stream.close()

    assert PASSWORD in exposed[0].source
