"""The counts of a run are those of its own triggers, after corrections."""

from pathlib import Path

from monitor.messages import Outcome, Reason
from storage.counts import count_run
from storage.journal import SqliteJournal
from tests.storage.builders import a_correction, a_png, a_run, a_verdict


def test_count_run(journal: SqliteJournal, folder: Path) -> None:
    png = a_png()
    journal.append([a_run("old", first_slots={"head": 1}), a_verdict(1, run="old"), a_verdict(2, run="old")])
    journal.append([a_run("new", first_slots={"head": 4})])
    journal.append([a_verdict(3, Outcome.NOT_INSPECTED, Reason.RECOVERED, run="new", epoch=0)])
    journal.append([a_verdict(4, run="new"), a_verdict(5, Outcome.REJECT, run="new", picture=png)])
    journal.append([a_verdict(6, Outcome.NOT_INSPECTED, Reason.RECOVERED, run="new", epoch=0)])
    journal.append([a_verdict(7, Outcome.NOT_INSPECTED, Reason.DARK, run="new")])
    journal.append([a_correction(4, 6, run="new"), a_correction(2, 3, run="new")])

    counts = count_run(folder, "new")

    assert (counts.outcomes[Outcome.PASS], counts.outcomes[Outcome.REJECT]) == (0, 1)
    assert (counts.recovered, counts.late) == (1, 1)  # the older part was not ours
    assert dict(counts.reasons) == {"late": 1, "recovered": 1, "dark": 1}
    assert counts.triggers == 4
    assert list(counts.inference_ms) == [40.0, 40.0]
    assert list(counts.capture_to_verdict_ms) == [55.0, 55.0]
    assert counts.pictures == 1


def test_a_run_that_never_was_counts_nothing(folder: Path) -> None:
    assert count_run(folder, "none").triggers == 0
