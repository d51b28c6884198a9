"""What the policy keeps no longer goes, by a row that stays; what anybody still has a claim to does not."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import storage.retention
from config.retention import Retention
from monitor.messages import Outcome
from storage import commands
from storage.audit import AuditStore, open_audit
from storage.database import audit_url
from storage.images import ImageStore
from storage.journal import open_journal
from storage.legal_holds import NoSuchHold, lift_hold, list_holds, place_hold
from storage.questions import Question
from storage.reader import JournalReader
from storage.retention import NothingKept, apply, would_purge
from storage.standing import bring_up
from tests.storage.builders import a_correction, a_png, a_region, a_verdict, sha256_of
from tests.storage.kept import (
    AUTHOR,
    CROP,
    DARK,
    MASK,
    PASSED,
    REJECTED,
    STATION,
    YOUNG,
    KeptLine,
    a_year,
    days_ago,
    named,
    purged,
)


@pytest.fixture
def line(folder: Path) -> KeptLine:
    return KeptLine(folder).write(*a_year())


@pytest.fixture
def line_of_each(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> KeptLine:
    """With its audit store in each kind of database."""
    monkeypatch.setenv("LINE_AUDIT_URL", url)
    return KeptLine(folder).write(*a_year())


def test_what_is_over_goes_and_its_row_stays(line_of_each: KeptLine) -> None:
    line = line_of_each
    applied = line.apply()

    (body,) = purged(line)
    assert set(body.pictures) == named(PASSED, REJECTED, CROP)
    assert (body.by, body.why, body.policy) == ("kim", "yearly", STATION.retention.model_dump())
    assert (applied.pictures, [purge.seq for purge in applied.purges]) == (3, [7])
    assert line.is_here(PASSED, REJECTED, CROP) == [False, False, False]
    assert line.is_here(DARK, YOUNG, MASK) == [True, True, True]
    assert line.apply().purges == []


def test_sql_says_which_have_expired(line_of_each: KeptLine) -> None:
    line_of_each.apply()

    store = open_audit(line_of_each.folder, "rail-03")
    assert store is not None
    crops = {found.slot: (found.crops, found.crops_expired_at) for found in store.history(Question())}
    expired = store.pictures.expired([(2, sha256_of(CROP)), (2, sha256_of(MASK)), (6, sha256_of(YOUNG))])
    store.close()
    (body,) = purged(line_of_each)
    assert crops[2] == ((sha256_of(CROP),), body.at)
    assert crops[5] == ((), None)
    assert {key: tuple(tombstone) for key, tombstone in expired.items()} == {(2, sha256_of(CROP)): (7, body.at)}


def test_history_says_it_in_place_of_the_crops(line: KeptLine) -> None:
    (before,) = history()
    line.apply()
    (after,) = history()

    assert before["crops"] == after["crops"] == [sha256_of(CROP)]
    assert before["crops_expired_at"] is None
    assert after["crops_expired_at"].endswith("Z")
    shown = (
        CliRunner()
        .invoke(commands.app, ["history", "--station", "rail-03", "--slot", "2"], env={"COLUMNS": "300"})
        .stdout
    )
    assert f"evidence expired {after['crops_expired_at'][:10]}" in shown


def history() -> list[dict[str, Any]]:
    """Of slot 2."""
    ended = CliRunner().invoke(commands.app, ["history", "--station", "rail-03", "--slot", "2", "--json", "-"])
    rows: list[dict[str, Any]] = json.loads(ended.stdout[ended.stdout.index("{") :])["rows"]
    return rows


def test_a_dry_run_says_the_same_and_changes_nothing(line: KeptLine) -> None:
    before = line.last_seq()

    would = would_purge(STATION, AUTHOR)

    assert [(purge.seq, set(purge.pictures)) for purge in would.purges] == [(None, named(PASSED, REJECTED, CROP))]
    assert line.last_seq() == before
    assert line.is_here(PASSED) == [True]


def test_a_picture_of_two_verdicts_goes_with_the_younger(line: KeptLine) -> None:
    line.apply()
    kept = line.is_here(MASK)

    shorter = STATION.model_copy(update={"retention": STATION.retention.model_copy(update={"reject_days": 45})})
    apply(shorter, AUTHOR)

    assert (kept, line.is_here(MASK)) == ([True], [False])


def test_without_looking_at_other_verdicts_it_would_go_with_the_first(
    line: KeptLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr("storage.retention_questions.Pictures.youngest", lambda *_: [])

    line.apply()

    assert line.is_here(MASK) == [False]


def test_a_correction_changes_how_long(line: KeptLine) -> None:
    line.write(a_correction(1, 5))  # the PASS came too late: nobody inspected that part

    line.apply()

    assert line.is_here(PASSED, REJECTED) == [True, False]


@pytest.mark.parametrize(
    "hold",
    [
        pytest.param({"slot": 2, "since": None, "until": None}, id="part"),
        pytest.param({"slot": None, "since": days_ago(101), "until": days_ago(99)}, id="period"),
        pytest.param({"slot": None, "since": None, "until": days_ago(60)}, id="until"),
    ],
)
def test_a_hold_keeps_what_it_covers_until_it_is_lifted(line: KeptLine, hold: dict[str, int | None]) -> None:
    _, placed = place_hold(STATION, **hold, who="ann", why="claim 7")
    line.apply()
    held = line.is_here(REJECTED, CROP, PASSED)
    (row,) = list_holds(line.folder)

    lift_hold(STATION, placed.id[:6], who="ann", why="settled")
    line.apply()

    assert held == [True, True, False]
    assert (row[1].who, row[1].why, row[1].hold) == ("ann", "claim 7", placed)
    assert line.is_here(REJECTED, CROP, PASSED) == [False, False, False]
    assert list_holds(line.folder) == []
    with pytest.raises(NoSuchHold, match="0 holds"):
        lift_hold(STATION, placed.id, who="ann", why="")


def test_a_picture_that_came_back_is_kept_for_the_one_that_brought_it(line: KeptLine) -> None:
    line.apply()

    line.write(a_verdict(6, Outcome.REJECT, at=days_ago(0), picture=REJECTED))

    assert line.is_here(REJECTED) == [True]
    assert line.apply().purges == []
    assert line.is_here(REJECTED) == [True]


def come_back(line: KeptLine, *forgotten: str) -> None:
    """A purged picture is named anew; then the store takes in every row once more, one by one, without these notes."""
    line.apply()
    line.write(a_verdict(6, Outcome.REJECT, at=days_ago(0), picture=REJECTED))  # the journal has no copy any more
    for name in forgotten:
        (line.folder / "images" / name).unlink()
    with JournalReader(line.folder) as reader:
        images = ImageStore(line.folder, reader.attachment)
        images.open()
        at = images.cursor()
        for row in reader.rows(0 if at is None else at.seq):
            images.project([row])


@pytest.mark.parametrize("forgotten", ["cursor.json", "purged.json"])
def test_a_store_that_begins_anew_deletes_nothing_that_is_named_since(line: KeptLine, forgotten: str) -> None:
    come_back(line, forgotten)

    assert line.is_here(REJECTED, CROP, YOUNG) == [True, False, True]


def test_without_the_note_of_what_was_obeyed_it_would(line: KeptLine) -> None:
    """The twin: every tombstone is obeyed again."""
    come_back(line, "cursor.json", "purged.json")

    assert line.is_here(REJECTED) == [False]


@pytest.fixture
def half_deleted(line: KeptLine, monkeypatch: pytest.MonkeyPatch) -> KeptLine:
    """The process dies when one picture of the tombstone is deleted, and two are not."""
    deleted = 0

    def unlink(path: Path, *, missing_ok: bool = False) -> None:
        nonlocal deleted
        deleted += 1
        if deleted > 1:
            raise KeyboardInterrupt
        path.with_suffix(".png").rename(path.parent.parent.parent / "deleted.png")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        with pytest.raises(KeyboardInterrupt):
            line.apply()
    return line


def test_a_purge_that_was_cut_short_is_finished_by_whoever_projects_next(half_deleted: KeptLine) -> None:
    line = half_deleted
    before = line.is_here(PASSED, REJECTED, CROP).count(True)

    line.project()

    assert before == 2
    assert line.is_here(PASSED, REJECTED, CROP) == [False, False, False]
    assert line.apply().purges == []


def test_rows_are_bounded_and_a_sweep_goes_on_where_the_last_ended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.retention, "PURGED_MOST", 2)
    monkeypatch.setattr(storage.retention, "SWEEP_MOST", 3)
    monkeypatch.setattr("storage.retention_questions.PAGE_ROWS", 2)
    pngs = [a_png(n) for n in range(20, 29)]
    line = KeptLine(folder)
    with open_journal(folder) as journal:
        for n, png in enumerate(pngs):
            verdict = a_verdict(n, at=days_ago(40 + n), regions=(a_region(1.0, a_png(99)),), picture=png)
            journal.append([verdict], {sha256_of(png): png, sha256_of(a_png(99)): a_png(99)})
    line.project()

    applied = line.apply()

    purges = [purge.pictures for purge in applied.purges]
    assert {len(purge) for purge in purges} <= {1, 2}
    assert sorted(sha256 for purge in purges for sha256 in purge) == sorted(named(*pngs, a_png(99)))
    assert line.images.count() == 0


def test_a_line_without_a_verdict_says_so(folder: Path) -> None:
    with pytest.raises(NothingKept, match="run the line first"):
        would_purge(STATION, AUTHOR)


def test_where_everything_is_kept_for_ever_nothing_is_due(line: KeptLine) -> None:
    for_ever = Retention(pass_days=0, reject_days=0, grey_days=0, not_inspected_days=0)

    assert apply(STATION.model_copy(update={"retention": for_ever}), AUTHOR).purges == []


def test_counts_say_how_much_is_kept_and_how_much_is_over(line_of_each: KeptLine) -> None:
    store = AuditStore(audit_url(line_of_each.folder), "rail-03")

    counts = store.pictures.count(STATION.retention, time.time_ns())

    store.close()
    assert counts == {"pass_days": (2, 1), "reject_days": (4, 3), "not_inspected_days": (1, 0)}


def test_a_store_that_was_made_anew_knows_what_has_expired(line: KeptLine) -> None:
    line.apply()
    (line.folder / "audit.sqlite").unlink()

    assert bring_up(STATION, line.folder) == ""

    assert line.apply().purges == []
    assert ImageStore(line.folder).count() == 3
