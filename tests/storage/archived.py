"""A journal of many small files, and its archive."""

from pathlib import Path
from typing import Any

from storage.archiver import Archiver
from storage.chain import GENESIS, first_fault
from storage.journal import journal_files, open_journal
from storage.reader import JournalReader
from tests.storage.builders import a_frame, a_person, a_run, a_verdict, an_actuated, an_alarm

ROWS = 10  # a file
FILES = 6


def archive(folder: Path, *, keep_files: int = 2, allowed: int = 1_000_000) -> None:
    """What the thread does when it looks."""
    archiver = Archiver(folder, keep_files, keep_rows=0, rest=0.0)
    archiver.allow(allowed)
    archiver.archive()


def fill(folder: Path) -> Path:
    """Six files: two runs, alarms, people, two cameras, one of which was seen in the first file only."""
    with open_journal(folder, rows_per_file=ROWS) as journal:
        journal.append([a_run("run-1", first_slots={"head": 1})])
        journal.append([a_verdict(1, camera="web", epoch=3)])
        for slot in range(1, 26):
            journal.append([a_verdict(slot, epoch=1 + slot // 10)])
            journal.append([an_actuated(slot)])
            if slot == 12:
                journal.append([a_run("run-2"), an_alarm(), a_person()])
    return folder


def names(folder: Path) -> list[str]:
    return [path.name for path in journal_files(folder / "journal")]


def everything(folder: Path) -> dict[str, Any]:
    """All that a reader can be asked."""
    with JournalReader(folder) as reader:
        frames = [a_frame(1, "web", 3), *(a_frame(slot, epoch=1 + slot // 10) for slot in (1, 9, 10, 25, 999))]
        return {
            "lines": list(reader.all_lines()),
            "one": reader.rows(3, 1),
            "across": reader.rows(8, 5),
            "head": reader.head(),
            "runs": reader.runs(),
            "alarms": reader.alarms_and_people(),
            "labels": reader.labels(),
            "slots": reader.last_slots(("head", "web", "none")),
            "missing": reader.missing_slots(),
            "parts": reader.open_parts(),
            "verdicts": [reader.verdict(frame) for frame in frames],
            "shown": [reader.shown_from(upto, 12) for upto in (5, 30, 55)],
        }


def is_whole(folder: Path, rows: int) -> bool:
    with JournalReader(folder) as reader:
        lines = list(reader.all_lines())
    return len(lines) == rows and first_fault(lines, after=0, previous=GENESIS) is None
