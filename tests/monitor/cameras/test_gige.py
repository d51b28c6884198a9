"""GigE Vision over real GVCP and GVSP: each block is a row, a broken one is never scored."""

import importlib
import time
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import pytest

import monitor.capture
from monitor.bus.wire import Publisher, Pusher, Router
from monitor.cameras import CameraError, CameraStream, Exposed, live
from monitor.cameras.shelf import Seen
from monitor.messages import Captured, Reason
from tests.monitor.cameras.builders import GIGE, Remembers, a_station, a_stream, drained, taken
from tests.monitor.cameras.fake_gige import HIGH, SERIAL, WIDE, FakeGige, whole

LOST, BROKEN = (5, 6), (9, 12, 14)  # blocks: all packets dropped; one packet dropped: of the image, leader, trailer
DROPPED = [*whole(LOST), (9, 3), (12, 0), (14, 23)]
LOSSY = GIGE | {"resend": False, "packet_size": 1500}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Remembers:
    remembers = Remembers()
    monkeypatch.setattr(live, "log", remembers)
    return remembers


def gige() -> ModuleType:
    """Imported only where there is a fake: without the library these tests skip, loudly."""
    return importlib.import_module("monitor.cameras.gige")


def seen_by(stream: CameraStream, frames: int) -> list[Exposed]:
    stream.go(frames)
    exposed = drained(stream)
    stream.close()
    return exposed


def test_rows_10_and_11_each_block_is_a_row_and_a_broken_one_is_never_scored(tmp_path: Path) -> None:
    with FakeGige(drop_packets=DROPPED) as camera:
        exposed = seen_by(a_stream(tmp_path, **LOSSY), 20)
        sent = camera.blocks_sent()

    assert [each.source.removeprefix("block ").split(",")[0] for each in exposed] == [str(n) for n in range(1, 21)]
    assert sent >= 20
    assert {each.slot for each in exposed if each.refusal is Reason.INCOMPLETE} == {*LOST, *BROKEN}
    assert all(each.pixels is None for each in exposed if each.refusal is not None)
    assert all(each.pixels is not None and each.pixels.shape == (HIGH, WIDE) for each in exposed if not each.refusal)


def test_without_the_check_a_broken_block_would_be_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def trusting(frame: Any, at_ns: int) -> Seen:
        """The guard taken out: whatever came is a frame, with zeros where packets are missing."""
        return Seen(at_ns=at_ns, pixels=np.frombuffer(frame.payload(), np.uint8).reshape(HIGH, WIDE))

    with FakeGige(drop_packets=[(3, 4)]):
        monkeypatch.setattr(gige(), "_seen", trusting)
        exposed = seen_by(a_stream(tmp_path, **LOSSY), 4)

    assert [each.refusal for each in exposed] == [None] * 4
    assert not cast("Any", exposed[2].pixels).reshape(-1)[4400:4600].any()  # what the net would take for steel


def test_without_the_ids_lost_blocks_would_have_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeGige(drop_packets=whole(LOST)) as camera:
        monkeypatch.setattr(gige(), "lost_between", lambda _last, _now: [])
        exposed = seen_by(a_stream(tmp_path, **LOSSY), 20)
        sent = camera.blocks_sent()

    assert len(exposed) == 20
    assert sent >= 20 + len(LOST)


def test_a_camera_asked_again_sends_what_was_lost(tmp_path: Path) -> None:
    with FakeGige(drop_packets=[(3, 4), (5, 7), (5, 9)]):
        exposed = seen_by(a_stream(tmp_path, **LOSSY | {"resend": True}), 8)

    assert [each.refusal for each in exposed] == [None] * 8


def test_row_3_an_unplugged_camera_is_said_within_1_s_and_its_gap_is_counted(tmp_path: Path, log: Remembers) -> None:
    with FakeGige() as camera:
        stream = a_stream(tmp_path, **GIGE)
        stream.go(None)
        before = taken(stream, until=lambda exposed: len(exposed) >= 5)
        camera.unplug()
        unplugged_s = time.monotonic()
        before += taken(stream, until=lambda _: log.at("camera.lost"))
        time.sleep(0.3)
        camera.plug_in()
        after = taken(stream, until=lambda exposed: len(exposed) >= 5)
        stream.stop()
        after += drained(stream)
        stream.close()

    assert log.at("camera.lost")[0] - unplugged_s <= 1.0
    assert log.facts("camera.back")[0]["triggers_counted"]
    assert [each.slot for each in before + after] == list(range(1, len(before + after) + 1))
    assert [each.source.split(",")[0] for each in after] == [f"block {each.slot}" for each in after]


