"""The one file sees what `linectl verify` sees, alone in an empty folder, and says what it could not look at."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import chain
from storage.offline import verify_journal
from tests.storage.lines import CROP, MASK, sound_rows
from tests.storage.lines import Line as Stopped
from tests.storage.sealed import CUT, Sealed, a_day, offline, run_offline, sign_with_a_key_of_ones_own, signed_twice


@pytest.fixture
def sealed(folder: Path, tmp_path: Path) -> Sealed:
    return signed_twice(folder, tmp_path / "elsewhere")


@given(
    cells=st.tuples(
        st.integers(1, 2**62),
        st.text(),
        st.none() | st.text(),
        st.none() | st.integers(-(2**62), 2**62),
        st.none() | st.text(),
        st.none() | st.text(),
        st.text(),
    ),
    before=st.binary(min_size=32, max_size=32),
)
def test_both_hash_a_row_alike(cells: chain.Cells, before: bytes) -> None:
    assert verify_journal.row_hash(before, cells) == chain.row_hash(before, cells)


def test_the_one_file_says_what_it_could_not_look_at(sealed: Sealed) -> None:
    done = run_offline(sealed.folder)

    assert done.returncode == 0, done.stdout
    assert "no second place" in done.stdout
    assert "taken at its word" in done.stdout
    assert run_offline(sealed.folder / "nowhere").returncode == 2


def test_without_the_library_all_but_signatures_is_checked(sealed: Sealed) -> None:
    sound = run_offline(sealed.folder, python=("-S",))  # no site-packages
    sealed.edit(*CUT)
    harmed = run_offline(sealed.folder, python=("-S",))

    assert (sound.returncode, harmed.returncode) == (3, 1)
    assert "signatures are NOT checked" in sound.stdout
    assert "journal_cut" in harmed.stdout


def test_the_command_names_the_fault_and_hands_out_the_verifier(sealed: Sealed, tmp_path: Path) -> None:
    sealed.edit(*CUT)
    command = [sys.executable, "run_line.py", "verify", "--station", "rail-03", "--checkpoints", str(sealed.copy)]

    done = subprocess.run(
        [*command, "--json", "-", "--write-verifier", str(tmp_path / "handed")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(verify_journal.__file__).parents[2],
    )

    assert done.returncode == 1, done.stderr
    assert "journal_cut" in {row["fault"] for row in json.loads(done.stdout)["rows"]}
    handed = (tmp_path / "handed" / "verify_journal.py").read_bytes()
    assert handed == Path(verify_journal.__file__).read_bytes()


def test_a_journal_of_many_files_is_one_chain(folder: Path, tmp_path: Path) -> None:
    line = Sealed(folder, copy=tmp_path / "elsewhere")
    line.write(*a_day(), rows_per_file=5)
    line.sign()
    assert line.found() == line.found_offline() == set()

    line.edit("UPDATE journal SET slot = 77 WHERE seq = 7", file="000002.sqlite")

    assert line.found() == line.found_offline() == {("journal", "hash_broken")}
    shutil.move(folder / "journal" / "000003.sqlite", tmp_path)
    assert ("checkpoints", "journal_cut") in line.found() & line.found_offline()
    (folder / "journal" / "000001.sqlite").unlink()
    assert ("journal", "seq_hole") in line.found() & line.found_offline()


def test_a_picture_gone_or_changed_is_found_offline(folder: Path, tmp_path: Path) -> None:
    line = Stopped(folder)
    line.write(sound_rows())
    line.project()
    assert Sealed(folder, copy=tmp_path / "elsewhere").found_offline(with_copy=False) == set()

    line.image(CROP).unlink()
    line.image(MASK).write_bytes(CROP)

    found = Sealed(folder, copy=tmp_path / "elsewhere").found_offline(with_copy=False)
    assert found == {("images", "image_missing"), ("images", "image_corrupt")}


def test_a_key_handed_over_at_the_door_shows_a_whole_folder_replaced(sealed: Sealed, tmp_path: Path) -> None:
    known = tmp_path / "known.pub"
    shutil.copy(sealed.keys.public_files()[0], known)
    sign_with_a_key_of_ones_own(sealed)

    assert offline(sealed.folder)["ok"]  # the broken twin: a key is believed at its word
    found = offline(sealed.folder, "--key", str(known))["rows"]
    assert found[0]["fault"] == "key_foreign"
