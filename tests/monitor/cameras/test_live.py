"""What a camera saw is never dropped silently, and a device that hangs holds up nobody."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from config.cameras import CameraBase
from monitor.cameras import CameraError, live
from monitor.cameras.live import LiveStream, Silent
from monitor.cameras.shelf import ALL_MOST, FRAMES_MOST, Seen, Shelf, ShelfFull
from monitor.jsonlog import read_lines
from monitor.messages import Reason
from tests.monitor.cameras.builders import Remembers, drained, taken

CAMERA = CameraBase(name="head", width=(8, 8), height=(8, 8))


def a_frame() -> Seen:
    return Seen(at_ns=time.monotonic_ns(), pixels=np.zeros((8, 8), np.uint8))


class Scripted:
    """A device that does what its script says, one step a read: frames, a silence, an error, or a hang."""

    def __init__(self, *script: object) -> None:
        self.script = list(script)
        self.opened = self.closed = 0
        self.hang = threading.Event()

    def check(self) -> None:
        """It is as it should be."""

    def open(self) -> "Scripted":
        self.opened += 1
        return self

    def read(self) -> list[Seen]:
        step = self.script.pop(0) if self.script else None
        match step:
            case Exception():
                raise step
            case int():
                return [a_frame() for _ in range(step)]
            case "hang":
                self.hang.wait(10)
            case _:
                time.sleep(0.01)
        return []

    def close(self, *, lost: bool) -> None:
        self.closed += 1


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Remembers:
    remembers = Remembers()
    monkeypatch.setattr(live, "log", remembers)
    return remembers


def a_stream(device: Scripted, folder: Path) -> LiveStream:
    return LiveStream(CAMERA, device, run="run", log_path=folder / "source-head.jsonl")


def ended(stream: LiveStream) -> None:
    stream.stop()
    drained(stream)
    stream.close()


def test_past_its_cap_the_newest_frame_is_an_overload_and_keeps_its_place(tmp_path: Path) -> None:
    stream = a_stream(Scripted(FRAMES_MOST + 5), tmp_path)
    stream.go(None)
    time.sleep(0.2)  # capture is busy elsewhere

    exposed = taken(stream, until=lambda exposed: len(exposed) == FRAMES_MOST + 5)
    ended(stream)

    assert [each.slot for each in exposed] == list(range(1, FRAMES_MOST + 6))
    assert [each.refusal for each in exposed] == [None] * FRAMES_MOST + [Reason.OVERLOAD] * 5
    assert [line["slot"] for line in read_lines(tmp_path / "source-head.jsonl")] == [each.slot for each in exposed]


def test_without_an_overload_they_would_be_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Shelf.put

    def dropping(shelf: Shelf, seen: Seen) -> None:
        """The guard taken out: what does not fit is dropped."""
        if len(shelf) < FRAMES_MOST:
            put(shelf, seen)

    monkeypatch.setattr(Shelf, "put", dropping)
    stream = a_stream(Scripted(FRAMES_MOST + 5), tmp_path)
    stream.go(None)
    time.sleep(0.2)
    stream.stop()

    assert len(drained(stream)) == FRAMES_MOST
    stream.close()


def test_a_loop_that_takes_nothing_is_said_and_not_waited_for() -> None:
    shelf = Shelf()
    lost = Seen(at_ns=1, pixels=None, refusal=Reason.INCOMPLETE)
    for _ in range(ALL_MOST):
        shelf.put(lost)

    with pytest.raises(ShelfFull):
        shelf.put(lost)


def test_a_device_that_hangs_is_lost_within_1_s_and_holds_up_nobody(tmp_path: Path, log: Remembers) -> None:
    device = Scripted(1, "hang", 1)
    stream = a_stream(device, tmp_path)
    stream.go(None)
    taken(stream, until=lambda exposed: exposed)
    began_s, slowest_s = time.monotonic(), 0.0
    while not log.at("camera.lost"):
        before_s = time.monotonic()
        stream.take(room=1)
        slowest_s = max(slowest_s, time.monotonic() - before_s)
        assert before_s - began_s < 5.0
        time.sleep(0.01)
    device.hang.set()
    taken(stream, until=lambda exposed: exposed)
    ended(stream)

    assert log.at("camera.lost")[0] - began_s <= 1.0
    assert slowest_s < 0.5
    assert log.at("camera.back")


def test_without_the_watch_a_device_that_hangs_is_never_lost(
    tmp_path: Path, log: Remembers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live.Reader, "watch", lambda _reader: None)
    device = Scripted(1, "hang")
    stream = a_stream(device, tmp_path)
    stream.go(None)
    until_s = time.monotonic() + 1.5
    taken(stream, until=lambda _: time.monotonic() > until_s)
    device.hang.set()
    ended(stream)

    assert log.at("camera.lost") == []


def test_a_device_that_hangs_does_not_keep_the_run_from_ending(tmp_path: Path) -> None:
    device = Scripted(1, "hang")
    stream = a_stream(device, tmp_path)
    stream.go(None)
    taken(stream, until=lambda exposed: exposed)
    stopped_s = time.monotonic()
    stream.stop()
    drained(stream)
    ended_s = time.monotonic()
    device.hang.set()
    stream.close()

    assert ended_s - stopped_s <= 2.0


def test_a_silent_camera_keeps_its_link_and_a_lost_one_is_opened_anew(tmp_path: Path, log: Remembers) -> None:
    device = Scripted(1, Silent("no answer"), Silent("no answer"), 1, CameraError("gone"), 1)
    stream = a_stream(device, tmp_path)
    stream.go(None)
    exposed = taken(stream, until=lambda exposed: len(exposed) == 3)
    ended(stream)

    assert [each.slot for each in exposed] == [1, 2, 3]
    assert [facts["why"] for facts in log.facts("camera.lost")] == ["no answer", "gone"]
    assert [facts["triggers_counted"] for facts in log.facts("camera.back")] == [True, False]
    assert (device.opened, device.closed) == (2, 2)


def test_a_fault_of_ours_in_the_thread_ends_the_process(tmp_path: Path) -> None:
    stream = a_stream(Scripted(1, ZeroDivisionError("ours")), tmp_path)
    stream.go(None)

    with pytest.raises(ZeroDivisionError):
        taken(stream, until=lambda _: False)
    stream.close()
