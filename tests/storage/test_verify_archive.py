"""What became of archived files is named by `linectl verify`, and by the one file that needs only Python."""

import json
import lzma
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.archive import archived_files
from tests.storage.archived import archive
from tests.storage.sealed import Sealed, a_day


@pytest.fixture
def sealed(folder: Path, tmp_path: Path) -> Sealed:
    """12 rows in 6 files, signed; the first three are archived."""
    line = Sealed(folder, copy=tmp_path / "elsewhere")
    line.write(*a_day(), rows_per_file=2)
    line.sign()
    archive(folder)
    assert [each.number for each in archived_files(folder / "journal")] == [1, 2, 3]
    return line


def found(line: Sealed) -> set[tuple[str, str]]:
    ours = ("journal", "archive", "checkpoints", "copy")
    return {(each.store, each.fault.value) for each in line.verify().rows if each.store in ours}


def place(line: Sealed, name: str) -> Path:
    return line.folder / "journal" / "archive" / name


def repacked(line: Sealed, *statements: str) -> None:
    """File 2 unpacked, edited and packed again; its manifest as it was."""
    packed, plain = place(line, "000002.sqlite.xz"), place(line, "edited.sqlite")
    plain.write_bytes(lzma.decompress(packed.read_bytes()))
    connection = sqlite3.connect(plain)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    packed.write_bytes(lzma.compress(plain.read_bytes()))
    plain.unlink()


def vouched_for(line: Sealed) -> None:
    """Whoever changed the packed file states it in the manifest too."""
    from storage.archive import sha256_of_file

    packed, manifest = place(line, "000002.sqlite.xz"), place(line, "000002.json")
    plain = lzma.decompress(packed.read_bytes())
    import hashlib

    said = json.loads(manifest.read_text())
    said |= {"packed_sha256": sha256_of_file(packed), "plain_sha256": hashlib.sha256(plain).hexdigest()}
    manifest.write_text(json.dumps(said | {"packed_bytes": packed.stat().st_size, "plain_bytes": len(plain)}))


def test_a_sound_archive_has_no_fault(sealed: Sealed) -> None:
    assert found(sealed) == set()
    assert sealed.found_offline() == set()


def gone(line: Sealed) -> None:
    place(line, "000002.sqlite.xz").unlink()


def gone_with_its_manifest(line: Sealed) -> None:
    for path in line.folder.glob("journal/archive/000002.*"):
        path.unlink()


def cut(line: Sealed) -> None:
    packed = place(line, "000002.sqlite.xz")
    packed.write_bytes(packed.read_bytes()[:-30])


def another(line: Sealed) -> None:
    shutil.copy(place(line, "000001.sqlite.xz"), place(line, "000002.sqlite.xz"))


def edited(line: Sealed) -> None:
    repacked(line, "UPDATE journal SET slot = 77 WHERE seq = 3")


def edited_and_vouched_for(line: Sealed) -> None:
    edited(line)
    vouched_for(line)


def no_manifest(line: Sealed) -> None:
    place(line, "000002.json").write_text("{")


def facts_gone(line: Sealed) -> None:
    place(line, "000001.facts.sqlite").unlink()


def facts_edited(line: Sealed) -> None:
    """A start of the line would not know of this run; the manifest states the new hash."""
    from storage.archive import sha256_of_file

    facts, manifest = place(line, "000001.facts.sqlite"), place(line, "000001.json")
    connection = sqlite3.connect(facts)
    connection.execute("DROP TRIGGER journal_stays")
    connection.execute("DELETE FROM journal")
    connection.commit()
    connection.close()
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"facts_sha256": sha256_of_file(facts)}))


def range_edited(line: Sealed) -> None:
    manifest = place(line, "000001.json")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"head": "ab" * 32}))


@pytest.mark.parametrize(
    ("harm", "ours", "theirs"),
    [
        pytest.param(gone, ("archive", "archive_missing"), ("journal", "journal_unreadable"), id="gone"),
        pytest.param(
            gone_with_its_manifest, ("archive", "archive_missing"), ("journal", "seq_hole"), id="gone-with-its-manifest"
        ),
        pytest.param(cut, ("archive", "archive_changed"), ("journal", "journal_unreadable"), id="cut"),
        pytest.param(another, ("archive", "archive_changed"), ("journal", "seq_hole"), id="another-file"),
        pytest.param(edited, ("archive", "archive_changed"), ("journal", "hash_broken"), id="edited"),
        pytest.param(
            edited_and_vouched_for, ("journal", "hash_broken"), ("journal", "hash_broken"), id="edited-and-vouched-for"
        ),
        pytest.param(no_manifest, ("archive", "archive_changed"), ("journal", "journal_unreadable"), id="no-manifest"),
        pytest.param(facts_gone, ("archive", "archive_missing"), None, id="facts-gone"),
        pytest.param(facts_edited, ("archive", "archive_changed"), None, id="facts-edited"),
        pytest.param(range_edited, ("archive", "archive_changed"), None, id="manifest-edited"),
    ],
)
def test_what_was_changed_is_named(
    sealed: Sealed, harm: Callable[[Sealed], None], ours: tuple[str, str], theirs: tuple[str, str] | None
) -> None:
    harm(sealed)

    assert ours in found(sealed)
    assert (theirs in sealed.found_offline()) if theirs else True
