"""`verify` holds the labels of the audit store against those of the journal."""

from pathlib import Path

import pytest

import storage.verify_stores
from monitor.label_book import labelled
from storage.verify import Report
from tests.storage.lines import Line, faults, sound_rows
from tests.storage.test_labels import a_saying


@pytest.fixture
def line(folder: Path) -> Line:
    """A label of part 2 in row 13, once more in row 15, and one of part 1 between."""
    line = Line(folder)
    line.write([*sound_rows(), labelled(a_saying()), labelled(a_saying(1, "dent", id_="1")), labelled(a_saying())])
    line.project()
    return line


def test_labels_that_agree_are_counted(line: Line) -> None:
    report = line.verify()

    assert faults(report) == []
    assert report.checked["labels"] == 2


EDITS = [
    pytest.param("UPDATE label SET label = 'good' WHERE seq = 13", "row_differs", id="another-label"),
    pytest.param("UPDATE label SET reviewer = 'ben' WHERE seq = 13", "row_differs", id="another-reviewer"),
    pytest.param("UPDATE label SET frame = NULL WHERE seq = 13", "row_differs", id="another-thing"),
    pytest.param("DELETE FROM label WHERE seq = 13", "row_missing", id="gone"),
    pytest.param("UPDATE label SET seq = 12, id = 'x' WHERE seq = 13", "row_unknown", id="of-no-row"),
]


@pytest.mark.parametrize(("edit", "fault"), EDITS)
def test_an_edited_label_is_found(line: Line, edit: str, fault: str) -> None:
    line.audit(edit)

    report: Report = line.verify()

    assert ("audit", fault) in faults(report)


@pytest.mark.parametrize(("edit", "fault"), EDITS[:1])
def test_without_that_check_it_would_pass(line: Line, edit: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""
    monkeypatch.setattr(storage.verify_stores, "_label_faults", lambda *_: iter(()))
    line.audit(edit)

    assert faults(line.verify()) == []
