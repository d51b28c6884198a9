"""An archived file is read like any other, names its changes, and no kill on the way to it loses a row."""

import os
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

import storage.packing
import storage.recorder
from monitor.messages import Outcome
from storage.archive import Archived, archived_files
from storage.archiver import Archiver
from storage.aside import set_aside_damaged
from storage.chain import GENESIS, first_fault
from storage.images import ImageStore
from storage.journal import journal_files, open_journal
from storage.journal_errors import JournalError
from storage.memory import JournalMemory
from storage.reader import JournalReader
from tests.storage.archived import ROWS, archive, everything, fill, is_whole, names
from tests.storage.builders import a_png, a_run, a_verdict, sha256_of
from tests.storage.conftest import Valkey
from tests.storage.test_journal import edit
from tests.storage.test_recorder import Recorder, inspect, until


@pytest.fixture
def full(folder: Path) -> Path:
    return fill(folder)


def test_what_is_asked_of_archived_files_is_answered_as_before(full: Path) -> None:
    before = everything(full)

    archive(full)

    assert names(full) == ["000004.sqlite", "000005.sqlite", "000006.sqlite"]
    assert [each.number for each in archived_files(full / "journal")] == [1, 2, 3]
    assert everything(full) == before
    assert sorted(path.name for path in (full / "journal" / "archive").iterdir()) == [
        f"00000{number}.{kind}" for number in (1, 2, 3) for kind in ("facts.sqlite", "json", "sqlite.xz")
    ]


def test_a_reader_that_was_open_goes_on(full: Path) -> None:
    with JournalReader(full) as reader:
        before = list(reader.all_lines())

        archive(full)

        assert list(reader.all_lines()) == before
        assert not {fd for fd in open_files() if "(deleted)" in fd and "journal/00000" in fd}  # room on the disk


def open_files() -> set[str]:
    found = set()
    for fd in Path("/proc/self/fd").iterdir():
        try:
            found.add(str(fd.readlink()))
        except OSError:
            continue
    return found


