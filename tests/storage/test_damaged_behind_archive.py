"""Row 69 beside an archive: what is damaged is moved aside, what is archived stays and goes on to be read."""

from pathlib import Path

import pytest

import storage.aside
import storage.packing
from storage import damage
from storage.archive import archived_files
from storage.aside import set_aside_damaged
from storage.chain import GENESIS, first_fault
from storage.damage import BEGINNING, find_damage
from storage.journal import journal_files, open_journal
from storage.journal_errors import JournalError
from storage.reader import JournalReader
from tests.storage.archived import archive, everything, fill, names
from tests.storage.builders import an_alarm


@pytest.fixture
def archived(folder: Path) -> Path:
    """Three files are archived, three lie plain."""
    archive(fill(folder))
    assert names(folder) == ["000004.sqlite", "000005.sqlite", "000006.sqlite"]
    return folder


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[: len(content) // 2] = bytes(len(content) // 2)
    path.write_bytes(content)


def test_row_69_a_sound_journal_behind_an_archive_is_sound(archived: Path) -> None:
    assert find_damage(archived) is None


def test_row_69_the_first_plain_file_goes_and_the_archive_stays(archived: Path) -> None:
    last = archived_files(archived / "journal")[-1].manifest
    spoil(archived / "journal" / "000004.sqlite")

    said = set_aside_damaged(archived)

    assert said is not None
    assert (said.last_seq, said.last_hash) == (last.last, last.head)
    with open_journal(archived, rows_per_file=10) as journal:
        journal.append([an_alarm()])
    with JournalReader(archived) as reader:
        lines = list(reader.all_lines())
    assert first_fault(lines, after=0, previous=GENESIS) is None
    assert [line.seq for line in lines[: last.last]] == list(range(1, last.last + 1))
    assert {path.name for path in journal_files(archived / said.folder)} == {
        "000004.sqlite",
        "000005.sqlite",
        "000006.sqlite",
    }


def test_row_69_a_file_whose_archiving_was_cut_off_is_no_damage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its manifest counts, and its plain file was still to go when the power failed."""
    before = everything(fill(folder))
    with monkeypatch.context() as patched:
        patched.setattr(storage.packing, "_remove", lambda _: None)
        archive(folder, keep_files=4)
    assert names(folder)[0] == "000001.sqlite"

    assert set_aside_damaged(folder) is None

    assert names(folder)[0] == "000002.sqlite"
    assert everything(folder) == before


def test_row_69_without_ending_that_first_a_sound_journal_is_taken_apart(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the file does not follow the archive, as it is in it."""
    fill(folder)
    monkeypatch.setattr(storage.packing, "_remove", lambda _: None)
    archive(folder, keep_files=4)
    monkeypatch.setattr(storage.aside, "finish", lambda _: None)

    said = set_aside_damaged(folder)

    assert said is not None
    assert len(journal_files(folder / said.folder)) == 6


def test_row_69_a_chain_that_does_not_follow_the_archive_is_damage(
    archived: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (archived / "journal" / "000004.sqlite").unlink()

    found = find_damage(archived)

    assert found is not None
    assert found.file == "000005.sqlite"
    monkeypatch.setattr(damage, "archive_end", lambda _: BEGINNING)
    assert find_damage(archived) is None, "broken twin: without the archive's end nothing is missed"


def test_row_69_without_any_plain_file_no_new_journal_begins(archived: Path) -> None:
    for path in journal_files(archived / "journal"):
        path.unlink()

    with pytest.raises(JournalError, match="its newest file is missing: file 3 is archived"):
        open_journal(archived)
