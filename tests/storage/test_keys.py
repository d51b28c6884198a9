"""A key is made once, handed on with the old one's word, and nobody else's checkpoints count."""

import json
import stat
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.loader import load_station
from monitor.rows import PersonBody
from monitor.runner import hold_station
from storage import key_commands
from storage.journal import open_journal
from storage.memory import JournalMemory
from storage.proof.keys import PURPOSE, KeyFault, KeyFolder, is_signed
from storage.proof.signed_lines import CopyForeign, append, last_line, mirror
from storage.reader import JournalReader
from tests.storage.sealed import Sealed, a_day, offline


@pytest.fixture
def sealed(folder: Path, tmp_path: Path) -> Sealed:
    line = Sealed(folder, copy=tmp_path / "elsewhere")
    line.write(*a_day())
    line.sign()
    return line


def test_a_key_is_made_once_and_is_its_owners_alone(folder: Path) -> None:
    keys = KeyFolder(folder, "rail-03")

    assert keys.signing().id == keys.signing().id
    assert stat.S_IMODE((folder / "keys" / "signing.key").stat().st_mode) == 0o600
    assert [path.stem for path in keys.public_files()] == [keys.signing().id]


def test_a_key_that_others_may_read_signs_nothing(folder: Path) -> None:
    keys = KeyFolder(folder, "rail-03")
    keys.signing()
    (folder / "keys" / "signing.key").chmod(0o644)

    with pytest.raises(KeyFault, match="0600"):
        keys.signing()


def test_a_lost_key_is_not_made_again_in_silence(folder: Path) -> None:
    keys = KeyFolder(folder, "rail-03")
    keys.signing()
    (folder / "keys" / "signing.key").unlink()

    with pytest.raises(KeyFault, match="missing"):
        keys.signing()


def test_a_signature_holds_for_its_purpose_and_its_bytes(folder: Path) -> None:
    key = KeyFolder(folder, "rail-03").signing()
    signed = key.sign(b"one\n", b"{}")

    assert is_signed(signed, b"one\n", key.public)
    assert not is_signed(signed, PURPOSE, key.public)
    assert not is_signed(signed._replace(statement=b"[]"), b"one\n", key.public)
    assert not is_signed(signed, b"one\n", bytes(32))


def test_a_rotation_is_vouched_for_by_the_old_key(sealed: Sealed) -> None:
    old = sealed.keys.signing()

    record = sealed.keys.rotate(who="kim", why="kim left", overlap_s=60)
    sealed.write(*a_day()[:0])
    sealed.sign()

    assert (record.by, record.key, sealed.keys.signing().id) == (old.id, record.key, record.key)
    assert sealed.found() == sealed.found_offline() == set()
    assert {path.stem for path in sealed.copy.glob("rail-03/*.pub")} == {old.id, record.key}


def test_a_recorder_that_looks_for_its_key_does_not_disturb_a_rotation(sealed: Sealed) -> None:
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            sealed.keys.signing()

    looking = threading.Thread(target=look)
    looking.start()
    records = [sealed.keys.rotate(who="kim", why="", overlap_s=60) for _ in range(20)]
    ended.set()
    looking.join()

    sealed.sign()
    assert [record.number for record in records] == list(range(2, 22))
    assert sealed.found() == set()


@pytest.mark.parametrize("died", ["before", "behind"])
def test_a_rotation_that_died_half_way(sealed: Sealed, monkeypatch: pytest.MonkeyPatch, died: str) -> None:
    """Before the new key is on record the old one is in force, behind it the new."""

    def die(*_: object, **__: object) -> None:
        raise InterruptedError

    old = sealed.keys.signing()
    with monkeypatch.context() as patched:
        patched.setattr(KeyFolder, "_record" if died == "before" else "_put_in_force", die)
        with pytest.raises(InterruptedError):
            sealed.keys.rotate(who="kim", why="", overlap_s=60)

    now = sealed.keys.signing()
    sealed.sign()
    assert (now.id == old.id) == (died == "before")
    assert sealed.found() == sealed.found_offline() == set()


@pytest.mark.parametrize("overlap_s", [pytest.param(0.0, id="past-its-time"), pytest.param(60.0, id="after-its-heir")])
def test_a_retired_key_signs_no_more(sealed: Sealed, overlap_s: float) -> None:
    old = sealed.keys.signing()
    sealed.keys.rotate(who="kim", why="stolen", overlap_s=overlap_s)
    if overlap_s:
        sealed.sign(copied=False)
    time.sleep(0.001)
    last = sealed.checkpoints.last()
    assert last is not None

    sealed.checkpoints.add(old, size=last.size, head=bytes.fromhex(last.head), at=time.time_ns())

    assert sealed.found() == sealed.found_offline() == {("checkpoints", "key_retired")}


