"""Row 75: a picture that was purged is no fault; one that is gone without a row, or purged under a hold, is."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from monitor.rows import PurgeBody, VerdictBody, read_body
from storage.audit import open_audit
from storage.images import ImageStore
from storage.legal_holds import lift_hold, place_hold
from storage.reader import JournalReader
from storage.reports.asked import Asked, Options
from storage.reports.page import Photo
from storage.reports.trace import trace
from storage.retention_questions import Pictures
from storage.verify import verify
from tests.storage.builders import sha256_of
from tests.storage.kept import CROP, PASSED, REJECTED, STATION, KeptLine, a_year, days_ago
from tests.storage.lines import faults
from tests.storage.sealed import offline

SLOTS = (1, 2, 3, 4, 5)


@pytest.fixture
def line(folder: Path) -> KeptLine:
    made = KeptLine(folder).write(*a_year())
    lines = [f'{{"slot": {slot}, "trigger_count": {slot}, "gate": "rejected"}}\n' for slot in SLOTS]
    (folder / "twin.jsonl").write_text("".join(lines))
    return made


def found(line: KeptLine) -> set[str]:
    """Faults of pictures that `linectl verify` names; the one file must name the same, of those that it knows."""
    ours = {fault for store, fault in faults(verify(STATION, None)) if store == "images" or fault.startswith("purged")}
    theirs = {row["fault"] for row in offline(line.folder)["rows"] if row["store"] in {"images", "journal"}}
    assert theirs == ours - {"image_unpurged"}  # of no use to an attacker, and to an auditor neither
    return ours


def remove(line: KeptLine) -> None:
    line.images.path(sha256_of(REJECTED)).unlink()


def remove_though_another_is_purged(line: KeptLine) -> None:
    """A tombstone speaks for what it names, not for what went besides."""
    line.apply()
    line.images.path(sha256_of(a_kept(line))).unlink()


def a_kept(line: KeptLine) -> bytes:
    png = line.images.get(next(line.images.names()))
    assert png is not None
    return png


def restore(line: KeptLine) -> None:
    line.apply()
    line.images.put({sha256_of(PASSED): PASSED})


def purge_under_hold(line: KeptLine) -> None:
    with pytest.MonkeyPatch.context() as patch:
        place_hold(STATION, slot=2, since=None, until=None, who="ann", why="claim")
        patch.setattr(Pictures, "held", lambda *_: set())  # the guard taken out
        line.apply()


def purge_under_hold_of_a_period(line: KeptLine) -> None:
    with pytest.MonkeyPatch.context() as patch:
        place_hold(STATION, slot=None, since=days_ago(41), until=days_ago(39), who="ann", why="claim")
        patch.setattr(Pictures, "held", lambda *_: set())
        line.apply()


def purge_then_hold(line: KeptLine) -> None:
    line.apply()
    place_hold(STATION, slot=2, since=None, until=None, who="ann", why="too late")


def hold_lift_and_purge(line: KeptLine) -> None:
    _, hold = place_hold(STATION, slot=2, since=None, until=None, who="ann", why="claim")
    lift_hold(STATION, hold.id, who="ann", why="settled")
    line.apply()


@pytest.mark.parametrize("said", ["NULL", "7"], ids=["kept-in-sql", "expired-in-sql"])
def test_sql_that_says_otherwise_is_found(line: KeptLine, said: str) -> None:
    line.apply()
    sound = faults(verify(STATION, None))
    which = "expired_by IS NOT NULL" if said == "NULL" else "expired_by IS NULL"

    with closing(sqlite3.connect(line.folder / "audit.sqlite")) as connection:
        connection.execute(f"UPDATE crop SET expired_by = {said} WHERE {which}")
        connection.commit()

    assert ("audit", "row_differs") not in sound
    assert ("audit", "row_differs") in faults(verify(STATION, None))


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        pytest.param(KeptLine.apply, set(), id="purged"),
        pytest.param(purge_then_hold, set(), id="held-when-it-was-gone"),
        pytest.param(hold_lift_and_purge, set(), id="the-hold-was-lifted"),
        pytest.param(remove, {"image_missing"}, id="deleted-without-a-row"),
        pytest.param(remove_though_another_is_purged, {"image_missing"}, id="deleted-besides"),
        pytest.param(restore, {"image_unpurged"}, id="there-still"),
        pytest.param(purge_under_hold, {"purged_while_held"}, id="under-a-hold"),
        pytest.param(purge_under_hold_of_a_period, {"purged_while_held"}, id="under-a-hold-of-a-period"),
    ],
)
def test_row_75_a_picture_goes_by_a_row_and_against_no_hold(
    line: KeptLine, what: Callable[[KeptLine], object], expected: set[str]
) -> None:
    what(line)
    line.project()

    assert found(line) == expected


def test_row_75_deleting_before_the_row_is_found(line: KeptLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: the pictures go first, and the power fails before their row is written."""
    with monkeypatch.context() as patch:
        patch.setattr("storage.journal.SqliteJournal.append", lambda *_: lose_power(line))
        with pytest.raises(OSError, match="power"):
            line.apply()

    assert found(line) == {"image_missing"}


