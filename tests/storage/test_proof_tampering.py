"""Whatever is done to a signed journal, or to its checkpoints, both verifiers find."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import chain
from storage.chain import Line
from storage.journal import journal_files
from storage.offline import verify_journal
from storage.proof import check
from storage.proof.checkpoints import CHECKPOINTS_FILE
from storage.proof.keys import KEYS_FILE, KeyFolder
from storage.reader import JournalReader
from tests.storage.builders import a_verdict
from tests.storage.sealed import CUT, Sealed, a_day, offline, sign_with_a_key_of_ones_own, signed_twice

HASHED = ("seq", "kind", "frame", "slot", "outcome", "reason", "body", "hash")


@pytest.fixture
def sealed(folder: Path, tmp_path: Path) -> Sealed:
    return signed_twice(folder, tmp_path / "elsewhere")


def test_a_sound_line_has_no_fault(sealed: Sealed) -> None:
    assert sealed.found() == sealed.found_offline() == set()
    checked = sealed.verify().checked
    assert (checked["checkpoints"], checked["unsigned_rows"], checked["second_place"]) == (2, 0, 2)


def rechain(sealed: Sealed, change: Callable[[list[Line]], list[Line]]) -> None:
    """Rewrites history as one who can write the file, and knows how it is hashed, but has no key."""
    with JournalReader(sealed.folder) as reader:
        lines = change(reader.lines(0))
    connection = sqlite3.connect(journal_files(sealed.folder / "journal")[0])
    for trigger in ("journal_keeps", "journal_stays", "journal_grows"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DELETE FROM journal")
    previous = chain.GENESIS
    for seq, line in enumerate(lines, start=1):
        cells = (seq, *line[1:7])
        previous = chain.row_hash(previous, cells)
        connection.execute("INSERT INTO journal VALUES (?,?,?,?,?,?,?,?)", (*cells, previous))
    connection.commit()
    connection.close()


def swap(one: int, other: int) -> tuple[str, ...]:
    """Two rows change places, each with its hash."""
    return (
        f"UPDATE journal SET seq = 99 WHERE seq = {one}",
        f"UPDATE journal SET seq = {one} WHERE seq = {other}",
        f"UPDATE journal SET seq = {other} WHERE seq = 99",
    )


INSERT = (
    *(f"UPDATE journal SET seq = {seq + 1} WHERE seq = {seq}" for seq in range(12, 4, -1)),
    "INSERT INTO journal SELECT 5, 'actuated', NULL, 9, outcome, reason, body, hash FROM journal WHERE seq = 3",
)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        pytest.param(("DELETE FROM journal WHERE seq = 5",), "seq_hole", id="row-72-deletion"),
        pytest.param(("DELETE FROM journal WHERE seq = 1",), "seq_hole", id="row-72-deletion-of-the-first"),
        pytest.param(swap(5, 9), "hash_broken", id="row-72-swap"),
        pytest.param(INSERT, "hash_broken", id="row-72-insertion"),
        pytest.param(CUT, "journal_cut", id="row-73-truncation"),
        pytest.param(("DELETE FROM journal",), "journal_cut", id="row-73-all-gone"),
    ],
)
def test_rows_taken_moved_or_put_in(sealed: Sealed, statements: tuple[str, ...], expected: str) -> None:
    sealed.edit(*statements)

    assert ("journal", expected) in sealed.found() or ("checkpoints", expected) in sealed.found()
    assert expected in {fault for _, fault in sealed.found_offline()}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda lines: [*lines[:4], lines[4]._replace(slot=77), *lines[5:]], id="row-72-edit"),
        pytest.param(lambda lines: [*lines[:4], *lines[5:], lines[4]], id="row-72-reorder"),
        pytest.param(lambda lines: [*lines[:5], lines[4]._replace(slot=77), *lines[5:]], id="row-72-insert"),
    ],
)
def test_a_history_hashed_anew_is_not_the_one_signed(
    sealed: Sealed, change: Callable[[list[Line]], list[Line]]
) -> None:
    rechain(sealed, change)

    assert sealed.found() == sealed.found_offline() == {("checkpoints", "history_rewritten")}


def test_row_72_the_first_edited_row_is_named(sealed: Sealed) -> None:
    sealed.edit("UPDATE journal SET slot = 77 WHERE seq = 5", "UPDATE journal SET slot = 78 WHERE seq = 8")

    named = [each.frame for each in sealed.verify().rows if each.fault == "hash_broken"]

    assert named == ["row 5", "row 8"]
    assert offline(sealed.folder)["rows"][0]["found"].startswith("row 5:")


def test_without_checkpoints_a_cut_end_is_not_found(sealed: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the chain alone holds, up to wherever it is cut."""
    sealed.edit(*CUT)
    monkeypatch.setattr(check, "_of_journal", lambda *_: iter(()))

    assert sealed.found(with_copy=False) == set()


def test_row_73_an_old_copy_put_back_is_found_by_the_second_place_alone(folder: Path, tmp_path: Path) -> None:
    sealed = Sealed(folder, copy=tmp_path / "elsewhere")
    sealed.write(*a_day()[:6])
    sealed.sign()
    shutil.copytree(folder, tmp_path / "old")
    sealed.write(*a_day()[6:])
    sealed.sign()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "old", folder)

    expected = {("checkpoints", "checkpoint_missing"), ("copy", "journal_cut")}
    assert sealed.found() == sealed.found_offline() == expected
    assert sealed.found(with_copy=False) == sealed.found_offline(with_copy=False) == set()  # the broken twin
    assert str(sealed.verify(with_copy=False).checked["second_place"]).startswith("none")


