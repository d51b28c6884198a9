"""Shift: it hands over what happened, whatever became of the line, and no row that the store has not."""

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from config.alarms import Level
from monitor.messages import Gate, Outcome
from monitor.rows import AlarmBody, Entry, Kind, PersonBody, RunBody
from storage.audit import AuditStore
from storage.journal import journal_files, open_journal
from storage.reader import JournalReader
from storage.report_commands import app
from storage.reports.asked import Asked
from storage.reports.catalog import REPORTS, make
from storage.reports.forms import FORMS
from storage.reports.page import Gap, Page, as_json
from storage.reports.shift import shift
from tests.storage.builders import NOON, a_run, an_actuated
from tests.storage.reports.pages import HOUR, SHIFT_0, asked_of, table, the_facts, two_shifts, verdict

LATE = SHIFT_0 + 8 * HOUR


def an_alarm_at(at: int, key: str, level: Level) -> Entry:
    body = AlarmBody(
        run="run-1", key=key, name="rejects.in_a_row", about="head", text="20 <b>rejects</b>", raised_at=at, level=level
    )
    return Entry(kind=Kind.ALARM, frame=None, slot=None, outcome=None, reason=None, body=body)


def an_acknowledgement(at: int, keys: str) -> Entry:
    body = PersonBody(who="Kim", what="alarm.acknowledge", why="bin emptied", old=keys, new="all", at=at)
    return Entry(kind=Kind.PERSON, frame=None, slot=None, outcome=None, reason=None, body=body)


def a_start(at: int, *, run: str, limit: float, model: str, recovered: int = 0) -> Entry:
    made = a_run(run, started_at=at, recovered=recovered)
    assert isinstance(made.body, RunBody)
    config = msgspec.json.encode({"policy": {"reject_region_mm2": limit}, "cameras": []}).decode()
    body = msgspec.structs.replace(made.body, config=config, model_sha256=model * 32, model_name=f"net-{model}")
    return msgspec.structs.replace(made, body=body)


def an_eventful_shift() -> list[Entry]:
    """The late shift: a hold that Kim ended, a warning, and after a crash a start with another net and limit."""
    return [
        a_start(SHIFT_0, run="run-1", limit=40.0, model="aa"),
        *two_shifts()[1:],
        an_alarm_at(LATE + HOUR, "hold-1", "hold"),
        an_acknowledgement(LATE + HOUR + 60_000_000_000, "hold-1"),
        an_alarm_at(LATE + 2 * HOUR, "warn-1", "warn"),
        a_start(LATE + 3 * HOUR, run="run-2", limit=50.0, model="bb", recovered=2),
        an_actuated(19, Gate.REJECTED, late_ms=3.0),
    ]


@pytest.fixture
def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'audit.sqlite'}"


def written(folder: Path, url: str, entries: list[Entry]) -> None:
    """As a line leaves it: the journal, and what the recorder made of it."""
    with open_journal(folder) as journal:
        journal.append(entries)
    store = AuditStore(url, "rail-03")
    with JournalReader(folder) as reader:
        store.project(reader.rows(0))
    store.close()


def asked_again(folder: Path, url: str) -> Page:
    with asked_of(url, [], folder=folder) as asked:
        return shift(asked)


def test_the_newest_shift_is_told(folder: Path, url: str) -> None:
    written(folder, url, an_eventful_shift())

    page = asked_again(folder, url)

    facts = the_facts(page)
    assert page.period == "2026-09-21 14:00 to 2026-09-21 22:00, UTC"
    assert (facts["triggers"], facts["passed"], facts["rejected"], facts["coverage"]) == (10, 9, 1, 1.0)
    assert (facts["holds"], facts["alarms"], facts["recovered"], facts["late_parts"]) == (1, 2, 2, 1)
    (hold,) = table(page, "Holds, and why")
    assert (hold["text"], hold["by"], hold["found"]) == ("20 <b>rejects</b>", "Kim", "bin emptied")
    assert hold["ended"] == "2026-09-21 15:01:00"
    (warning,) = table(page, "Other alarms")
    assert (warning["level"], warning["ended"]) == ("warn", None)
    assert [
        (row["what"], row["before"], row["after"]) for row in table(page, "Changes of net, limits and software")
    ] == [
        ("net", "net-aa aaaaaaaaaaaa", "net-bb bbbbbbbbbbbb"),
        ("policy.reject_region_mm2", "40.0", "50.0"),
    ]
    assert [row["recovered"] for row in table(page, "Starts of the line")] == [2]
    (reject,) = table(page, "Rejects by type")
    assert (reject["size"], reject["defects"]) == ("50 to 100 mm²", 1)
    assert b"<b>" not in FORMS["html"](page)


