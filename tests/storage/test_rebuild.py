"""A store made anew from the journal is what it was; other stations keep theirs; broken off, it is begun again."""

import json
import os
import shutil
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, create_engine, select
from typer.testing import CliRunner

import storage.audit
import storage.emptying
import storage.rebuild_commands
from config.loader import load_station
from config.shifts import Shifts
from monitor.label_book import labelled
from monitor.labels import Label, Saying, State
from monitor.messages import Gate, Outcome, Reason
from monitor.rows import Entry, RunBody
from monitor.runner import hold_station
from storage.audit import AuditStore
from storage.database import open_engine
from storage.journal import open_journal
from storage.live import PATIENT_S
from storage.live_seed import make_live, open_live
from storage.projection import Projection, StoreForeign
from storage.reader import JournalReader
from storage.rebuild import Store, rebuild
from storage.schema import Base
from tests.storage.breaker import kill_at
from tests.storage.builders import NOON, a_correction, a_png, a_region, a_run, a_verdict, an_actuated, sha256_of
from tests.storage.chained import chained
from tests.storage.conftest import Valkey

RAIL_03 = load_station("rail-03")
CROP, MASK, WHOLE = a_png(1), a_png(2), a_png(3)
PNGS = {sha256_of(png): png for png in (CROP, MASK, WHOLE)}
NIGHTS = Shifts(begin=("05:00", "17:00"))


def quiet(_read: int, _of: int) -> None:
    """Nobody looks."""


def a_label(slot: int) -> Entry:
    label = Label(
        id=f"{slot:032x}",
        state=State.PROPOSED,
        reviewer="kim",
        label="squat",
        region=None,
        size_mm=None,
        blind=True,
        trial=1,
    )
    return labelled(Saying(frame=None, slot=slot, label=label, who="kim", why="seen", old="", at=NOON))


def a_run_with(shifts: Shifts) -> Entry:
    entry = a_run("run-2", started_at=NOON + 1)
    assert isinstance(entry.body, RunBody)
    config = msgspec.json.encode({"shifts": shifts.model_dump(mode="json")}).decode()
    return msgspec.structs.replace(entry, body=msgspec.structs.replace(entry.body, config=config))


def some_days() -> list[Entry]:
    """Everything that SQL keeps, over three days and two runs."""
    rows = [a_run(first_slots={"head": 1})]
    for slot in range(1, 41):
        at = NOON + (slot % 3) * 86_400_000_000_000 + slot
        if slot % 5 == 0:
            regions = (a_region(60.0, CROP, MASK), a_region(3.0))
            rows.append(a_verdict(slot, Outcome.REJECT, at=at, area_mm2=63.0, regions=regions, picture=WHOLE))
        else:
            rows.append(a_verdict(slot, at=at))
        rows.append(an_actuated(slot, Gate.REJECTED if slot % 5 == 0 else Gate.RELEASED, late_ms=float(slot % 3)))
    rows += [a_label(5), a_label(5), a_label(6), a_correction(1, 2), a_correction(1, 2, Reason.HELD)]
    return [*rows, a_run_with(NIGHTS), *(a_verdict(slot, run="run-2") for slot in range(41, 61))]


def project(store: Projection, reader: JournalReader) -> None:
    cursor = store.cursor()
    while rows := reader.rows(cursor.seq if cursor else 0, 7):
        store.project(rows)
        cursor = store.cursor()