def test_row_73_an_old_copy_put_back_and_written_on_is_found(folder: Path, tmp_path: Path) -> None:
    sealed = Sealed(folder, copy=tmp_path / "elsewhere")
    sealed.write(*a_day()[:6])
    sealed.sign()
    shutil.copytree(folder, tmp_path / "old")
    sealed.write(*a_day()[6:])
    sealed.sign()
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "old", folder)
    sealed.write(*(a_verdict(slot) for slot in range(50, 60)))
    sealed.sign(copied=False)

    expected = {("checkpoints", "checkpoint_differs"), ("copy", "history_rewritten")}
    assert sealed.found() == sealed.found_offline() == expected


def of_checkpoints(change: Callable[[bytes], bytes]) -> Callable[[Sealed], object]:
    def harm(sealed: Sealed) -> None:
        path = sealed.folder / "journal" / CHECKPOINTS_FILE
        path.write_bytes(change(path.read_bytes()))

    return harm


def slip_in_a_key(sealed: Sealed) -> None:
    """One more key, which nobody but itself vouches for."""
    other = KeyFolder(sealed.folder.parent / "other", "rail-03")
    key = other.signing()
    with sealed.keys.ring.open("ab") as ring:
        ring.write(other.ring.read_bytes())
    sealed.checkpoints.add(key, size=0, head=chain.GENESIS, at=1)


def replace(old: bytes, new: bytes) -> Callable[[Sealed], object]:
    return of_checkpoints(lambda text: text.replace(old, new))


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        pytest.param(replace(b'"size":6', b'"size":5'), "checkpoint_forged", id="edit"),
        pytest.param(replace(b'"size":6', b'"size":!'), "checkpoint_unreadable", id="no-json"),
        pytest.param(replace(b"rail-03", b"rail-04"), "key_foreign", id="of-another"),
        pytest.param(of_checkpoints(lambda text: text.split(b"\n")[1] + b"\n"), "checkpoint_missing", id="first-gone"),
        pytest.param(of_checkpoints(lambda text: text.split(b"\n")[0] + b"\n"), "checkpoint_missing", id="last-gone"),
        pytest.param(of_checkpoints(lambda _: b""), "checkpoint_missing", id="all-gone"),
        pytest.param(sign_with_a_key_of_ones_own, "key_foreign", id="foreign-key"),
        pytest.param(slip_in_a_key, "key_foreign", id="key-slipped-in"),
        pytest.param(lambda sealed: (sealed.folder / "keys" / KEYS_FILE).unlink(), "key_foreign", id="no-keys"),
    ],
)
def test_checkpoints_that_were_touched(sealed: Sealed, harm: Callable[[Sealed], object], expected: str) -> None:
    harm(sealed)

    assert ("checkpoints", expected) in sealed.found()
    assert ("checkpoints", expected) in sealed.found_offline()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seq=st.integers(1, 12), column=st.sampled_from(HASHED), at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_row_72_one_bit_of_any_cell(sealed: Sealed, seq: int, column: str, at: int, bit: int) -> None:
    path = sealed.folder / "journal" / "000001.sqlite"
    sound = path.read_bytes()
    try:
        flip(path, seq, column, at, bit)

        assert {fault for _, fault in sealed.found()} & {"hash_broken", "seq_hole"}
        verifier = verify_journal.Verifier()  # in this process: 40 more would take a minute
        verifier.verify(sealed.folder, None, None)
        assert {row["fault"] for row in verifier.faults} & {"hash_broken", "seq_hole"}
    finally:
        for beside in path.parent.glob("000001.sqlite-*"):
            beside.unlink()
        path.write_bytes(sound)


def flip(path: Path, seq: int, column: str, at: int, bit: int) -> None:
    """Flips one bit of a cell, whatever comes of it; an empty cell gets a letter, a number another."""
    connection = sqlite3.connect(path)
    for trigger in ("journal_keeps", "journal_stays", "journal_grows"):
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute("DROP INDEX one_verdict")
    cell = connection.execute(f"SELECT CAST({column} AS BLOB) FROM journal WHERE seq = ?", (seq,)).fetchone()[0]
    if column in {"seq", "slot"}:
        changed: object = 100 + (int(cell or 0) ^ (1 << bit))
    elif cell is None:
        changed = "a"
    else:
        content = bytearray(cell)
        content[at % len(content)] ^= 1 << bit
        changed = bytes(content)
    cast = "?" if column in {"seq", "slot", "hash"} else "CAST(? AS TEXT)"
    connection.execute(f"UPDATE journal SET {column} = {cast} WHERE seq = ?", (changed, seq))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("last", range(12))
def test_row_73_wherever_the_end_is_cut_off(sealed: Sealed, last: int) -> None:
    sealed.edit(f"DELETE FROM journal WHERE seq > {last}")

    assert ("checkpoints", "journal_cut") in sealed.found(with_copy=False)