def test_in_the_overlap_the_old_key_still_signs(sealed: Sealed) -> None:
    """A recorder that had the old key in its hand: no checkpoint is lost for that."""
    old = sealed.keys.signing()
    sealed.keys.rotate(who="kim", why="yearly", overlap_s=60)
    last = sealed.checkpoints.last()
    assert last is not None

    sealed.checkpoints.add(old, size=last.size, head=bytes.fromhex(last.head), at=time.time_ns())
    sealed.sign()

    assert sealed.found() == sealed.found_offline() == set()


def people(folder: Path) -> list[PersonBody]:
    with JournalReader(folder) as reader:
        return [body for _, body in reader.alarms_and_people() if isinstance(body, PersonBody)]


def test_the_command_writes_a_row_and_signs_it(sealed: Sealed, tmp_path: Path) -> None:
    said = tmp_path / "said.json"
    done = CliRunner().invoke(
        key_commands.app, ["rotate", "--station", "rail-03", "--who", "kim", "--why", "yearly", "--json", str(said)]
    )

    assert done.exit_code == 0, done.output
    record = json.loads(said.read_text())["rows"][0]
    assert [(each.who, each.what, each.why, each.old, each.new) for each in people(sealed.folder)] == [
        ("kim", "key.rotate", "yearly", record["by"], record["key"])
    ]
    last = sealed.checkpoints.last()
    assert last is not None
    assert (last.size, last.key) == (13, record["key"])
    assert offline(sealed.folder)["ok"]
    shown = CliRunner().invoke(key_commands.app, ["show", "--station", "rail-03", "--json", "-"])
    assert [row["why"] for row in json.loads(shown.stdout)["rows"]] == ["the station's first key", "yearly"]


def test_while_the_line_runs_the_next_start_writes_the_row(sealed: Sealed) -> None:
    with hold_station(sealed.folder):
        done = CliRunner().invoke(key_commands.app, ["rotate", "--station", "rail-03", "--who", "kim"])
    assert done.exit_code == 0, done.output
    assert people(sealed.folder) == []

    undone = JournalMemory(sealed.folder, ("head",)).unrecorded()

    assert [(body.who, body.what) for body in undone] == [("kim", "key.rotate")]


def test_a_rewritten_journal_is_not_signed_by_a_rotation(sealed: Sealed) -> None:
    sealed.edit("DELETE FROM journal WHERE seq > 9")

    done = CliRunner().invoke(key_commands.app, ["rotate", "--station", "rail-03", "--who", "kim"])

    assert "was signed as" in done.output
    assert ("checkpoints", "journal_cut") in sealed.found()


def test_a_journal_that_cannot_be_written_gets_the_row_from_the_next_start(sealed: Sealed) -> None:
    (sealed.folder / "journal" / "000001.sqlite").write_bytes(bytes(8192))

    done = CliRunner().invoke(key_commands.app, ["rotate", "--station", "rail-03", "--who", "kim"])

    assert done.exit_code == 0
    assert "the next start of the line writes the row" in done.stderr
    assert len(sealed.keys.public_files()) == 2


def test_a_torn_line_is_cut_away_and_its_copy_goes_on(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    append(source, b"one")
    source.write_bytes(source.read_bytes() + b"tw")
    assert mirror(source, target) == 4
    target.write_bytes(b"on")  # a copy that died in its line

    append(source, b"two")

    assert last_line(source) == b"two"
    assert mirror(source, target) == 6
    assert target.read_bytes() == source.read_bytes() == b"one\ntwo\n"
    assert mirror(source, target) == 0


@pytest.mark.parametrize("there", [b"other\n", b"one\ntwo\nthree\n"])
def test_a_copy_of_something_else_is_left_alone(tmp_path: Path, there: bytes) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"one\ntwo\n")
    target.write_bytes(there)

    with pytest.raises(CopyForeign):
        mirror(source, target)

    assert target.read_bytes() == there


def test_the_station_file_says_where_the_second_place_is() -> None:
    assert load_station("rail-03").proof.every_rows == 1000


def test_rows_in_an_old_journal_are_signed_from_the_first(folder: Path, tmp_path: Path) -> None:
    with open_journal(folder) as journal:
        journal.append(a_day())
    line = Sealed(folder, copy=tmp_path / "elsewhere")
    assert line.verify().checked["checkpoints"] == 0

    line.sign()

    assert line.found() == set()
