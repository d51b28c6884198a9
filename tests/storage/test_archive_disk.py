"""Row 66 beside an archive: neither packing a file nor reading one takes room that the line needs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import storage.archive
import storage.packing
from storage.archive import Archived
from storage.archiver import Archiver
from storage.journal_errors import JournalError
from storage.reader import JournalReader
from tests.storage.archived import archive, fill, names
from tests.storage.small_disk import SmallDisk, a_small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with a_small_disk(tmp_path / "disk", 24) as made:
        yield made


@pytest.mark.parametrize("spare_mb", [pytest.param(10.0, id="row-66"), pytest.param(0.0, id="row-66-the-twin")])
def test_row_66_archiving_takes_no_room_that_the_ladder_would_miss(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch, spare_mb: float
) -> None:
    folder = fill(disk.at / "rail-03")
    archiver = Archiver(folder, 2, spare_mb=spare_mb, keep_rows=0, rest=0.0)
    archiver.allow(55)
    whole = storage.packing._pack_file

    def while_it_fills(*arguments: Any) -> str:
        disk.fill(leave_mb=9.5)
        return whole(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(storage.packing, "_pack_file", while_it_fills)
        archiver.archive()
        archived, left = names(folder)[0], list((folder / "journal" / "archive").glob("*.new"))
    archiver.archive()
    later = names(folder)[0]
    disk.empty()
    archiver.archive()

    if not spare_mb:
        assert archived == later == "000004.sqlite"
    else:
        assert archived == later == "000001.sqlite"
        assert left == []
    assert names(folder)[0] == "000004.sqlite"


@pytest.mark.parametrize("spare", [pytest.param(None, id="row-66"), pytest.param(0, id="row-66-the-twin")])
def test_row_66_a_reader_takes_no_room_that_the_line_needs(
    disk: SmallDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spare: int | None
) -> None:
    folder = fill(disk.at / "rail-03")
    archive(folder)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    if spare is not None:
        monkeypatch.setattr(storage.archive, "SPARE_BYTES", spare)
    unpacked: set[Path] = set()
    whole = Archived.unpack

    def unpack(self: Archived) -> Path:
        path = whole(self)
        unpacked.add(path.parent)
        return path

    monkeypatch.setattr(Archived, "unpack", unpack)

    with JournalReader(folder) as reader:
        assert len(reader.rows(0)) == 55

    assert unpacked == {elsewhere if spare is None else folder / "journal" / "archive"}


def test_row_66_where_no_disk_has_room_it_is_said_and_nothing_is_written(
    disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(disk.at / "rail-03")
    archive(folder)
    monkeypatch.setattr(tempfile, "tempdir", str(disk.at))

    with JournalReader(folder) as reader, pytest.raises(JournalError, match="cannot be unpacked: neither there nor in"):
        reader.rows(0)