def test_a_hold_that_nobody_has_looked_at_stands(folder: Path, sqlite: str) -> None:
    written(folder, sqlite, [*two_shifts(), an_alarm_at(LATE + HOUR, "hold-1", "hold")])

    (hold,) = table(asked_again(folder, sqlite), "Holds, and why")

    assert hold["ended"] == "nobody yet"


def test_what_the_store_has_not_taken_in_is_not_told(folder: Path, sqlite: str) -> None:
    written(folder, sqlite, an_eventful_shift())
    before = FORMS["html"](asked_again(folder, sqlite))
    with open_journal(folder) as journal:
        journal.append([an_alarm_at(LATE + 4 * HOUR, "hold-2", "hold")])

    assert FORMS["html"](asked_again(folder, sqlite)) == before


def test_alarms_of_rows_behind_the_head_would_be_seen(
    folder: Path, sqlite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(folder, sqlite, an_eventful_shift())
    with open_journal(folder) as journal:
        journal.append([an_alarm_at(LATE + 4 * HOUR, "hold-2", "hold")])

    with asked_of(sqlite, [], folder=folder) as asked:
        head = asked.snapshot.head
        assert head is not None
        later = asked.snapshot._replace(head=head._replace(seq=head.seq + 1))
        page = shift(Asked(station=asked.station, folder=folder, snapshot=later))

    assert the_facts(page)["holds"] == 2


@pytest.mark.parametrize("broken", [b"", b"not a database" * 1000], ids=["empty", "garbage"])
def test_it_closes_with_a_broken_journal(folder: Path, sqlite: str, broken: bytes) -> None:
    written(folder, sqlite, an_eventful_shift())
    for path in (folder / "journal").iterdir():
        path.write_bytes(broken)
    assert journal_files(folder / "journal")

    page = asked_again(folder, sqlite)

    assert the_facts(page)["triggers"] == 10
    assert the_facts(page)["holds"] is None
    assert "the journal cannot be read" in as_json(page)["missing"][0]["what"].lower()


def test_it_closes_without_a_journal(sqlite: str) -> None:
    with asked_of(sqlite, two_shifts()) as asked:
        page = shift(asked)

    assert any(isinstance(part, Gap) and part.title == "Alarms and holds" for part in page.parts)


def test_a_shift_of_starts_alone_is_told_too(folder: Path, sqlite: str) -> None:
    written(folder, sqlite, [verdict(1, Outcome.PASS, at=SHIFT_0), a_run("run-2", started_at=NOON + HOUR)])

    with asked_of(sqlite, [], folder=folder, since=NOON, until=NOON + HOUR) as asked:
        page = shift(asked)

    assert the_facts(page)["triggers"] == 0
    assert the_facts(page)["coverage"] is None
    assert len(table(page, "Starts of the line")) == 1


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("form", FORMS)
def test_each_report_has_the_same_bytes_twice(folder: Path, sqlite: str, name: str, form: str) -> None:
    written(folder, sqlite, an_eventful_shift())
    made = []
    for _ in range(2):
        with asked_of(sqlite, [], folder=folder) as asked:
            made.append(FORMS[form](make(name, asked)))

    assert made[0] == made[1]


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_of_an_empty_store_says_what_is_missing(url: str, name: str) -> None:
    with asked_of(url, []) as asked:
        page = make(name, asked)

    assert as_json(page)["missing"]
    assert page.report == name


def test_a_store_behind_its_journal_is_said_beside_the_page(folder: Path, sqlite: str) -> None:
    written(folder, sqlite, an_eventful_shift())
    with open_journal(folder) as journal:
        journal.append([an_alarm_at(LATE + 4 * HOUR, "hold-2", "hold")])

    result = CliRunner().invoke(app, ["shift", "--station", "rail-03", "--json", "-"])

    assert "the store is 1 rows behind the journal" in result.stderr
    assert json.loads(result.stdout)["facts"]["holds"] == 1
