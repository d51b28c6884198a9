"""Row 69: a journal found damaged at a start is moved aside whole; what goes on behind it collides with nothing."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from config.loader import load_station
from monitor.messages import Outcome
from monitor.rows import AlarmBody, read_body
from storage import aside
from storage.alarms import acknowledge, must_look
from storage.aside import set_aside_damaged
from storage.audit import AuditStore
from storage.chain import GENESIS, first_fault
from storage.damage import find_damage
from storage.journal import JournalDamaged, JournalError, journal_files, open_journal
from storage.memory import JournalMemory
from storage.projection import StoreForeign
from storage.proof.checkpoints import copy_proof
from storage.proof.sealing import seal, signed_to
from storage.questions import Question
from storage.reader import JournalReader
from storage.recorder import Follower
from storage.report_questions import Period
from tests.storage.builders import a_correction, a_png, a_verdict, an_actuated, sha256_of
from tests.storage.sealed import Sealed
from tests.storage.test_journal import edit

RAIL_03 = load_station("rail-03")
ROWS, ROWS_PER_FILE = 150, 50  # three files of some 20 pages
Harm = Callable[[Path], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 parts over three files, signed in the middle and at the end, here and elsewhere."""
    folder = tmp_path_factory.mktemp("made") / "rail-03"
    folder.mkdir()
    line = Sealed(folder, copy=folder.parent / "elsewhere")
    rows = [a_verdict(slot) for slot in range(1, ROWS + 1)]
    for part in (rows[: ROWS // 2], rows[ROWS // 2 :]):
        with open_journal(folder, rows_per_file=ROWS_PER_FILE) as journal:
            for row in part:
                journal.append([row], {sha256_of(a_png(row.slot or 0)): a_png(row.slot or 0)})
        line.sign()
    return folder.parent


@pytest.fixture
def sealed(made: Path, folder: Path) -> Sealed:
    shutil.copytree(made, folder.parent, dirs_exist_ok=True)
    return Sealed(folder, copy=folder.parent / "elsewhere")


def flip(name: str, *, share: float = 0.5) -> Harm:
    """Pages of noise in a file, so far into it."""

    def harm(journal: Path) -> None:
        content = bytearray((journal / name).read_bytes())
        at = int(len(content) * share) // 4096 * 4096
        content[at : at + 4096] = bytes(byte ^ 0xFF for byte in content[at : at + 4096])
        (journal / name).write_bytes(content)

    return harm


def cut(name: str, size: int) -> Harm:
    return lambda journal: os.truncate(journal / name, size)


def sql(name: str, *statements: str) -> Harm:
    return lambda journal: edit(journal / name, *statements)


HARMS = [
    pytest.param(flip("000003.sqlite"), "000003.sqlite", id="row-69-page-of-the-newest-file"),
    pytest.param(flip("000003.sqlite", share=0.0), "000003.sqlite", id="row-69-header-of-the-newest-file"),
    pytest.param(flip("000002.sqlite"), "000002.sqlite", id="row-69-page-of-an-older-file"),
    pytest.param(cut("000003.sqlite", 40_000), "000003.sqlite", id="row-69-newest-file-cut"),
    pytest.param(cut("000003.sqlite", 0), "000003.sqlite", id="row-69-newest-file-empty"),
    pytest.param(cut("000001.sqlite", 100), "000001.sqlite", id="row-69-first-file-cut"),
    pytest.param(
        sql("000003.sqlite", "UPDATE journal SET slot = 7 WHERE seq = 125"), "000003.sqlite", id="row-69-row-edited"
    ),
    pytest.param(
        sql("000003.sqlite", "DELETE FROM journal WHERE seq > 140"), "000003.sqlite", id="row-69-end-of-what-was-signed"
    ),
    pytest.param(lambda journal: (journal / "000002.sqlite").unlink(), "000003.sqlite", id="row-69-file-gone"),
    pytest.param(
        lambda journal: [path.unlink() for path in journal_files(journal)], "000001.sqlite", id="row-69-all-gone"
    ),
]


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
    assert said.last_hash == (lines[-2].hash if len(lines) > 1 else GENESIS).hex()  # type: ignore[union-attr]
    assert find_damage(sealed.folder) is set_aside_damaged(sealed.folder) is None


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


def test_a_checkpoint_that_nobody_signed_moves_nothing(sealed: Sealed) -> None:
    path = sealed.folder / "journal" / "checkpoints.signed"
    path.write_bytes(path.read_bytes().replace(b'"size":150', b'"size":900'))

    assert find_damage(sealed.folder) is None


def test_the_line_is_held_until_a_person_has_looked(sealed: Sealed) -> None:
    flip("000003.sqlite")(sealed.folder / "journal")

    asked = must_look(RAIL_03)

    assert "rail-03 is held by journal.damaged, journal-damaged-" in asked
    assert must_look(RAIL_03) == asked
    gone = acknowledge(RAIL_03, "", who="kim", why="disk replaced")
    assert [key.partition("/")[0] for key in gone] == ["journal.damaged"]
    assert must_look(RAIL_03) == ""


def test_pictures_of_sound_rows_go_on_and_slots_begin_behind_them(sealed: Sealed) -> None:
    flip("000003.sqlite")(sealed.folder / "journal")
    said = set_aside_damaged(sealed.folder)

    assert said is not None
    assert 100 < said.last_seq < ROWS
    assert JournalMemory(sealed.folder, ("head",)).missing_slots("head") == ([], said.last_seq)
    with JournalReader(sealed.folder) as reader:
        for slot in range(1, said.last_seq - 12):
            assert reader.attachment(sha256_of(a_png(slot))) == a_png(slot)


def test_sql_keeps_what_it_had_of_lost_rows_under_another_name(sealed: Sealed, url: str) -> None:
    """Counted once each: the next start closes their triggers anew, as it knows nothing of them."""
    folder = sealed.folder
    with open_journal(folder, rows_per_file=ROWS_PER_FILE) as journal:
        journal.append([a_correction(10, 10), an_actuated(150), a_correction(149, 149)])
    keep_up(folder, url)
    edit(folder / "journal" / "000003.sqlite", "UPDATE journal SET slot = 7 WHERE seq = 125")
    said = set_aside_damaged(folder)
    assert said is not None
    with open_journal(folder) as journal:
        journal.append([a_verdict(slot, Outcome.REJECT) for slot in range(125, ROWS + 1)])

    keep_up(folder, url)
    keep_up(folder, url)

    with closing(AuditStore(url, "rail-03")) as ours:
        found = list(ours.history(Question(oldest_first=True)))
        assert [each.slot for each in found] == list(range(1, ROWS + 1))
        assert [each.outcome for each in found] == ["PASS"] * 124 + ["REJECT"] * 26
        assert counts(ours) == {"PASS": 124, "REJECT": 26}
        apart = f"rail-03~{found[-1].seq - 26}"
    with closing(AuditStore(url, apart)) as theirs:
        lost = list(theirs.history(Question(oldest_first=True)))
        assert [each.slot for each in lost] == list(range(125, ROWS + 1))
        assert counts(theirs) == {"PASS": 25, "NOT_INSPECTED": 1}


def test_a_cursor_of_another_journal_is_still_refused(sealed: Sealed, url: str) -> None:
    """The twin: without the row that says so, nothing tells the two apart."""
    keep_up(sealed.folder, url)
    shutil.rmtree(sealed.folder / "journal")
    with open_journal(sealed.folder) as journal:
        journal.append([a_verdict(1)])

    follower = Follower("audit", sealed.folder, lambda _: AuditStore(url, "rail-03"))
    with (
        JournalReader(sealed.folder) as reader,
        closing(AuditStore(url, "rail-03")) as store,
        pytest.raises(StoreForeign),
    ):
        follower._begin(store, reader)


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


def counts(store: AuditStore) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in store.reports.quality(Period(0, 2**62)):
        found[each.outcome] = found.get(each.outcome, 0) + each.verdicts
    return found


def keep_up(folder: Path, url: str) -> None:
    """What the recorder's thread does until it has everything."""
    follower = Follower("audit", folder, lambda _: AuditStore(url, "rail-03"))
    with JournalReader(folder) as reader:
        follower.follow(reader.last_seq())
        follower.start()
        for _ in range(100):
            if not follower.behind():
                break
            follower.join(0.02)
        assert not follower.behind()
    follower.stop()
