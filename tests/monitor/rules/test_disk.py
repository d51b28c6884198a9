"""With less room fewer pictures are kept, step by step, and each step is undone only when there is clearly more."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.disk import STEPS, Disk, disk_problems
from config.loader import ConfigError, load_station, parse_station
from monitor.messages import Outcome
from monitor.png import encode_png
from monitor.rules.disk import ROOM, Level, kept_picture, next_level
from monitor.rules.ledger import Closing
from monitor.rules.verdicts import Verdict, decide, without_pictures
from tests.monitor.builders import PROVENANCE, a_captured, a_frame, a_region, a_segmentation, a_station

DISK = Disk(no_pass_frames_mb=500, no_frames_mb=400, small_crops_mb=300, no_crops_mb=200, hold_mb=100)
PNG = encode_png(np.arange(40 * 20, dtype=np.uint8).reshape(40, 20))


@pytest.mark.parametrize(
    ("free_mb", "level"),
    [
        (500, Level.ALL),
        (499, Level.NO_PASS_FRAMES),
        (399, Level.NO_FRAMES),
        (299, Level.SMALL_CROPS),
        (199, Level.NO_CROPS),
        (99, Level.HOLD),
        (-16, Level.HOLD),
    ],
)
def test_a_disk_that_fills_goes_down_the_ladder(free_mb: float, level: Level) -> None:
    assert next_level(Level.ALL, free_mb, DISK) is level


@pytest.mark.parametrize(
    ("free_mb", "level"),
    [(124, Level.HOLD), (125, Level.NO_CROPS), (249, Level.NO_CROPS), (250, Level.SMALL_CROPS), (625, Level.ALL)],
)
def test_a_step_is_undone_with_a_quarter_more(free_mb: float, level: Level) -> None:
    assert next_level(Level.HOLD, free_mb, DISK) is level


@given(level=st.sampled_from(Level), free_mb=st.floats(-100, 1000), shift=st.floats(-10, 10))
def test_what_changes_little_changes_the_level_once(level: Level, free_mb: float, shift: float) -> None:
    """A disk at a limit does not make the line flap: back and forth by less than the quarter, nothing comes back."""
    there = next_level(level, free_mb, DISK)

    back = next_level(next_level(there, free_mb + shift, DISK), free_mb, DISK)
    again = next_level(next_level(back, free_mb + shift, DISK), free_mb, DISK)

    assert next_level(there, free_mb, DISK) is there
    assert again is back


def test_without_the_quarter_it_would_flap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""
    monkeypatch.setattr("monitor.rules.disk.ROOM", 1.0)

    levels = [next_level(Level.ALL, free_mb, DISK) for free_mb in (499, 500, 499)]

    assert levels == [Level.NO_PASS_FRAMES, Level.ALL, Level.NO_PASS_FRAMES]
    assert ROOM == 1.25


@pytest.mark.parametrize(
    ("level", "passed", "kept"),
    [
        pytest.param(Level.ALL, True, {"frame": "whole", "crop-0": "whole", "mask-0": "whole"}, id="all"),
        pytest.param(Level.NO_PASS_FRAMES, True, {"crop-0": "whole", "mask-0": "whole"}, id="sampled-pass-frames"),
        pytest.param(
            Level.NO_PASS_FRAMES, False, {"frame": "whole", "crop-0": "whole", "mask-0": "whole"}, id="not-of-rejects"
        ),
        pytest.param(Level.NO_FRAMES, False, {"crop-0": "whole", "mask-0": "whole"}, id="frames"),
        pytest.param(Level.SMALL_CROPS, False, {"crop-0": "half", "mask-0": "half"}, id="small-crops"),
        pytest.param(Level.NO_CROPS, False, {}, id="crops"),
        pytest.param(Level.HOLD, True, {}, id="hold"),
    ],
)
def test_each_step_leaves_out_what_it_says(level: Level, passed: bool, kept: dict[str, str]) -> None:
    found = {name: kept_picture(name, PNG, level, passed=passed) for name in ("frame", "crop-0", "mask-0")}

    assert {name: size_of(png) for name, png in found.items() if png is not None} == kept


def size_of(png: bytes) -> str:
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return {(40, 20): "whole", (20, 10): "half"}[pixels.shape]


def test_what_is_no_picture_is_not_made_smaller() -> None:
    assert kept_picture("crop-0", b"no PNG", Level.SMALL_CROPS, passed=False) == b"no PNG"


def decided(level: Level) -> Verdict:
    """A reject with one region, its pictures and the frame."""
    closing = Closing(
        frame=a_frame(),
        slot=1,
        reason=None,
        at_count=0,
        captured=a_captured(),
        segmentation=a_segmentation(1, a_region(60.0)),
        payload={"frame": PNG, "crop-0": PNG[:-1] + b"c", "mask-0": PNG[:-1] + b"m"},
    )
    return decide(closing, a_station(), PROVENANCE, now_ns=1, now_at=2, disk_level=level)


@pytest.mark.parametrize(("level", "pictures"), [(Level.ALL, 3), (Level.NO_FRAMES, 2), (Level.NO_CROPS, 0)])
def test_a_row_names_the_pictures_that_are_kept_and_no_others(level: Level, pictures: int) -> None:
    verdict = decided(level)

    (region,) = verdict.body.regions
    named = {verdict.body.frame_sha256, region.crop_sha256, region.mask_sha256} - {None}
    assert set(verdict.pictures) == named
    assert (len(named), verdict.outcome, verdict.body.disk_level) == (pictures, Outcome.REJECT, level)
    assert region.area_px == a_region(60.0).area_px


def test_pictures_can_be_left_out_of_a_verdict_that_was_given() -> None:
    whole = decided(Level.ALL)

    bare = without_pictures(whole)

    assert bare.entry == decided(Level.NO_CROPS).entry
    assert (bare.pictures, bare.entry.body) == ({}, bare.body)


def test_the_defaults_are_in_order_and_leave_a_few_gigabytes_alone() -> None:
    assert list(disk_problems(Disk())) == []
    assert next_level(Level.ALL, 3000, Disk()) is Level.ALL


@pytest.mark.parametrize("key", STEPS[1:])
def test_limits_out_of_order_are_refused_with_their_place(key: str) -> None:
    table = load_station("rail-03").model_dump(mode="json")
    table["disk"] = {key: Disk().no_pass_frames_mb + 1}

    with pytest.raises(ConfigError, match=rf"mine\.disk\.{key}: 2001 is not below "):
        parse_station(table, at="mine")


def test_the_page_names_every_key_and_its_default() -> None:
    page = (Path(__file__).parents[3] / "docs/disk.md").read_text()

    assert [f"{key} = {mb}" for key, mb in Disk().model_dump().items() if f"    {key} = {mb}\n" not in page] == []
