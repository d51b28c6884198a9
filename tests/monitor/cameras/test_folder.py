"""Each file that bears the right name is a trigger, one that is no frame says why; nothing crashes or is skipped."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from config.cameras import FolderCamera
from monitor.cameras.folder import FolderError, FolderStream, list_files
from monitor.cameras.picture import Unreadable, read_picture
from monitor.messages import Reason

HIGH, WIDE = 120, 80


def a_camera(root: Path, /, **facts: object) -> FolderCamera:
    table = {
        "kind": "folder",
        "name": "head",
        "root": str(root),
        "pattern": "*.jpg",
        "width": [60, 100],
        "height": [100, 140],
    }
    return FolderCamera.model_validate(table | facts)


def a_picture(path: Path, *, high: int = HIGH, wide: int = WIDE, dtype: type = np.uint8) -> None:
    luck = np.random.default_rng(3)
    pixels = luck.integers(0, np.iinfo(dtype).max, (high, wide), dtype=dtype)
    cv2.imwrite(str(path.with_suffix(".png" if dtype is np.uint16 else path.suffix)), pixels)
    if dtype is np.uint16:
        path.with_suffix(".png").rename(path)


def truncated(path: Path) -> None:
    a_picture(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def huge_header(path: Path) -> None:
    """A PNG that claims 30,000 × 30,000 pixels, in 60 bytes."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b""))


def coloured(path: Path) -> None:
    cv2.imwrite(str(path), np.zeros((HIGH, WIDE, 3), np.uint8))


BAD: list[tuple[str, Callable[[Path], object], Reason]] = [
    ("truncated", truncated, Reason.INCOMPLETE),
    ("text", lambda path: path.write_text("no picture"), Reason.UNREADABLE),
    ("empty", lambda path: path.write_bytes(b""), Reason.UNREADABLE),
    ("one-by-one", lambda path: a_picture(path, high=1, wide=1), Reason.WRONG_SIZE),
    ("sixteen-bit", lambda path: a_picture(path, dtype=np.uint16), Reason.WRONG_FORMAT),
    ("coloured", coloured, Reason.WRONG_FORMAT),
    ("huge-header", huge_header, Reason.WRONG_SIZE),
    ("a-folder", Path.mkdir, Reason.UNREADABLE),
    ("dangling-link", lambda path: path.symlink_to("nowhere"), Reason.UNREADABLE),
    ("a-pipe", os.mkfifo, Reason.UNREADABLE),
]


@pytest.mark.parametrize(("make", "reason"), [pytest.param(make, reason, id=name) for name, make, reason in BAD])
def test_a_bad_file_says_why(make: Callable[[Path], object], reason: Reason, tmp_path: Path) -> None:
    path = tmp_path / "1.jpg"
    make(path)

    with pytest.raises(Unreadable) as found:
        read_picture(path, a_camera(tmp_path))

    assert found.value.reason is reason


def test_a_good_file_is_its_pixels(tmp_path: Path) -> None:
    a_picture(tmp_path / "1.jpg")

    pixels = read_picture(tmp_path / "1.jpg", a_camera(tmp_path))

    assert pixels.shape == (HIGH, WIDE)
    assert pixels.dtype == np.uint8


def test_every_name_that_fits_is_a_trigger_in_name_order(tmp_path: Path) -> None:
    for name, make, _ in BAD:
        make(tmp_path / f"{name}.jpg")
    a_picture(tmp_path / "good.jpg")
    (tmp_path / "other.txt").write_text("no trigger")

    stream = FolderStream(a_camera(tmp_path), run="r", log_path=tmp_path / "source.jsonl")
    stream.go(None)
    exposed = [each for _ in range(20) for each in stream.take(room=1)]

    assert [each.source for each in exposed] == sorted([f"{name}.jpg" for name, _, _ in BAD] + ["good.jpg"])
    assert [each.slot for each in exposed] == list(range(1, len(BAD) + 2))
    assert [each.source for each in exposed if each.refusal is None] == ["good.jpg"]
    assert stream.counter().ended


def test_without_a_rate_it_waits_for_a_worker(tmp_path: Path) -> None:
    a_picture(tmp_path / "1.jpg")
    stream = FolderStream(a_camera(tmp_path), run="r", log_path=tmp_path / "source.jsonl")
    stream.go(None)

    assert stream.take(room=0) == []
    assert len(stream.take(room=1)) == 1


def test_a_restart_goes_on_where_the_log_ends(tmp_path: Path) -> None:
    for n in range(4):
        a_picture(tmp_path / f"{n}.jpg")
    log_path = tmp_path / "source.jsonl"
    first = FolderStream(a_camera(tmp_path), run="r", log_path=log_path)
    first.go(3)
    first.take(room=1)
    with log_path.open("a") as torn:
        torn.write('{"slot": 2, "trig')

    again = FolderStream(a_camera(tmp_path), run="r", log_path=log_path)
    again.go(3)
    drawn = [each for _ in range(5) for each in again.take(room=1)]

    assert [(each.slot, each.source) for each in drawn] == [(2, "1.jpg"), (3, "2.jpg")]


def test_another_run_draws_the_list_anew_and_counts_on(tmp_path: Path) -> None:
    a_picture(tmp_path / "1.jpg")
    for run in ("a", "b"):
        stream = FolderStream(a_camera(tmp_path), run=run, log_path=tmp_path / "source.jsonl")
        stream.go(None)
        drawn = stream.take(room=1)

    assert [(each.slot, each.source) for each in drawn] == [(2, "1.jpg")]


def test_a_split_names_parts(tmp_path: Path) -> None:
    for part in ("kos01", "kos02"):
        (tmp_path / part).mkdir()
        a_picture(tmp_path / part / "Part0.jpg")
    (tmp_path / "split.json").write_text('{"val": ["kos02"]}')

    files = list_files(a_camera(tmp_path, pattern="kos*/*.jpg", split="val"))

    assert [path.parent.name for path in files] == ["kos02"]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        pytest.param({"pattern": "*.bmp"}, "no name fits", id="nothing-fits"),
        pytest.param({"split": "val"}, "split.json: cannot be read", id="no-split-file"),
        pytest.param({"root": "/nowhere/at/all"}, "no such folder", id="no-folder"),
    ],
)
def test_a_folder_without_triggers_is_refused(facts: dict[str, object], why: str, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=why):
        list_files(a_camera(tmp_path, **facts))
