"""What a starting decision asks of the journal: last slots, holes, and PASSes without the gate's word."""

from pathlib import Path

from monitor.messages import Outcome, Reason
from storage import reader as readers
from storage.journal import SqliteJournal, open_journal
from storage.reader import JournalReader
from tests.storage.builders import a_correction, a_run, a_verdict, an_actuated


def test_an_empty_folder_is_an_empty_journal(folder: Path) -> None:
    with JournalReader(folder) as reader:
        assert reader.rows(0) == []
        assert reader.last_seq() == 0
        assert reader.last_slots(["head"]) == {}
        assert reader.missing_slots() == {}
        assert reader.open_parts() == {}


def test_pages_join_over_files(folder: Path) -> None:
    with open_journal(folder, rows_per_file=700) as journal:
        for first in range(1, 2101, 100):
            journal.append([a_verdict(slot) for slot in range(first, first + 100)])

    with JournalReader(folder) as reader:
        assert [row.seq for row in reader.rows(650)] == list(range(651, 1651))
        assert [row.seq for row in reader.rows(2090)] == list(range(2091, 2101))
        assert len(list(reader.all_lines())) == 2100


def test_holes_are_what_was_open_when_decision_died(journal: SqliteJournal, folder: Path) -> None:
    journal.append([a_run(first_slots={"head": 1})])
    journal.append([a_verdict(slot) for slot in (2, 3, 6, 5)])

    with JournalReader(folder) as reader:
        assert reader.last_slots() == {"head": 6}
        assert reader.missing_slots() == {"head": [1, 4]}


def test_a_camera_not_seen_lately_is_found(folder: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(readers, "RECENT_ROWS", 20)
    with open_journal(folder, rows_per_file=30) as journal:
        for slot in range(1, 11):
            journal.append([a_verdict(slot, camera="web")])
        for slot in range(1, 61):
            journal.append([a_verdict(slot)])

    with JournalReader(folder) as reader:
        assert reader.last_slots(["head", "web", "foot"]) == {"head": 60, "web": 10}
        assert reader.missing_slots() == {"head": []}


def test_open_parts_are_those_of_which_the_gate_has_said_nothing(journal: SqliteJournal, folder: Path) -> None:
    journal.append([a_run(), *(a_verdict(slot) for slot in (1, 2, 3))])  # seqs 2, 3, 4
    journal.append([a_verdict(4, Outcome.REJECT), a_verdict(5, Outcome.NOT_INSPECTED, Reason.DARK)])
    journal.append([an_actuated(1), a_correction(2, 3)])

    with JournalReader(folder) as reader:
        parts = reader.open_parts()

    assert {slot: [outcome for _, outcome in verdicts] for slot, verdicts in parts.items()} == {
        2: [Outcome.NOT_INSPECTED],
        3: [Outcome.PASS],
        4: [Outcome.REJECT],
        5: [Outcome.NOT_INSPECTED],
    }


def test_a_part_comes_back_with_what_each_camera_said(journal: SqliteJournal, folder: Path) -> None:
    journal.append([a_verdict(1), a_verdict(1, Outcome.REJECT, camera="web"), a_verdict(2)])

    with JournalReader(folder) as reader:
        parts = reader.open_parts()

    assert [[row.frame for row, _ in verdicts] for verdicts in parts.values()] == [
        ["rail-03/head/1/000001", "rail-03/web/1/000001"],
        ["rail-03/head/1/000002"],
    ]


def test_a_verdict_is_found_by_its_frame(journal: SqliteJournal, folder: Path) -> None:
    journal.append([a_verdict(1), a_verdict(2, Outcome.REJECT)])

    with JournalReader(folder) as reader:
        found = reader.verdict("rail-03/head/1/000002")

    assert found is not None
    assert found.outcome is Outcome.REJECT
