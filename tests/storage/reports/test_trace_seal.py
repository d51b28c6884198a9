"""A part's page names the checkpoint that seals it, and none that does not."""

from pathlib import Path

import pytest

import storage.proof.check
from storage.aside import set_aside_damaged
from storage.journal import open_journal
from storage.proof.checkpoints import CHECKPOINTS_FILE, CheckpointFile
from storage.proof.keys import KeyFolder
from storage.reader import JournalReader
from storage.reports.page import Gap
from tests.storage.builders import an_alarm
from tests.storage.lines import Line, sound_rows
from tests.storage.reports.pages import table, the_facts
from tests.storage.reports.test_report_trace import traced
from tests.storage.test_journal import edit

LAST = 7  # row of part 2


@pytest.fixture
def line(folder: Path) -> Line:
    line = Line(folder)
    line.write([*sound_rows(), an_alarm()])
    line.project()
    return line


def sign(line: Line, size: int, *, head: bytes | None = None) -> None:
    with JournalReader(line.folder) as reader:
        found = reader.rows(size - 1, 1)[0].hash
    key = KeyFolder(line.folder, "rail-03").signing()
    CheckpointFile(line.folder, "rail-03").add(key, size=size, head=head or found, at=1_790_000_000_000_000_000)


def gaps(line: Line) -> list[str]:
    return [part.title for part in traced(line).parts if isinstance(part, Gap)]


def test_the_first_checkpoint_behind_the_part_seals_it(line: Line) -> None:
    for size in (LAST - 1, LAST + 1, 13):
        sign(line, size)

    page = traced(line)

    assert the_facts(page)["signed"] == "checkpoint 2"
    assert {row["fact"]: row["value"] for row in table(page, "Signed")}["rows that it counts"] == str(LAST + 1)


def test_a_later_checkpoint_changes_nothing(line: Line) -> None:
    sign(line, LAST + 1)
    before = traced(line)
    with open_journal(line.folder) as journal:
        journal.append([an_alarm("line.held")])
    sign(line, 14)

    assert traced(line) == before


def test_a_checkpoint_before_the_parts_last_row_seals_nothing(line: Line) -> None:
    sign(line, LAST - 1)

    assert the_facts(traced(line))["signed"] is None
    assert gaps(line) == ["The head is not signed"]


def test_a_checkpoint_whose_row_was_set_aside_is_passed_over(line: Line) -> None:
    """It counts rows of the part, and no longer proves any: the next one does."""
    sign(line, LAST + 3)
    edit(line.folder / "journal" / "000001.sqlite", f"UPDATE journal SET slot = 99 WHERE seq = {LAST + 2}")
    assert set_aside_damaged(line.folder) is not None
    line.project()
    assert gaps(line) == ["The head is not signed"]

    with JournalReader(line.folder) as reader:
        behind = reader.last_seq()
    sign(line, behind)

    assert the_facts(traced(line))["signed"] == "checkpoint 2"


def test_a_checkpoint_of_another_journal_is_named(line: Line) -> None:
    sign(line, LAST + 1, head=bytes(32))

    assert gaps(line) == ["The journal is not the one that was signed"]


def test_a_forged_checkpoint_seals_nothing_and_would_without_its_signature(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(line, LAST - 1)
    path = line.folder / "journal" / CHECKPOINTS_FILE
    size = f'"size":{LAST - 1}'.encode()
    with JournalReader(line.folder) as reader:
        heads = [reader.rows(at - 1, 1)[0].hash.hex().encode() for at in (LAST - 1, LAST + 1)]
    forged = path.read_bytes().replace(size, f'"size":{LAST + 1}'.encode()).replace(heads[0], heads[1])
    assert forged != path.read_bytes()
    path.write_bytes(forged)

    assert the_facts(traced(line))["signed"] is None
    monkeypatch.setattr(storage.proof.check, "is_signed", lambda *_: True)
    assert the_facts(traced(line))["signed"] == "checkpoint 1"
