"""Each harm done to a journal, a log or a store is found and named."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.journal import journal_files
from tests.storage.conftest import Valkey
from tests.storage.lines import CROP, MASK, Line, faults, sound_rows

INVENTED = ("XADD", "line:rail-03:verdicts", "99-0", *["kind", "verdict", "frame", "f", "slot", "1", "outcome", "PASS"])
Harm = Callable[[Line], Any]


@pytest.fixture
def line(folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Line:
    """Its audit store is SQLite, or what the test's `url` says."""
    if "url" in request.fixturenames:
        monkeypatch.setenv("LINE_AUDIT_URL", request.getfixturevalue("url"))
    return Line(folder)


def sql(statement: str) -> Harm:
    return lambda line: line.audit(statement)


def change_row(line: Line) -> None:
    line.journal("UPDATE journal SET outcome = 'PASS' WHERE seq = 3")


def drop_row(line: Line) -> None:
    line.journal("DELETE FROM journal WHERE seq = 6")


def break_row(line: Line) -> None:
    line.journal("UPDATE journal SET body = '{}' WHERE seq = 8")


def break_file(line: Line) -> None:
    path = journal_files(line.folder / "journal")[0]
    path.write_bytes(path.read_bytes()[:100] + bytes(path.stat().st_size - 100))


def lose_source(line: Line) -> None:
    (line.folder / "twin.jsonl").unlink()


def twist_source(line: Line) -> None:
    path = line.folder / "twin.jsonl"
    path.write_text(path.read_text().replace('{"slot": 3', "{slot: 3", 1) + '{"slot": 2, "gate": "rejected"}\n')


def change_cursor(line: Line) -> None:
    line.audit("UPDATE cursor SET seq = seq - 1")


def advance_cursor(line: Line) -> None:
    (line.folder / "images" / "cursor.json").write_text('{"seq":99,"hash":"AA=="}')


def break_audit(line: Line) -> None:
    (line.folder / "audit.sqlite").write_bytes(b"no database at all, but long enough to be looked at" * 10)


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        pytest.param(change_row, {("journal", "hash_broken"), ("gate", "pass_rejected")}, id="row-72-journal-edited"),
        pytest.param(drop_row, {("journal", "seq_hole")}, id="row-72-journal-deleted"),
        pytest.param(break_row, {("journal", "row_unreadable"), ("journal", "hash_broken")}, id="body-edited"),
        pytest.param(break_file, {("journal", "journal_unreadable")}, id="file-damaged"),
        pytest.param(
            lambda line: (line.folder / "twin.jsonl").unlink(), {("source", "source_missing")}, id="no-source"
        ),
        pytest.param(twist_source, {("source", "source_unreadable"), ("source", "slot_twice")}, id="source-damaged"),
        pytest.param(advance_cursor, {("images", "store_foreign")}, id="images-ahead"),
        pytest.param(break_audit, {("audit", "store_lost")}, id="audit-damaged"),
        pytest.param(lambda line: line.image(CROP).unlink(), {("images", "image_missing")}, id="image-lost"),
        pytest.param(lambda line: line.image(CROP).write_bytes(MASK), {("images", "image_corrupt")}, id="image-edited"),
    ],
)
def test_a_state_that_was_harmed(line: Line, harm: Harm, expected: set[tuple[str, str]]) -> None:
    line.write(sound_rows())
    line.project()

    harm(line)

    found = set(faults(line.verify()))
    assert expected <= found
    assert not line.verify().ok


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        pytest.param(
            sql("DELETE FROM inspection WHERE slot = 1"),
            {("audit", "row_missing")},
            id="row-72-audit-deleted",
        ),
        pytest.param(sql("DELETE FROM crop WHERE kind = 'mask'"), {("audit", "row_differs")}, id="crop-lost"),
        pytest.param(
            sql("UPDATE inspection SET outcome = 'PASS' WHERE slot = 4"),
            {("audit", "row_differs")},
            id="row-72-audit-edited",
        ),
        pytest.param(
            sql("UPDATE actuation SET gate = 'released' WHERE slot = 2"),
            {("audit", "row_differs")},
            id="row-72-gate-edited",
        ),
        pytest.param(
            sql("UPDATE inspection SET seq = 8 WHERE slot = 1"),
            {("audit", "row_missing"), ("audit", "row_unknown")},
            id="row-72-audit-renumbered",
        ),
        pytest.param(change_cursor, {("audit", "store_foreign")}, id="audit-of-another-journal"),
    ],
)
def test_an_audit_store_that_was_harmed(line: Line, harm: Harm, expected: set[tuple[str, str]], url: str) -> None:
    line.write(sound_rows())
    line.project()
    assert line.verify().ok

    harm(line)

    assert expected <= set(faults(line.verify()))


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param(("HINCRBY", "line:rail-03:counters", "passed", 1), "count_differs", id="counter"),
        pytest.param(
            ("XADD", "line:rail-03:verdicts", "99-0", "kind", "verdict", "frame", "f", "slot", "1", "outcome", "PASS"),
            "row_unknown",
            id="entry-invented",
        ),
        pytest.param(("SET", "line:rail-03:cursor", "12:00"), "store_foreign", id="cursor"),
    ],
)
def test_a_redis_that_was_harmed(line: Line, valkey: Valkey, command: tuple[Any, ...], expected: str) -> None:
    line.write(sound_rows())
    line.project(valkey)
    with valkey.client as client:
        client.execute_command(*command)

    assert faults(line.verify(valkey.url)) == [("live", expected)]


def test_an_entry_that_was_changed_is_found(line: Line, valkey: Valkey) -> None:
    line.write(sound_rows())
    line.project(valkey)
    with valkey.client as client:
        client.xtrim("line:rail-03:verdicts", maxlen=0, approximate=False)
        fields = {"kind": "verdict", "frame": "rail-03/head/1/000005", "slot": "5", "outcome": "REJECT"}
        client.delete("line:rail-03:verdicts")
        client.xadd("line:rail-03:verdicts", dict(fields), id="11-0")

    assert faults(line.verify(valkey.url)) == [("live", "row_differs")]


def test_row_73_an_audit_store_put_back_to_before_is_found(line: Line) -> None:
    line.write(sound_rows()[:6], parts={})
    line.project()
    shutil.copy(line.folder / "audit.sqlite", line.folder / "old.sqlite")
    line.write(sound_rows()[6:])
    line.project()
    assert line.verify().ok

    shutil.copy(line.folder / "old.sqlite", line.folder / "audit.sqlite")

    assert faults(line.verify()) == [("audit", "store_behind")]


def test_a_redis_that_is_away_is_said_and_no_fault(line: Line) -> None:
    line.write(sound_rows())
    line.project()

    report = line.verify("unix:///nowhere/redis")

    assert report.ok
    assert str(report.checked["live"]).startswith("away")
