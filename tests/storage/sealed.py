"""A line that was signed as it went on, and the two ways to verify it."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from config.loader import load_station
from monitor.rows import Entry
from storage.commands import VERIFIER
from storage.journal import open_journal
from storage.proof.checkpoints import CHECKPOINTS_FILE, CheckpointFile, copy_proof
from storage.proof.keys import KeyFolder
from storage.verify import Report, verify
from tests.storage.builders import a_run, a_verdict, an_actuated
from tests.storage.test_journal import edit

RAIL_03 = load_station("rail-03")
CUT = ("DELETE FROM journal WHERE seq > 9",)


class Sealed:
    """The state folder of a station, its second place, and a folder to check from."""

    def __init__(self, folder: Path, *, copy: Path) -> None:
        self.folder, self.copy = folder, copy
        self.keys, self.checkpoints = KeyFolder(folder, "rail-03"), CheckpointFile(folder, "rail-03")
        copy.mkdir(parents=True, exist_ok=True)

    def write(self, *entries: Entry, rows_per_file: int = 1000) -> None:
        with open_journal(self.folder, rows_per_file=rows_per_file) as journal:
            for entry in entries:
                journal.append([entry])

    def sign(self, *, copied: bool = True) -> None:
        with open_journal(self.folder) as journal:
            size, head = journal.head()
        self.checkpoints.add(self.keys.signing(), size=size, head=head, at=time.time_ns())
        if copied:
            copy_proof(self.folder, "rail-03", self.copy / "rail-03")

    def edit(self, *statements: str, file: str = "000001.sqlite") -> None:
        edit(self.folder / "journal" / file, *statements)

    def verify(self, *, with_copy: bool = True) -> Report:
        return verify(RAIL_03, None, checkpoints=self.copy if with_copy else None)

    def found(self, *, with_copy: bool = True) -> set[tuple[str, str]]:
        """What `linectl verify` finds of chain and proof; these journals have no stores and no source."""
        ours = ("journal", "checkpoints", "copy")
        rows = self.verify(with_copy=with_copy).rows
        return {(each.store, each.fault.value) for each in rows if each.store in ours} - UNRELATED

    def found_offline(self, *, with_copy: bool = True) -> set[tuple[str, str]]:
        """What the one file finds."""
        options = ["--checkpoints", str(self.copy)] if with_copy else []
        return {(row["store"], row["fault"]) for row in offline(self.folder, *options)["rows"]}


UNRELATED = {("journal", "row_unreadable"), ("journal", "verdict_malformed"), ("journal", "verdict_twice")}
"""What an edit may do to a row's meaning, besides; the one file does not ask for meanings."""


def offline(folder: Path, *options: str) -> Any:
    """Runs the one file as a process that cannot see this project; what it printed as JSON."""
    return json.loads(run_offline(folder, *options, "--json").stdout)


def run_offline(folder: Path, *options: str, python: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    empty = folder.parent / "empty"
    empty.mkdir(exist_ok=True)
    verifier = Path(shutil.copy(VERIFIER, empty))
    command = [sys.executable, "-I", *python, verifier.name, str(folder), *options]
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in (0, 1, 2, 3), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done


def sign_with_a_key_of_ones_own(sealed: Sealed) -> None:
    """A thief without the key makes one, and signs everything anew."""
    shutil.rmtree(sealed.folder / "keys")
    (sealed.folder / "journal" / CHECKPOINTS_FILE).unlink()
    sealed.sign(copied=False)


def signed_twice(folder: Path, copy: Path) -> Sealed:
    """12 rows, signed at 6 and at 12."""
    line = Sealed(folder, copy=copy)
    for rows in (a_day()[:6], a_day()[6:]):
        line.write(*rows)
        line.sign()
    return line


def a_day() -> list[Entry]:
    """12 rows: a start, then parts that passed."""
    rows = [a_run(first_slots={"head": 1}), a_verdict(1)]
    for slot in range(2, 7):
        rows += [an_actuated(slot - 1), a_verdict(slot)]
    return rows
