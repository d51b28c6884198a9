"""Row 69: a journal found damaged at a start is moved aside whole, and a row that is provable says so."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from config.loader import load_station
from monitor.rows import AlarmBody, read_body
from storage import aside
from storage.alarms import acknowledge, must_look
from storage.aside import set_aside_damaged
from storage.chain import GENESIS, first_fault, hash_of
from storage.damage import find_damage
from storage.journal import journal_files, open_journal
from storage.journal_errors import JournalDamaged, JournalError, JournalHeld
from storage.proof.checkpoints import copy_proof
from storage.proof.sealing import seal, signed_to
from storage.reader import JournalReader
from tests.storage.harmed import HARMS, ROWS, Harm, a_sealed_line, copied, flip, gone
from tests.storage.sealed import Sealed

RAIL_03 = load_station("rail-03")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_sealed_line(tmp_path_factory.mktemp("made"))


@pytest.fixture
def sealed(made: Path, folder: Path) -> Sealed:
    return copied(made, folder)


@pytest.mark.parametrize(("harm", "first"), HARMS)
def test_what_is_damaged_is_moved_aside_whole_and_a_row_says_so(sealed: Sealed, harm: Harm, first: str) -> None:
    journal = sealed.folder / "journal"
    harm(journal)
    found = {path.name: path.read_bytes() for path in journal_files(journal)}

    said = set_aside_damaged(sealed.folder)

    assert said is not None
    moved = {path.name: path.read_bytes() for path in journal_files(sealed.folder / said.folder)}
    assert moved == {name: content for name, content in found.items() if name >= first}
    with JournalReader(sealed.folder) as reader:
        lines = list(reader.all_lines())
        row = reader.rows(lines[-1].seq - 1)[0]
    body = read_body(row)
    assert isinstance(body, AlarmBody)
    assert (body.set_aside, body.level, body.about) == (said, "hold", said.folder)
    assert [line.seq for line in lines[:-1]] == list(range(1, said.last_seq + 1))
    assert row.seq > ROWS + 1000
    assert first_fault(lines, after=0, previous=GENESIS) is None
    assert said.last_hash == (hash_of(lines[-2]) if len(lines) > 1 else GENESIS).hex()
    assert find_damage(sealed.folder) is None
    assert set_aside_damaged(sealed.folder) is None


@pytest.mark.parametrize(("harm", "first"), HARMS)
def test_verify_tells_the_break_from_a_cut(sealed: Sealed, harm: Harm, first: str) -> None:
    harm(sealed.folder / "journal")
    said = set_aside_damaged(sealed.folder)
    assert said is not None
    sign_on(sealed)

    is_missing = not journal_files(sealed.folder / said.folder)
    expected = {("journal", "journal_set_aside")} | ({("aside", "set_aside_missing")} if is_missing else set())
    assert named(sealed) == expected
    assert sealed.found_offline() == {("journal", "journal_set_aside")}
    shutil.rmtree(sealed.folder / said.folder)
    assert named(sealed) == {("journal", "journal_set_aside"), ("aside", "set_aside_missing")}


def test_rows_set_aside_that_are_not_those_signed_are_found(sealed: Sealed) -> None:
    """Who takes a sound part for damaged, to write it anew, still has its end against him."""
    flip("000003.sqlite", share=0.0)(sealed.folder / "journal")
    said = set_aside_damaged(sealed.folder)
    assert said is not None
    path = sealed.folder / said.folder / "000003.sqlite"
    with closing(sqlite3.connect(sealed.folder.parent / "forged.sqlite")) as forged:
        forged.execute("CREATE TABLE journal (seq, kind, frame, slot, outcome, reason, body, hash)")
        forged.execute("INSERT INTO journal VALUES (150, 'verdict', '', 1, 'PASS', NULL, '', x'00')")
        forged.commit()
    shutil.copy(sealed.folder.parent / "forged.sqlite", path)

    assert ("aside", "history_rewritten") in named(sealed)


def test_a_cut_without_a_row_that_says_so_is_a_cut(sealed: Sealed) -> None:
    """The twin: the files are gone, and so is what would have been set aside."""
    for path in journal_files(sealed.folder / "journal")[1:]:
        path.unlink()

    assert named(sealed) == {("checkpoints", "journal_cut")}


def test_a_journal_that_is_written_still_is_looked_at_by_its_writer(sealed: Sealed) -> None:
    """A killed line's last process may live a moment longer."""
    with open_journal(sealed.folder):
        assert must_look(RAIL_03) == ""
        with pytest.raises(JournalHeld):
            set_aside_damaged(sealed.folder)