@pytest.fixture
def standing(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a line that stands; its rows are in SQL, beside those of another station."""
    monkeypatch.setenv("LINE_AUDIT_URL", url)
    with open_journal(folder, rows_per_file=50) as journal:
        for entry in some_days():
            journal.append([entry], PNGS)
    with closing(AuditStore(url, "rail-07")) as other:
        other.project(chained(some_days()))
    with JournalReader(folder) as reader:
        recorder = AuditStore(url, "rail-03", RAIL_03.shifts)
        recorder.project(reader.rows(0, 86))
        recorder.count_in(NIGHTS)  # as that of the second run did
        recorder.project(reader.rows(86))
        recorder.close()
    return folder


def at(store: Projection) -> int:
    cursor = store.cursor()
    return cursor.seq if cursor else 0


def tables(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table.name: sorted(tuple(map(repr, row)) for row in connection.execute(select(table)))
            for table in Base.metadata.sorted_tables
        }
    engine.dispose()
    return found


def test_sql_made_anew_is_what_it_was(standing: Path, url: str) -> None:
    before = tables(url)
    seen: list[tuple[int, int]] = []

    rebuilt = rebuild(RAIL_03, Store.SQL, lambda read, of: seen.append((read, of)))

    assert tables(url) == before
    assert {name for name, rows in before.items() if not rows} == set()
    assert rebuilt.removed > 100
    assert seen[0] == (0, rebuilt.journal_rows)
    assert seen[-1] == (rebuilt.journal_rows, rebuilt.journal_rows)


def test_what_was_edited_in_sql_is_put_right(standing: Path, url: str) -> None:
    before = tables(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE inspection SET outcome = 'PASS' WHERE station = 'rail-03'")
        connection.exec_driver_sql("UPDATE verdict_rollup SET verdicts = verdicts + 1 WHERE station = 'rail-03'")
    engine.dispose()

    rebuild(RAIL_03, Store.SQL, quiet)

    assert tables(url) == before


def test_taking_in_on_top_of_what_is_there_would_not_put_it_right(
    standing: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tables(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE inspection SET outcome = 'PASS' WHERE station = 'rail-03'")
    engine.dispose()
    monkeypatch.setattr(storage.audit, "empty_station", lambda *_: 0)

    rebuild(RAIL_03, Store.SQL, quiet)

    assert tables(url) != before


def killed_at(statement: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """A rebuild in a process of its own, killed before its n-th statement or commit; whether it was."""
    child = os.fork()
    if child == 0:

        def opened(url: str, *, writes: bool) -> Engine:
            engine = open_engine(url, writes=writes)
            kill_at(engine, statement)
            return engine

        monkeypatch.setattr(storage.audit, "open_engine", opened)
        try:
            rebuild(RAIL_03, Store.SQL, quiet)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def test_killed_anywhere_it_is_begun_again_and_nothing_is_there_twice(
    standing: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tables(url)

    kills = [killed_at(statement, monkeypatch) for statement in (5, 12, 20, 30, 45, 70)]
    half = tables(url)
    rebuild(RAIL_03, Store.SQL, quiet)

    assert kills.count(True) >= 4
    assert half["inspection"] != before["inspection"] or not all(kills)
    assert tables(url) == before


def test_rows_of_another_journal_are_not_thrown_away_unasked(standing: Path, url: str) -> None:
    before = tables(url)
    shutil.rmtree(standing / "journal")
    with open_journal(standing) as journal:
        journal.append([a_run(), a_verdict(7)])

    with pytest.raises(StoreForeign, match="--replace-foreign"):
        rebuild(RAIL_03, Store.SQL, quiet)
    kept = tables(url)
    rebuild(RAIL_03, Store.SQL, quiet, replace_foreign=True)

    assert kept == before
    with closing(AuditStore(url, "rail-03")) as audit:
        assert [each.slot for each in audit.kept(0)] == [7]


@pytest.fixture
def given(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> Valkey:
    monkeypatch.setenv("LINE_REDIS_URL", valkey.url)
    return valkey


def test_redis_made_anew_is_what_it_was_and_says_so(standing: Path, given: Valkey) -> None:
    with JournalReader(standing) as reader:
        live = open_live(given.url, RAIL_03, standing, reader, timeout_s=PATIENT_S)
        project(live, reader)
        before = live.snapshot(1000), live.runs()
        with given.client as client:
            client.hincrby("line:rail-03:counters", "passed", 5)
            client.set("line:rail-07:cursor", "5:00")

        rebuilt = rebuild(RAIL_03, Store.REDIS, quiet)

        after = live.snapshot(1000), live.runs()
        live.close()
    assert msgspec.structs.replace(after[0], epoch=before[0].epoch) == before[0]
    assert after[1] == before[1]
    assert after[0].epoch != before[0].epoch
    assert rebuilt.removed >= 6
    with given.client as client:
        assert client.get("line:rail-07:cursor") == b"5:00"


def test_the_station_s_own_server_is_started_for_it(standing: Path) -> None:
    (standing / "live").mkdir()
    (standing / "live" / "nonsense").write_text("?")

    rebuild(RAIL_03, Store.REDIS, quiet)

    from storage.live_server import find_valkey

    binary = find_valkey()
    assert binary is not None
    server = Valkey(binary, "--dir", str(standing / "live"))
    server.start()
    with JournalReader(standing) as reader:
        live = make_live(server.url, RAIL_03, standing, reader, timeout_s=PATIENT_S)
        assert live.snapshot(1).counters["triggers"] == 60
        live.close()
    server.kill()
    shutil.rmtree(server.home)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_the_command_writes_one_object_and_is_refused_while_the_line_runs(standing: Path) -> None:
    arguments = ["--station", "rail-03", "--store", "sql", "--json", "-"]
    runner = CliRunner()

    done = runner.invoke(storage.rebuild_commands.app, arguments)
    with hold_station(standing):
        refused = runner.invoke(storage.rebuild_commands.app, arguments)

    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert (said["station"], said["store"], said["rows"]) == ("rail-03", "sql", [])
    assert said["journal_rows"] == 107
    assert refused.exit_code == 1
    assert "runs already" in refused.stderr
