"""What was promised survives the loss of everything not synced, at any moment, and a start from there works."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.audit import AuditStore
from storage.journal import open_journal
from tests.storage.conftest import missing
from tests.storage.left import CHECKS
from tests.storage.traces import Traced, traced
from tests.storage.writer import ROWS, ROWS_PER_FILE, a_row

VERSION_1 = Path(__file__).parent / "version_1" / "sqlite.sql"


def trace(strace: str, tmp_path: Path, scenario: str, twin: str = "") -> Traced:
    """The trace of a writer over a state folder, as a start of the line finds it."""
    folder, proof = tmp_path / "rail-03", tmp_path / "proof"
    folder.mkdir(exist_ok=True)
    proof.mkdir(exist_ok=True)
    if scenario == "audit":
        with open_journal(folder) as journal:
            for slot in range(1, ROWS + 1):
                journal.append([a_row(slot)[0]])
        with closing(AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")) as audit:
            audit.cursor()  # makes the tables, in one transaction as a migration
    if scenario == "aside":
        with open_journal(folder, rows_per_file=ROWS_PER_FILE) as journal:
            for slot in range(1, 3 * ROWS_PER_FILE + 1):
                journal.append([a_row(slot)[0]])
        damaged = folder / "journal" / "000002.sqlite"
        damaged.write_bytes(damaged.read_bytes()[:-4096])
    if scenario == "migration":
        with sqlite3.connect(folder / "audit.sqlite") as old:
            old.executescript(VERSION_1.read_text())
        old.close()
    return traced(strace, tmp_path / "trace", (folder, proof), scenario, str(folder), twin)


@pytest.mark.parametrize(
    ("scenario", "sample"),
    [
        pytest.param("journal", 0.3, id="row-68-journal"),
        pytest.param("images", 0.05, id="row-68-images"),
        pytest.param("audit", 0.1, id="row-68-audit"),
        pytest.param("checkpoints", 0.3, id="row-68-checkpoints"),
        pytest.param("counts", 1.0, id="row-68-counts"),
        pytest.param("aside", 0.3, id="row-69-damaged-journal"),
        pytest.param("migration", 0.02, id="row-71-migration"),
    ],
)
def test_a_power_loss_at_any_moment_loses_nothing_promised(
    strace: str, tmp_path: Path, scenario: str, sample: float
) -> None:
    writer = trace(strace, tmp_path, scenario)

    assert list(writer.losses(CHECKS[scenario], sample)) == []
    assert writer.said  # something was promised


@pytest.mark.parametrize(
    ("scenario", "twin"),
    [
        pytest.param("journal", "normal", id="journal-synchronous-normal"),
        pytest.param("journal", "no-folder-sync", id="journal-without-sync-of-the-folder"),
        pytest.param("images", "no-folder-sync", id="images-without-sync-of-the-folder"),
        pytest.param("images", "no-fsync", id="images-without-sync-before-the-rename"),
        pytest.param("images", "cursor-first", id="images-cursor-before-the-pictures"),
        pytest.param("audit", "cursor-first", id="audit-cursor-before-the-rows"),
        pytest.param("checkpoints", "no-fsync", id="checkpoints-without-sync"),
        pytest.param("counts", "no-fsync", id="counts-without-sync"),
        pytest.param("aside", "no-plan", id="damaged-journal-moved-without-a-plan"),
        pytest.param("migration", "no-transaction", id="migration-without-one-transaction"),
    ],
)
def test_without_its_guard_a_power_loss_is_seen(strace: str, tmp_path: Path, scenario: str, twin: str) -> None:
    """The broken twins."""
    writer = trace(strace, tmp_path, scenario, twin)

    assert next(writer.losses(CHECKS[scenario]), None) is not None


@pytest.fixture
def strace() -> str:
    program = shutil.which("strace")
    if program is None:
        missing("strace")
    return str(program)
