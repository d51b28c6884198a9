"""Each fault of journal, source and gate has a line that shows it, and a sound line shows none."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.messages import Outcome
from monitor.rows import Entry
from storage import chain
from storage.faults import Fault
from storage.journal import open_journal
from storage.proof.check import NO_SECOND_PLACE
from storage.reader import JournalReader
from tests.storage.builders import a_correction, a_person, a_run, a_verdict, an_actuated
from tests.storage.conftest import Valkey
from tests.storage.lines import PARTS, Line, faults, sound_rows


@pytest.fixture
def line(folder: Path) -> Line:
    return Line(folder)


def test_a_sound_line_has_no_fault(line: Line, valkey: Valkey) -> None:
    line.write(sound_rows(), torn='{"slot": 6, "ga')
    line.project(valkey)

    report = line.verify(valkey.url)

    assert report.rows == []
    assert report.ok
    assert report.checked == {
        "rows": 12,
        "verdicts": 5,
        "corrections": 1,
        "actuated": 5,
        "runs": 1,
        "triggers": 5,
        "running": "no",
        "audit": 5,
        "images": 3,
        "live": 6,
        "checkpoints": 0,
        "unsigned_rows": 12,
        "second_place": NO_SECOND_PLACE,
    }


def test_an_empty_state_has_no_fault(line: Line) -> None:
    assert line.verify().ok


def test_what_was_never_projected_is_no_fault_while_the_line_runs(line: Line) -> None:
    line.write(sound_rows())
    lock = os.open(line.folder / "lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)

    assert line.verify().checked["running"] == "yes"
    assert line.verify().ok
    os.close(lock)
    assert faults(line.verify()) == [("audit", "store_behind"), ("images", "store_behind")]


def test_what_people_did_while_the_line_stood_is_no_fault(line: Line) -> None:
    line.write(sound_rows())
    line.project()
    with open_journal(line.folder) as journal:
        journal.append([a_person()])
        assert line.verify().ok
        journal.append([a_verdict(9, Outcome.REJECT), a_person()])  # the twin: a verdict among them

    assert ("audit", "store_behind") in faults(line.verify())


def test_a_line_killed_and_not_started_again_leaves_its_last_parts_open(line: Line) -> None:
    line.write([*sound_rows(), a_verdict(6)])  # passed, and died before the gate
    line.project()

    report = line.verify()

    assert report.ok
    assert report.checked["unconfirmed"] == 1
    assert report.checked["ahead_of_source"] == 1


def rows_with(*more: Entry, without: int | None = None) -> list[Entry]:
    rows = [row for at, row in enumerate(sound_rows()) if at != without]
    return [*rows, *more]


A_START = a_run("run-2", first_slots={"head": 7})


@pytest.mark.parametrize(
    ("rows", "parts", "expected"),
    [
        pytest.param(rows_with(), PARTS | {6: "rejected"}, [("journal", "trigger_without_verdict")], id="no-verdict"),
        pytest.param(
            rows_with(),
            PARTS | {6: "released"},
            [("gate", "released_uninspected"), ("journal", "trigger_without_verdict")],
            id="released-without-verdict",
        ),
        pytest.param(
            rows_with(a_verdict(6, Outcome.REJECT), A_START),
            PARTS,
            [("source", "verdict_without_trigger")],
            id="no-trigger",
        ),
        pytest.param(
            rows_with(),
            PARTS | {7: "rejected"},
            [("journal", "trigger_without_verdict"), ("source", "slot_skipped")],
            id="slot-skipped",
        ),
        pytest.param(
            rows_with(a_verdict(5, Outcome.REJECT, epoch=2)), PARTS, [("journal", "verdict_twice")], id="verdict-twice"
        ),
        pytest.param(
            rows_with(),
            PARTS | {2: "released"},
            [("gate", "gate_differs"), ("gate", "released_rejected")],
            id="released-rejected",
        ),
        pytest.param(
            rows_with(),
            PARTS | {3: "released"},
            [("gate", "gate_differs"), ("gate", "released_uninspected")],
            id="released-uninspected",
        ),
        pytest.param(
            rows_with(),
            PARTS | {4: "released"},
            [("gate", "gate_differs"), ("gate", "released_uninspected")],
            id="released-though-corrected",
        ),
        pytest.param(
            rows_with(an_actuated(6), a_verdict(6)),
            PARTS | {6: "released"},
            [("gate", "released_before_durable")],
            id="released-before-durable",
        ),
        pytest.param(rows_with(without=9), PARTS, [("gate", "pass_rejected")], id="rejected-and-not-corrected"),
        pytest.param(
            rows_with(a_verdict(6), A_START), PARTS | {6: "rejected"}, [("gate", "pass_unconfirmed")], id="unconfirmed"
        ),
        pytest.param(
            rows_with(a_correction(5, 2)), PARTS, [("journal", "correction_dangling")], id="correction-of-another-frame"
        ),
        pytest.param(
            rows_with(a_verdict(6, Outcome.NOT_INSPECTED)),
            PARTS | {6: "rejected"},
            [("journal", "trigger_without_verdict"), ("journal", "verdict_malformed")],
            id="no-reason",
        ),
    ],
)
def test_a_line_that_erred(
    line: Line, rows: list[Entry], parts: dict[int, str], expected: list[tuple[str, str]]
) -> None:
    line.write(rows, parts=parts)
    line.project()

    found = [each for each in faults(line.verify()) if each[0] != "audit"]

    assert found == expected


def test_a_row_edited_with_a_hash_of_its_own_breaks_the_next(line: Line) -> None:
    line.write(sound_rows())
    line.project()
    with JournalReader(line.folder) as reader:
        rows = reader.lines(0)
    forged = rows[2]._replace(reason="dark", outcome="NOT_INSPECTED")
    digest = chain.row_hash(chain.hash_of(rows[1]), forged[:7]).hex()
    line.journal(f"UPDATE journal SET outcome='NOT_INSPECTED', reason='dark', hash=x'{digest}' WHERE seq = 3")

    found = [finding for finding in line.verify().rows if finding.fault is Fault.HASH_BROKEN]

    assert [finding.frame for finding in found] == ["row 4"]


def test_without_the_chain_an_edit_is_not_found(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the same edit, and nobody looks at the hashes."""

    def nobody_looks(lines: Iterator[chain.Line], **_: object) -> Iterator[chain.ChainFault]:
        for _line in lines:
            pass
        return iter(())

    line.write(sound_rows())
    line.project()
    line.journal("UPDATE journal SET body = replace(body, '0.9', '0.1') WHERE seq = 3")
    assert faults(line.verify()) == [("journal", "hash_broken")]

    monkeypatch.setattr(chain, "faults", nobody_looks)

    assert line.verify().ok


def test_every_word_is_shown_by_a_test() -> None:
    names = (
        "test_verify.py",
        "test_verify_stores.py",
        "test_proof_tampering.py",
        "test_keys.py",
        "test_retention_verify.py",
        "test_damaged_journal.py",
        "test_verify_archive.py",
    )
    tests = [Path(__file__).with_name(name) for name in names]
    text = "".join(path.read_text(encoding="utf-8") for path in tests)

    assert [fault.value for fault in Fault if f'"{fault.value}"' not in text] == []
