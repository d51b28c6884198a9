"""A camera beside a PLC numbers its own frames, and none gets a slot before somebody has said which (row 14)."""

import time
from pathlib import Path

from monitor.cameras import CameraError, Exposed
from monitor.cameras.following import ARRIVALS_KEPT, FollowingStream
from monitor.messages import Counted, Paired
from tests.monitor.cameras.test_live import CAMERA, Scripted

WAIT_S = 5.0


class Picky(Scripted):
    """A device that is checked, and remembers how often."""

    checked = 0

    def check(self) -> None:
        self.checked += 1


def a_following(device: Scripted, folder: Path, *, epoch: int = 3, run: str = "run") -> FollowingStream:
    return FollowingStream(CAMERA, device, epoch=epoch, run=run, state=folder)


def counted_to(stream: FollowingStream, count: int) -> list[Exposed]:
    """What it exposed until it had counted so far."""
    exposed: list[Exposed] = []
    until_s = time.monotonic() + WAIT_S
    while (counted := stream.counted()) is None or counted.count < count:
        assert time.monotonic() < until_s, f"it never counted to {count}"
        exposed += stream.take(room=8)
        time.sleep(0.005)
    return exposed


def test_frames_without_a_number_are_counted_and_not_shown(tmp_path: Path) -> None:
    stream = a_following(Scripted(2), tmp_path)

    exposed = counted_to(stream, 2)
    counted = stream.counted()
    stream.close()

    assert exposed == []
    assert counted is not None
    assert (counted.epoch, counted.count, counted.base, len(counted.arrivals_ns)) == (3, 2, None, 2)


def test_a_slot_is_its_own_count_and_what_it_was_told_to_add(tmp_path: Path) -> None:
    device = Scripted(2)
    stream = a_following(device, tmp_path)
    counted_to(stream, 2)

    stream.pair(Paired(camera="head", epoch=2, base=7))  # to an earlier start
    stream.pair(Paired(camera="head", epoch=3, base=98))
    device.script.append(3)
    exposed = counted_to(stream, 5)
    stream.close()

    assert [(each.slot, each.trigger_count, each.at_count) for each in exposed] == [
        (101, 3, None), (102, 4, None), (103, 5, None)
    ]  # fmt: skip


def test_the_last_arrivals_are_said_and_no_more(tmp_path: Path) -> None:
    stream = a_following(Scripted(8, 8, 8), tmp_path)

    counted_to(stream, 24)
    counted = stream.counted()
    stream.close()

    assert counted is not None
    assert len(counted.arrivals_ns) == ARRIVALS_KEPT
    assert max(counted.arrivals_ns) <= counted.at_ns


def test_while_the_camera_is_away_nothing_is_said_of_its_count(tmp_path: Path) -> None:
    """I12: a count that stands as nobody counts would look like triggers that it missed, or like a quiet line."""
    stream = a_following(Scripted(1, CameraError("gone"), *([CameraError("gone")] * 50)), tmp_path)
    said: list[Counted | None] = []
    until_s = time.monotonic() + WAIT_S

    while time.monotonic() < until_s and (not said or said[-1] is not None):
        stream.take(room=8)
        said.append(stream.counted())
        time.sleep(0.005)
    stream.close()

    assert said[-1] is None


def test_inside_a_run_it_is_checked_once(tmp_path: Path) -> None:
    """A camera that is away comes back; one that is wrong is refused at start."""
    checked = []
    for run in ("first", "first", "second"):
        device = Picky()
        a_following(device, tmp_path, run=run).close()
        checked.append(device.checked)

    assert checked == [1, 0, 1]
