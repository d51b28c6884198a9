"""Pictures are kept, put back from the journal, swept where no row names them, and told where they are gone."""

import errno
import os
from pathlib import Path

import pytest

import storage.aside
from config.loader import load_station
from storage.aside import set_aside_damaged
from storage.images import ImageStore
from storage.journal import journal_files, open_journal
from storage.journal_errors import JournalError
from storage.reader import JournalReader
from storage.rebuild import Store, rebuild
from tests.storage.builders import a_png, a_purge, a_run, a_verdict, sha256_of
from tests.storage.test_journal import edit

RAIL_03 = load_station("rail-03")
CROP, MASK, WHOLE = a_png(1), a_png(2), a_png(3)


def quiet(_read: int, _of: int) -> None:
    """Nobody looks."""


@pytest.fixture
def pictured(folder: Path) -> Path:
    """A line that stands; its pictures lie in the image store, but for the last, which the journal has still."""
    with open_journal(folder) as journal:
        journal.append([a_run()])
        journal.append([a_verdict(1, picture=CROP)], {sha256_of(CROP): CROP})
        journal.append([a_verdict(2, picture=MASK)], {sha256_of(MASK): MASK})
        with JournalReader(folder) as reader:
            images = ImageStore(folder, reader.attachment)
            images.open()
            images.project(reader.rows(0))
        journal.prune(3)
        journal.append([a_verdict(3, picture=WHOLE)], {sha256_of(WHOLE): WHOLE})
    return folder


def test_pictures_are_kept_put_back_swept_or_told(pictured: Path) -> None:
    images, orphan = ImageStore(pictured), a_png(99)
    images.path(sha256_of(CROP)).unlink()  # gone for good
    images.put({sha256_of(orphan): orphan})

    found = rebuild(RAIL_03, Store.CROPS, quiet)

    assert (found.kept, found.restored, found.removed) == (1, 1, 1)
    assert [(each.fault, each.sha256, each.seq) for each in found.lost] == [("image_missing", sha256_of(CROP), 2)]
    assert set(images.names()) == {sha256_of(MASK), sha256_of(WHOLE)}
    cursor = images.cursor()
    assert cursor is not None
    assert cursor.seq == 4


def test_a_picture_that_is_not_whole_is_replaced_or_told(pictured: Path) -> None:
    images = ImageStore(pictured)
    images.put({sha256_of(WHOLE): WHOLE})
    for png in (WHOLE, MASK):
        images.path(sha256_of(png)).write_bytes(png[:10])

    found = rebuild(RAIL_03, Store.CROPS, quiet)

    assert images.get(sha256_of(WHOLE)) == WHOLE
    assert [(each.fault, each.sha256) for each in found.lost] == [("image_corrupt", sha256_of(MASK))]


def test_a_row_that_cannot_be_read_may_name_any_picture(pictured: Path) -> None:
    edit(journal_files(pictured / "journal")[0], "UPDATE journal SET body = '{}' WHERE seq = 3")

    found = rebuild(RAIL_03, Store.CROPS, quiet)

    assert found.removed == 0
    assert ImageStore(pictured).get(sha256_of(MASK)) == MASK  # that row named it


def test_a_row_that_was_set_aside_may_name_any_picture(pictured: Path) -> None:
    """The damaged files may be read yet, and what they name is evidence: docs/damaged.md says that it stays."""
    edit(journal_files(pictured / "journal")[0], "UPDATE journal SET slot = 7 WHERE seq = 3")
    assert set_aside_damaged(pictured) is not None

    found = rebuild(RAIL_03, Store.CROPS, quiet)

    assert found.removed == 0
    assert ImageStore(pictured).get(sha256_of(MASK)) == MASK  # the row that is lost named it


def test_what_has_expired_goes_also_where_nothing_else_is_swept(pictured: Path) -> None:
    """Its tombstone is noted as obeyed, so nobody comes to it again."""
    with open_journal(pictured) as journal:
        journal.append([a_purge([sha256_of(CROP)])])
    edit(journal_files(pictured / "journal")[0], "UPDATE journal SET body = '{}' WHERE seq = 3")

    found = rebuild(RAIL_03, Store.CROPS, quiet)

    assert found.removed == 1
    assert set(ImageStore(pictured).names()) == {sha256_of(MASK), sha256_of(WHOLE)}


def test_while_a_damaged_part_is_being_set_aside_nothing_is_rebuilt(
    pictured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the journal may be elsewhere: all that it names would be swept."""
    edit(journal_files(pictured / "journal")[0], "UPDATE journal SET slot = 7 WHERE seq = 3")
    monkeypatch.setattr(storage.aside, "make_file", no_room)
    with pytest.raises(OSError, match="No space"):
        set_aside_damaged(pictured)

    with pytest.raises(JournalError, match="start the line, which ends that"):
        rebuild(RAIL_03, Store.CROPS, quiet)

    assert ImageStore(pictured).get(sha256_of(MASK)) == MASK


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_has_expired_is_no_loss_and_does_not_come_back(pictured: Path) -> None:
    with open_journal(pictured) as journal:
        journal.append([a_purge([sha256_of(CROP), sha256_of(WHOLE)])])  # whose deletion the line never came to
    images = ImageStore(pictured)

    found = rebuild(RAIL_03, Store.CROPS, quiet)

    assert found.lost == []
    assert set(images.names()) == {sha256_of(MASK)}
    with JournalReader(pictured) as reader:
        again = ImageStore(pictured, reader.attachment)
        again.restart()
        again.project(reader.rows(0))
    assert again.get(sha256_of(MASK)) == MASK, "the last tombstone is noted: coming once more it deletes nothing"