def test_without_its_questions_an_unplugged_camera_is_a_quiet_one(
    tmp_path: Path, log: Remembers, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeGige() as camera:
        monkeypatch.setattr(gige(), "UNANSWERED_MOST", 1_000_000)
        stream = a_stream(tmp_path, **GIGE)
        stream.go(None)
        taken(stream, until=lambda exposed: len(exposed) >= 5)
        camera.unplug()
        until_s = time.monotonic() + 1.5
        taken(stream, until=lambda _: time.monotonic() > until_s)
        camera.plug_in()
        stream.stop()
        drained(stream)
        stream.close()

    assert log.at("camera.lost") == []


def test_rows_3_and_13_a_camera_that_lost_its_power_is_connected_to_again(tmp_path: Path, log: Remembers) -> None:
    with FakeGige() as camera:
        stream = a_stream(tmp_path, **GIGE)
        stream.go(None)
        before = taken(stream, until=lambda exposed: len(exposed) >= 5)
        camera.kill()
        before += taken(stream, until=lambda _: log.at("camera.lost"))
        camera.plug_in(width=128)  # its region of interest was never saved
        after = taken(stream, until=lambda exposed: len(exposed) >= 5)
        stream.stop()
        after += drained(stream)
        stream.close()

    slots = [each.slot for each in before + after]
    assert slots == list(range(1, len(slots) + 1))
    assert not log.facts("camera.back")[0]["triggers_counted"]  # its ids began anew: nobody knows what passed
    assert after[0].source == "block 1"
    assert refusals(after[:3]) == {Reason.WRONG_SIZE}


def test_a_camera_that_gave_its_control_away_is_taken_again(tmp_path: Path, log: Remembers) -> None:
    with FakeGige() as camera:
        stream = a_stream(tmp_path, **GIGE)
        stream.go(None)
        exposed = taken(stream, until=lambda exposed: len(exposed) >= 3)
        camera.miss_heartbeats()
        exposed += taken(stream, until=lambda _: log.at("camera.back"))
        exposed += taken(stream, until=lambda exposed: len(exposed) >= 3)
        stream.stop()
        exposed += drained(stream)
        stream.close()

    assert [each.slot for each in exposed] == list(range(1, len(exposed) + 1))


def test_without_the_size_check_the_net_would_see_another_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 13: the guard taken out of capture's desk."""
    monkeypatch.setattr(monitor.capture, "fits", lambda _camera, **_size: True)
    lit = np.random.default_rng(0).integers(40, 200, (HIGH, 128), np.uint8)  # fit otherwise
    narrow = Exposed(slot=1, trigger_count=1, at_count=None, at_ns=1, pixels=lit)

    assert refusals([narrow]) == {None}


@pytest.mark.parametrize(
    ("facts", "station", "why"),
    [
        pytest.param({}, {"serial": "OTHER-7"}, f"serial 'OTHER-7'; found '{SERIAL}'", id="another-serial"),
        pytest.param(
            {}, {"serial": "OTHER-7", "address": "127.0.0.1"}, f"at 127.0.0.1; found '{SERIAL}'", id="at-its-address"
        ),
        pytest.param({"user_id": "web"}, {"user_id": "head"}, "with user id 'web' at 127.0.0.1", id="swapped"),
        pytest.param({"width": 128}, {}, ".width: the camera sends 128 × 200", id="width"),
        pytest.param({"height": 100}, {}, ".height: the camera sends 160 × 100", id="height"),
        pytest.param({"pixel_format": "Mono16"}, {}, ".kind: the camera sends Mono16", id="pixel-format"),
        pytest.param({}, {"features": {"TriggerMode": "On"}}, "has 'Off'; the station has 'On'", id="feature"),
        pytest.param({}, {"features": {"ExposureTime": 4000}}, "has '5000'; the station has 4000", id="number"),
        pytest.param({}, {"features": {"Exposure": 4000}}, "has None", id="no-such-feature"),
        pytest.param({}, {"interface": "none0"}, "no interface|No such", id="no-such-interface"),
    ],
)
def test_row_12_another_camera_than_the_station_s_is_refused(
    facts: dict[str, Any], station: dict[str, Any], why: str, tmp_path: Path
) -> None:
    with FakeGige(**facts), pytest.raises(CameraError) as refused:
        a_stream(tmp_path, **GIGE | station)

    assert str(refused.value).startswith("field-01.cameras[0].")
    assert any(each in str(refused.value) for each in why.split("|"))
    assert "\n" not in str(refused.value)


def test_without_its_user_id_a_swapped_camera_is_taken(tmp_path: Path) -> None:
    """Row 12, the guard taken out: a serial number alone says nothing of where a camera was mounted."""
    with FakeGige(user_id="web"):
        a_stream(tmp_path, **GIGE).close()


def test_what_the_station_says_of_a_camera_that_fits(tmp_path: Path) -> None:
    features = {"TriggerMode": "Off", "ExposureTime": 5000, "Gain": 0.0, "AcquisitionFrameRateEnable": True}

    with FakeGige(user_id="head"):
        exposed = seen_by(a_stream(tmp_path, **GIGE, user_id="head", address="127.0.0.1", features=features), 2)

    assert [each.refusal for each in exposed] == [None, None]


def test_a_camera_that_is_not_there_is_refused_with_what_is(tmp_path: Path) -> None:
    with FakeGige() as camera:
        camera.kill()

        with pytest.raises(CameraError, match=f"no camera with serial '{SERIAL}'; found none"):
            a_stream(tmp_path, **GIGE)


def test_a_free_running_camera_that_sends_nothing_is_lost(tmp_path: Path, log: Remembers) -> None:
    with FakeGige(drop_packets=whole(range(10, 60))):
        stream = a_stream(tmp_path, **GIGE, silent_ms=400.0, resend=False)
        stream.go(None)
        exposed = taken(stream, until=lambda exposed: len(exposed) >= 15)
        stream.stop()
        drained(stream)
        stream.close()

    assert "sends no frames for 400 ms" in log.facts("camera.lost")[0]["why"]
    assert [each.slot for each in exposed] == list(range(1, len(exposed) + 1))


def refusals(exposed: list[Exposed]) -> set[Reason | None]:
    """What capture's desk says of them to decision."""
    said: list[Captured] = []

    class Ear:
        def send(self, *message: Any) -> bool:
            said.extend(each for each in message if isinstance(each, Captured))
            return True

    station = a_station(**GIGE)
    ear = Ear()
    desk = monitor.capture.Desk(
        station,
        station.cameras[0],
        epoch=1,
        decision=cast("Pusher", ear),
        workers=cast("Router", ear),
        viewers=cast("Publisher", ear),
    )
    for each in exposed:
        desk.expose(each)
    return {each.refusal for each in said}
