"""Journals that were harmed: 150 parts over three files, signed, and whatever may happen to files."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.journal import open_journal
from tests.storage.builders import a_png, a_verdict, sha256_of
from tests.storage.sealed import Sealed
from tests.storage.test_journal import edit

ROWS, ROWS_PER_FILE = 150, 50  # three files of some 20 pages
Harm = Callable[[Path], object]


def a_sealed_line(place: Path) -> Path:
    """The state folder of a line, signed in the middle and at the end, here and in `elsewhere` beside it."""
    folder = place / "rail-03"
    folder.mkdir()
    line = Sealed(folder, copy=place / "elsewhere")
    rows = [a_verdict(slot) for slot in range(1, ROWS + 1)]
    for part in (rows[: ROWS // 2], rows[ROWS // 2 :]):
        with open_journal(folder, rows_per_file=ROWS_PER_FILE) as journal:
            for row in part:
                journal.append([row], {sha256_of(a_png(row.slot or 0)): a_png(row.slot or 0)})
        line.sign()
    return place


def copied(place: Path, folder: Path) -> Sealed:
    """The same in a folder of the test's own: to write 150 rows takes longer than most tests."""
    shutil.copytree(place, folder.parent, dirs_exist_ok=True)
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


def gone(*names: str) -> Harm:
    def harm(journal: Path) -> None:
        for name in names:
            (journal / name).unlink()

    return harm


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
    pytest.param(gone("000002.sqlite"), "000003.sqlite", id="row-69-file-gone"),
    pytest.param(gone("000001.sqlite", "000002.sqlite", "000003.sqlite"), "000001.sqlite", id="row-69-all-gone"),
]
