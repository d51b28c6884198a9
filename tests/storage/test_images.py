"""A picture in its place is whole, is what its name says, and stays."""

from pathlib import Path

import pytest

from storage.images import ImageStore
from storage.journal import SqliteJournal
from storage.projection import StoreLost
from storage.reader import JournalReader
from tests.storage.builders import a_png, a_region, a_verdict, sha256_of

CROP, MASK, WHOLE = a_png(1), a_png(2), a_png(3)
PICTURES = {sha256_of(png): png for png in (CROP, MASK, WHOLE)}


def test_pictures_of_rows_are_stored_before_the_cursor_says_so(journal: SqliteJournal, folder: Path) -> None:
    journal.append([a_verdict(1, regions=(a_region(9.0, CROP, MASK),), picture=WHOLE)], PICTURES)
    with JournalReader(folder) as reader:
        images = ImageStore(folder, reader.attachment)
        images.open()

        images.project(reader.rows(0))

        cursor = images.cursor()
    assert cursor is not None
    assert cursor.seq == 1
    assert {sha256: images.get(sha256) for sha256 in images.names()} == PICTURES
    assert images.path(sha256_of(CROP)) == folder / "images" / sha256_of(CROP)[:2] / f"{sha256_of(CROP)}.png"
    assert images.count() == 3
    assert images.count([sha256_of(CROP), sha256_of(CROP), "0" * 64]) == 1


def test_a_repeat_writes_nothing(folder: Path) -> None:
    images = ImageStore(folder)
    images.open()
    images.put({sha256_of(CROP): CROP})
    written_at = images.path(sha256_of(CROP)).stat().st_mtime_ns

    images.put({sha256_of(CROP): CROP})

    assert images.path(sha256_of(CROP)).stat().st_mtime_ns == written_at


def test_what_a_killed_writer_left_is_swept(folder: Path) -> None:
    images = ImageStore(folder)
    images.open()
    (folder / "images" / "incoming" / "half.png").write_bytes(CROP[:10])

    images.open()

    assert list((folder / "images" / "incoming").iterdir()) == []
    assert images.count() == 0


@pytest.mark.parametrize("name", ["../../etc/passwd", "AB" * 32, "ab", "", "a" * 63 + "/", "ab" * 32 + "\n"])
def test_a_name_that_is_no_hash_reaches_no_file(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        ImageStore(folder).get(name)


def test_bytes_that_are_not_their_name_are_not_stored(folder: Path) -> None:
    images = ImageStore(folder)
    images.open()

    images.put({sha256_of(CROP): MASK})

    assert images.count() == 0


def test_a_picture_that_is_gone_does_not_stop_the_others(journal: SqliteJournal, folder: Path) -> None:
    journal.append([a_verdict(1, picture=WHOLE)])
    journal.append([a_verdict(2, picture=CROP)], {sha256_of(CROP): CROP})
    with JournalReader(folder) as reader:
        images = ImageStore(folder, reader.attachment)
        images.open()

        images.project(reader.rows(0))

    assert list(images.names()) == [sha256_of(CROP)]


@pytest.mark.parametrize("content", [b"", b"{", b'{"seq":"1"}'])
def test_an_unreadable_cursor_is_no_cursor(folder: Path, content: bytes) -> None:
    images = ImageStore(folder)
    images.open()
    (folder / "images" / "cursor.json").write_bytes(content)

    assert images.cursor() is None


def test_a_disk_that_refuses_loses_the_store_for_a_while(folder: Path) -> None:
    images = ImageStore(folder)
    (folder / "images").write_text("a file where the folder should be")

    with pytest.raises(StoreLost, match="images"):
        images.open()
