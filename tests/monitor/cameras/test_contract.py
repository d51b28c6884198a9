"""What capture may rely on, whatever the kind of camera: numbers without holes, and an end that is said."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, get_args

import cv2
import pytest

from config.cameras import Camera
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Publisher
from monitor.cameras import CameraStream, Exposed
from monitor.jsonlog import read_lines
from monitor.messages import Exposure, Reason
from tests.monitor.cameras.builders import (
    GIGE,
    PASSWORD,
    a_live_server,
    a_picture,
    a_station,
    a_stream,
    a_video,
    drained,
    taken,
)
from tests.monitor.cameras.fake_gige import FakeGige, whole

FRAMES = 12  # what each source has, at least
SELF_COUNTING = ["folder", "gige", "video-file", "video-live"]


@contextmanager
def a_camera(kind: str, folder: Path) -> Iterator[dict[str, Any]]:
    """A source of this kind that is there, and what a station file says of it; each shows something unreadable too."""
    with ExitStack() as stack:
        match kind:
            case "folder":
                for n in range(1, FRAMES):
                    cv2.imwrite(str(folder / f"{n:02}.png"), a_picture(n))
                (folder / "00.png").write_text("no picture")
                yield {"kind": "folder", "root": str(folder), "pattern": "*.png"}
            case "gige":
                stack.enter_context(FakeGige(drop_packets=whole([3])))
                yield GIGE | {"resend": False}
            case "video-file":
                yield {"kind": "video", "source": str(a_video(folder / "1.avi", frames=FRAMES))}
            case "video-live":
                server = stack.enter_context(a_live_server(coloured=True))
                yield {"kind": "video", "source": server.source}


@pytest.fixture(params=SELF_COUNTING)
def camera(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setenv("CAMERA_PASSWORD", PASSWORD)
    source = tmp_path / "source"
    source.mkdir()
    with a_camera(request.param, source) as facts:
        yield facts


def closed(stream: CameraStream) -> list[Exposed]:
    """The rest, once it is told to stop."""
    stream.stop()
    rest = drained(stream)
    stream.close()
    return rest


def test_every_kind_is_here() -> None:
    union, *_ = get_args(Camera)

    kinds = {kind for member in get_args(union) for kind in get_args(member.model_fields["kind"].annotation)}

    assert kinds == {name.split("-")[0] for name in SELF_COUNTING} | {"twin"}


def test_nothing_is_exposed_before_everyone_is_ready(camera: dict[str, Any], tmp_path: Path) -> None:
    stream = a_stream(tmp_path, **camera)
    until_s = time.monotonic() + 0.3
    early = taken(stream, until=lambda _: time.monotonic() > until_s)
    counter = stream.counter()

    assert early == []
    assert counter is not None
    assert (counter.trigger_count, counter.ended, counter.cameras) == (0, False, ("head",))
    assert closed(stream) == []


def test_it_ends_after_as_many_as_it_was_told(camera: dict[str, Any], tmp_path: Path) -> None:
    stream = a_stream(tmp_path, **camera)
    stream.go(7)

    exposed = drained(stream)
    counter = stream.counter()
    stream.close()

    assert [(each.slot, each.trigger_count) for each in exposed] == [(n, n) for n in range(1, 8)]
    assert all((each.pixels is not None) or each.refusal is not None for each in exposed)
    assert counter is not None
    assert counter.trigger_count == 7


def test_what_it_exposed_is_in_its_log_and_in_its_counter(camera: dict[str, Any], tmp_path: Path) -> None:
    stream = a_stream(tmp_path, **camera)
    stream.go(FRAMES)
    exposed = taken(stream, until=lambda exposed: len(exposed) >= 3)
    lines = read_lines(tmp_path / "source-head.jsonl")
    counter = stream.counter()

    assert counter is not None
    assert (
        [line["slot"] for line in lines] == [each.slot for each in exposed] == list(range(1, counter.trigger_count + 1))
    )
    closed(stream)


def test_a_restart_inside_a_run_and_another_run_count_on(camera: dict[str, Any], tmp_path: Path) -> None:
    slots = []
    for run, frames, more in (("a", 4, 4), ("a", 6, 2), ("b", 3, 3)):
        stream = a_stream(tmp_path, run=run, **camera)
        stream.go(frames)
        exposed = drained(stream)
        stream.close()
        slots += [each.slot for each in exposed]
        assert len(exposed) == more

    assert slots == list(range(1, 10))


def test_told_to_stop_it_ends(camera: dict[str, Any], tmp_path: Path) -> None:
    stream = a_stream(tmp_path, **camera)
    stream.go(None)
    exposed = taken(stream, until=lambda exposed: len(exposed) >= 2)
    exposed += closed(stream)

    assert [each.slot for each in exposed] == list(range(1, len(exposed) + 1))


def test_a_twin_s_camera_exposes_what_the_plant_triggers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_STATE", str(tmp_path))
    station = a_station(kind="twin")
    pixels = a_picture(1)

    with Publisher(Endpoints(station).lens("head"), hwm=16) as lens:
        stream = a_stream(tmp_path, kind="twin")
        stream.go(None)
        exposed: list[Exposed] = []
        slot = 0
        while len(exposed) < 3:
            slot += 1
            lens.send(Exposure(slot=slot, trigger_count=slot, at_count=slot, at_ns=slot), {"pixels": pixels})
            time.sleep(0.02)
            exposed += stream.take(room=0)
        stream.close()

    assert [each.slot for each in exposed] == list(range(exposed[0].slot, exposed[0].slot + len(exposed)))
    assert all(each.pixels is not None and (each.pixels == pixels).all() for each in exposed)
    assert stream.counter() is None


def test_what_cannot_be_read_has_a_reason(camera: dict[str, Any], tmp_path: Path) -> None:
    stream = a_stream(tmp_path, **camera)
    stream.go(FRAMES)
    exposed = drained(stream)
    stream.close()

    expected = {"folder": {Reason.UNREADABLE}, "gige": {Reason.INCOMPLETE}}.get(camera["kind"], set())
    live = str(camera.get("source", "")).startswith("http")
    assert {each.refusal for each in exposed} - {None} == ({Reason.WRONG_FORMAT} if live else expected)
    assert len(exposed) == FRAMES