def test_a_file_that_goes_while_it_is_looked_for_is_found(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everything(full)["lines"]
    with JournalReader(full) as reader:
        listed = reader._files.all()
        archive(full)
        monkeypatch.setattr(reader._files, "_open", {})
        monkeypatch.setattr(reader, "_files_behind", lambda after: listed if after == 0 else listed[3:])

        found = reader.lines(0)

    assert found == before


def test_a_start_of_the_line_unpacks_nothing(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.reader.RECENT_ROWS", 20)
    before = JournalMemory(full, ("head", "web"))
    archive(full)
    unpacked: list[int] = []
    whole = Archived.unpack

    def unpack(self: Archived) -> Path:
        unpacked.append(self.number)
        return whole(self)

    monkeypatch.setattr(Archived, "unpack", unpack)

    memory = JournalMemory(full, ("head", "web"))
    with open_journal(full, rows_per_file=ROWS) as journal:
        journal.append([a_verdict(26)])

    assert unpacked == []
    assert memory.has_run("run-1")
    assert memory.has_run("run-2")
    assert memory.missing_slots("web") == before.missing_slots("web") == ([], 1)
    assert memory.last_run() == before.last_run()


def test_what_a_reader_unpacks_is_bounded_and_leaves_nothing(full: Path) -> None:
    archive(full, keep_files=1)

    with JournalReader(full) as reader:
        assert len(list(reader.all_lines())) == 55
        assert len(reader._files._unpacked) == 2

    assert list((full / "journal" / "archive").glob("unpacked-*")) == []


@pytest.mark.parametrize(
    ("keep_files", "allowed", "left"),
    [
        pytest.param(2, 1_000_000, [4, 5, 6], id="all-but-the-last-two-closed"),
        pytest.param(4, 1_000_000, [2, 3, 4, 5, 6], id="all-but-the-last-four-closed"),
        pytest.param(2, 25, [3, 4, 5, 6], id="what-every-store-has"),
        pytest.param(2, 9, [1, 2, 3, 4, 5, 6], id="not-a-file-of-which-a-store-lacks-one-row"),
    ],
)
def test_only_what_is_settled_goes(full: Path, keep_files: int, allowed: int, left: list[int]) -> None:
    archive(full, keep_files=keep_files, allowed=allowed)

    assert names(full) == [f"00000{number}.sqlite" for number in left]


def an_archiver(folder: Path, **settings: float) -> Archiver:
    """That may take all but the last two closed files."""
    archiver = Archiver(folder, 2, keep_rows=0, rest=0.0, **settings)
    archiver.allow(55)
    return archiver


def test_what_decision_may_look_back_over_stays(full: Path) -> None:
    archiver = Archiver(full, 1, keep_rows=40, rest=0.0)
    archiver.allow(55)

    archiver.archive()

    assert names(full)[0] == "000002.sqlite"


def test_what_decision_may_look_back_over_is_told_by_rows_not_by_their_numbers(folder: Path) -> None:
    """Behind a damaged part that was set aside, the numbers go on a million later."""
    fill(folder)
    edit(folder / "journal" / "000006.sqlite", "UPDATE journal SET slot = 99 WHERE seq = 53")
    assert set_aside_damaged(folder) is not None
    archiver = Archiver(folder, 1, keep_rows=40, rest=0.0)
    with JournalReader(folder) as reader:
        archiver.allow(reader.last_seq())

    archiver.archive()

    assert names(folder)[0] == "000002.sqlite"


def test_a_first_file_that_begins_with_what_was_set_aside_is_archived(folder: Path) -> None:
    """Nothing of it was sound, so row 1 is in no file."""
    fill(folder)
    (folder / "journal" / "000001.sqlite").write_bytes(b"")
    said = set_aside_damaged(folder)
    assert said is not None
    assert said.last_seq == 0
    with open_journal(folder, rows_per_file=ROWS) as journal:
        for slot in range(1, 45):
            journal.append([a_verdict(slot)])

    archive(folder, allowed=100_000_000)

    assert archived_files(folder / "journal")[0].manifest.first == 7_000_001
    with JournalReader(folder) as reader:
        assert first_fault(reader.all_lines(), after=0, previous=GENESIS) is None


def test_a_file_with_a_picture_left_stays_until_it_has_gone(folder: Path) -> None:
    png = a_png(7)
    with open_journal(folder, rows_per_file=ROWS) as journal:
        journal.append([a_verdict(1, Outcome.REJECT, picture=png)], {sha256_of(png): png})
        for slot in range(2, 45):
            journal.append([a_verdict(slot)])
        archive(folder)
        before = names(folder)
        with JournalReader(folder) as reader:
            images = ImageStore(folder, reader.attachment)
            images.open()
            images.project(reader.rows(0))
        journal.prune(44)

        archive(folder)

    assert before[0] == "000001.sqlite"
    assert names(folder)[0] == "000003.sqlite"


def test_a_damaged_file_is_not_archived_and_keeps_those_behind_it(full: Path) -> None:
    edit(full / "journal" / "000002.sqlite", "UPDATE journal SET slot = 99 WHERE seq = 15")

    archive(full)

    assert names(full)[0] == "000002.sqlite"
    assert [each.number for each in archived_files(full / "journal")] == [1]


def test_a_file_that_a_reader_is_in_is_archived_later(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not only by the next start of the line, which may be months away."""
    monkeypatch.setattr(storage.packing, "BUSY_MS", 10)
    archiver = an_archiver(full)
    path = full / "journal" / "000001.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as before, closing(sqlite3.connect(path)) as reader:
        before.execute("INSERT INTO attachment VALUES ('1', 1, x'00')")
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM journal").fetchone()
        before.execute("DELETE FROM attachment")

        archiver.archive()
        while_reading = names(full)[0]

    archiver.archive()

    assert while_reading == "000001.sqlite"
    assert names(full)[0] == "000004.sqlite"


def test_a_journal_whose_newest_file_is_gone_is_not_begun_anew(full: Path) -> None:
    archive(full)
    for path in journal_files(full / "journal"):
        path.unlink()

    with pytest.raises(JournalError, match="its newest file is missing: file 3 is archived"):
        open_journal(full)


def test_what_a_reader_that_was_killed_had_unpacked_is_swept(full: Path) -> None:
    archive(full)
    stale, fresh = (full / "journal" / "archive" / f"unpacked-{name}.sqlite" for name in ("a", "b"))
    for path in (stale, fresh):
        path.write_bytes(b"?")
    os.utime(stale, (time.time() - 7200,) * 2)

    archive(full)

    assert not stale.exists()
    assert fresh.exists()


def test_a_file_that_unpacks_to_more_than_it_should_is_not_written_on(
    full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(full)
    monkeypatch.setattr(Archived, "blocks", lambda _: iter(lambda: bytes(1 << 20), None))

    with JournalReader(full) as reader, pytest.raises(JournalError, match="SHA-256"):
        reader.lines(0)


def test_the_recorder_archives_what_all_its_stores_have(
    folder: Path, valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.recorder, "Archiver", partial(Archiver, keep_rows=0, look_s=0.05, rest=0.0))
    with open_journal(folder, rows_per_file=ROWS) as journal:
        journal.append([a_run()])
        valkey.kill()
        recorder = Recorder(valkey.url)
        inspect(journal, range(1, 60))
        until(lambda: bool(recorder.projected) and recorder.projected[-1] == 60)
        journal.prune(60)
        time.sleep(0.5)
        kept = names(folder)
        valkey.start()

        until(lambda: names(folder)[0] == "000004.sqlite")

        inspect(journal, range(60, 80))
        recorder.drain()
    assert len(kept) == 6
    assert is_whole(folder, 80)
