"""Nothing acknowledged is lost, nothing written is changed, and a damaged journal is refused."""

import math
import sqlite3
from pathlib import Path

import pytest

from monitor.messages import Outcome
from storage.journal import SqliteJournal, journal_files, open_journal
from storage.journal_errors import JournalError
from storage.reader import JournalReader
from tests.storage.builders import a_png, a_run, a_verdict, an_actuated, sha256_of


def edit(path: Path, *statements: str) -> None:
    """Changes a journal behind its own back."""
    connection = sqlite3.connect(path)
    for trigger in ("journal_keeps", "journal_stays", "journal_grows"):
        connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_rows_come_back_as_they_went_in(journal: SqliteJournal, folder: Path) -> None:
    seqs = journal.append([a_run(), a_verdict(1), an_actuated(1)])

    with JournalReader(folder) as reader:
        rows = reader.rows(0)
    assert seqs == [row.seq for row in rows] == [1, 2, 3]
    assert rows[1].frame == "rail-03/head/1/000001"
    assert rows[1].outcome is Outcome.PASS


def test_seq_and_chain_go_on_over_files_and_starts(folder: Path) -> None:
    for start in range(3):
        with open_journal(folder, rows_per_file=10) as journal:
            for slot in range(1, 9):
                journal.append([a_verdict(slot + 8 * start)])

    with JournalReader(folder) as reader, open_journal(folder, rows_per_file=10) as journal:
        assert [row.seq for row in reader.rows(0)] == list(range(1, 25))
        assert journal.head() == reader.head()
    assert [path.name for path in journal_files(folder / "journal")] == [f"00000{n}.sqlite" for n in (1, 2, 3)]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        pytest.param("UPDATE journal SET slot = 9", "never changed", id="update"),
        pytest.param("DELETE FROM journal", "never deleted", id="delete"),
        pytest.param(
            "INSERT OR REPLACE INTO journal SELECT * FROM journal WHERE seq = 1", "only appended", id="replace"
        ),
    ],
)
def test_rows_cannot_be_touched(journal: SqliteJournal, folder: Path, statement: str, says: str) -> None:
    journal.append([a_verdict(1), a_verdict(2)])
    connection = sqlite3.connect(journal_files(folder / "journal")[0])

    with pytest.raises(sqlite3.IntegrityError, match=says):
        connection.execute(statement)

    connection.close()


def test_a_frame_has_one_verdict(journal: SqliteJournal) -> None:
    journal.append([a_verdict(1)])

    with pytest.raises(JournalError, match="not written"):
        journal.append([a_verdict(1, Outcome.REJECT)])

    assert journal.append([a_verdict(2)]) == [2]


def test_a_commit_is_all_or_nothing(journal: SqliteJournal, folder: Path) -> None:
    with pytest.raises(JournalError):
        journal.append([a_verdict(1), a_verdict(2), a_verdict(1)])

    with JournalReader(folder) as reader:
        assert reader.rows(0) == []


def test_a_row_that_would_not_read_back_is_refused(journal: SqliteJournal) -> None:
    with pytest.raises(JournalError, match="cannot be read back"):
        journal.append([an_actuated(1, late_ms=math.nan)])

    assert journal.append([a_verdict(1)]) == [1]


def test_pictures_stay_until_they_are_pruned(folder: Path) -> None:
    first, second = a_png(1), a_png(2)
    with open_journal(folder, rows_per_file=1) as journal, JournalReader(folder) as reader:
        journal.append([a_verdict(1)], {sha256_of(first): first})
        journal.append([a_verdict(2)], {sha256_of(second): second})

        assert reader.attachment(sha256_of(first)) == first
        journal.prune(1)
        assert reader.attachment(sha256_of(first)) is None
        assert reader.attachment(sha256_of(second)) == second


def test_a_picture_named_again_stays_for_the_later_row(journal: SqliteJournal, folder: Path) -> None:
    png = a_png()
    journal.append([a_verdict(1)], {sha256_of(png): png})
    journal.append([a_verdict(2)], {sha256_of(png): png})

    journal.prune(1)

    with JournalReader(folder) as reader:
        assert reader.attachment(sha256_of(png)) == png


def test_a_second_writer_is_refused(journal: SqliteJournal, folder: Path) -> None:
    with pytest.raises(JournalError, match="another process"):
        open_journal(folder)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        pytest.param("UPDATE journal SET slot = 9 WHERE seq = 2", "row 2: hash_broken", id="edited"),
        pytest.param("DELETE FROM journal WHERE seq = 2", "row 3: seq_hole", id="deleted"),
        pytest.param("UPDATE journal SET seq = 9 WHERE seq = 3", "row 9: seq_hole", id="moved"),
    ],
)
def test_a_broken_chain_is_refused_at_open(folder: Path, statement: str, says: str) -> None:
    with open_journal(folder) as journal:
        journal.append([a_verdict(slot) for slot in (1, 2, 3)])
    edit(journal_files(folder / "journal")[0], statement)

    with pytest.raises(JournalError, match=says):
        open_journal(folder)


def test_a_damaged_file_is_refused_at_open(folder: Path) -> None:
    with open_journal(folder) as journal:
        for slot in range(1, 200):
            journal.append([a_verdict(slot)])
    path = journal_files(folder / "journal")[0]
    content = bytearray(path.read_bytes())
    content[8192:12288] = bytes(4096)
    path.write_bytes(content)

    with pytest.raises(JournalError, match="sqlite"):
        open_journal(folder)


def test_a_file_half_made_by_a_killed_writer_is_made_again(folder: Path) -> None:
    (folder / "journal").mkdir()
    (folder / "journal" / "000001.new").write_bytes(b"half a header")

    with open_journal(folder) as journal:
        assert journal.append([a_verdict(1)]) == [1]


def test_a_reader_that_lingers_does_not_stop_the_log_from_being_truncated(journal: SqliteJournal, folder: Path) -> None:
    wal = folder / "journal" / "000001.sqlite-wal"
    with JournalReader(folder) as reader:
        for slot in range(1, 600):
            journal.append([a_verdict(slot)], {sha256_of(a_png(slot)): a_png(slot) * 20})
        reader.rows(0)
        assert wal.stat().st_size > 1 << 20

        journal.checkpoint()

        assert wal.stat().st_size == 0