def test_without_a_look_at_the_start_the_writer_refuses_and_nothing_is_moved(sealed: Sealed) -> None:
    """The broken twin: what the line did before."""
    flip("000003.sqlite")(sealed.folder / "journal")

    with pytest.raises(JournalDamaged):
        open_journal(sealed.folder)

    assert list(sealed.folder.glob("journal-damaged-*")) == []


def test_a_locked_or_a_sound_journal_is_left_alone(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in journal_files(sealed.folder / "journal")}
    assert set_aside_damaged(sealed.folder) is None
    monkeypatch.setattr("storage.damage.BUSY_MS", 50)
    with closing(sqlite3.connect(journal_files(sealed.folder / "journal")[-1], isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(JournalError, match="locked"):
            set_aside_damaged(sealed.folder)

    assert {path: path.read_bytes() for path in journal_files(sealed.folder / "journal")} == before
    assert list(sealed.folder.glob("journal-damaged-*")) == []


def test_without_its_oldest_files_a_journal_is_sound_up_to_what_is_damaged(sealed: Sealed) -> None:
    """They may lie in an archive; `linectl verify` says that they are not here."""
    gone("000001.sqlite")(sealed.folder / "journal")
    assert find_damage(sealed.folder) is None
    flip("000002.sqlite")(sealed.folder / "journal")

    damage = find_damage(sealed.folder)

    assert damage is not None
    assert damage.file == "000002.sqlite"
    assert 50 < damage.last.seq < 100


def test_a_checkpoint_that_nobody_signed_moves_nothing(sealed: Sealed) -> None:
    path = sealed.folder / "journal" / "checkpoints.signed"
    path.write_bytes(path.read_bytes().replace(b'"size":150', b'"size":900'))

    assert find_damage(sealed.folder) is None


def test_the_line_is_held_until_a_person_has_looked(sealed: Sealed) -> None:
    flip("000003.sqlite")(sealed.folder / "journal")

    asked = must_look(RAIL_03)

    assert "rail-03 is held by journal.damaged, journal-damaged-" in asked
    assert must_look(RAIL_03) == asked
    assert "legal holds placed since that row are not in force any more" in asked
    gone = acknowledge(RAIL_03, "", who="kim", why="disk replaced")
    assert [key.partition("/")[0] for key in gone] == ["journal.damaged"]
    assert must_look(RAIL_03) == ""


def test_a_power_loss_in_between_is_taken_up_by_the_next_start(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each step; tests/storage/test_power_loss.py does the same at each system call."""
    flip("000002.sqlite")(sealed.folder / "journal")

    for step in ("sync_folder", "_move", "make_file"):
        with monkeypatch.context() as patch:
            patch.setattr(aside, step, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                set_aside_damaged(sealed.folder)
        with pytest.raises(JournalError, match="being set aside"):
            open_journal(sealed.folder)
    assert set_aside_damaged(sealed.folder) is not None

    assert len(list(sealed.folder.glob("journal-damaged-*"))) == 1
    open_journal(sealed.folder).close()


def sign_on(sealed: Sealed) -> None:
    """As the recorder does behind the break."""
    at = signed_to(sealed.checkpoints)
    assert at is not None
    with JournalReader(sealed.folder) as reader:
        assert seal(reader, sealed.checkpoints, sealed.keys, at).seq == reader.last_seq()
    copy_proof(sealed.folder, "rail-03", sealed.copy / "rail-03")


def named(sealed: Sealed) -> set[tuple[str, str]]:
    stores = ("journal", "checkpoints", "copy", "aside")
    return {(each.store, each.fault.value) for each in sealed.verify().rows if each.store in stores}