def lose_power(line: KeptLine) -> list[int]:
    for png in (PASSED, REJECTED, CROP):
        line.images.path(sha256_of(png)).unlink()
    raise OSError("power")


def test_row_75_a_purge_during_a_report_is_said_in_it_and_the_hash_stays(line: KeptLine) -> None:
    """The report has asked its questions, and comes to the pictures when they are gone."""
    store = open_audit(line.folder, "rail-03")
    assert store is not None
    with store.snapshot() as snapshot:
        asked = Asked(station=STATION, folder=line.folder, snapshot=snapshot, options=Options(part="2"))
        applied = line.apply()
        during = trace(asked)
    with store.snapshot() as snapshot:
        later = trace(Asked(station=STATION, folder=line.folder, snapshot=snapshot, options=Options(part="2")))
    store.close()

    for page in (during, later):
        notes = {part.sha256: (part.png, part.note) for part in page.parts if isinstance(part, Photo)}
        assert notes[sha256_of(REJECTED)][0] is None
        assert notes[sha256_of(REJECTED)][1].startswith("Evidence expired: purged on 20")
        assert f"row {applied.purges[0].seq}" in notes[sha256_of(CROP)][1]
        assert {fact.key: fact.value for fact in page.facts}["chain_holds"] is True
    with JournalReader(line.folder) as reader:
        bodies = [read_body(row) for row in reader.rows(0)]
    assert [sha256_of(REJECTED) in body.pictures for body in bodies if isinstance(body, PurgeBody)] == [True]
    assert sha256_of(REJECTED) in {body.frame_sha256 for body in bodies if isinstance(body, VerdictBody)}
    assert found(line) == set()


def test_a_picture_that_is_merely_gone_is_not_said_to_have_expired(line: KeptLine) -> None:
    remove(line)

    store = open_audit(line.folder, "rail-03")
    assert store is not None
    with store.snapshot() as snapshot:
        page = trace(Asked(station=STATION, folder=line.folder, snapshot=snapshot, options=Options(part="2")))
    store.close()

    notes = [part.note for part in page.parts if isinstance(part, Photo) and part.png is None]
    assert notes == ["Not here, and purged by no row: linectl verify names what is missing."]


def test_deleted_pictures_stay_away_when_the_power_fails(line: KeptLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each folder is synced between the last deletion in it and the cursor that says it is done."""
    synced: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        synced.append(Path(f"/proc/self/fd/{fd}").readlink().name)
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    line.apply()

    folders = [ImageStore(line.folder).path(sha256_of(png)).parent.name for png in (PASSED, REJECTED, CROP)]
    assert set(folders) <= set(synced[: synced.index("cursor.json")])
