"""A journal that cannot be written holds the line; one that is damaged is set aside, and nothing runs before a person
has looked."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.line import Line
from config.loader import STATIONS
from monitor.jsonlog import read_lines
from monitor.messages import Gate, Outcome
from storage.journal import journal_files
from storage.memory import standing_alarms
from storage.reader import JournalReader
from tests.line.test_kill import verdicts_in_force
from tests.storage.harmed import flip


def released(line: Line) -> set[int]:
    return {part["slot"] for part in read_lines(line.state / "twin.jsonl") if part["gate"] == Gate.RELEASED}


def test_row_64_and_row_69_a_locked_journal_holds_and_a_damaged_one_waits_for_a_person(tmp_path: Path) -> None:
    table = (STATIONS / "rail-03.toml").read_text().replace("most = 5", "most = 1")
    (tmp_path / "mine.toml").write_text(table)
    named = str(tmp_path / "mine.toml")
    with Line(named, tmp_path) as line:
        line.wait_ready()
        line.wait_parts(4)
        file = journal_files(line.state / "journal")[-1]
        with closing(sqlite3.connect(file, isolation_level=None, timeout=5.0)) as other:
            other.execute("BEGIN EXCLUSIVE")
            known = set(verdicts_in_force(line.state))
            line.wait_for("hold", lambda: line.events("line.held"), 40)
            passed_while_locked = released(line) - known
            other.execute("ROLLBACK")
            line.ask_to_stop()
            code = line.wait_end(20)
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            last_hash = other.execute("SELECT hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()[0]
    slots, before = len(read_lines(line.state / "twin.jsonl")), verdicts_in_force(line.state)
    content = file.read_bytes()
    flip(file.name, share=content.rindex(last_hash) / len(content))(line.state / "journal")

    with Line(named, tmp_path, "--frames", "4") as refused:
        refused_code = refused.wait_end(30)
    with JournalReader(line.state) as reader:
        standing = standing_alarms(reader)
    acked = line.linectl("alarms", "ack", "--who", "kim", "--why", "disk replaced", "--json", "-")
    with Line(named, tmp_path, "--frames", "4") as again:
        again_code = again.wait_end(60)
    report = json.loads(again.linectl("verify", "--json", "-").stdout)

    assert (code, refused_code, again_code) == (1, 1, 0)
    assert passed_while_locked == set()
    assert [body.name for body in standing] == ["journal.damaged"]
    assert "is held by journal.damaged" in refused.log()
    assert len(json.loads(acked.stdout)["rows"]) == 1
    after = verdicts_in_force(again.state)
    assert set(after) == set(range(1, slots + 5))
    lost = {slot for slot in before if after[slot] is not before[slot]}  # their rows were, and they are closed anew
    assert {slot for slot in released(again) if after[slot] is not Outcome.PASS} <= lost
    assert "journal_set_aside" in {row["fault"] for row in report["rows"]}
    others = [row["found"] for row in report["rows"] if row["fault"] != "journal_set_aside"]
    assert [found for found in others if int(found.split()[1].rstrip(":")) not in lost] == []  # "slot 15: released; …"
