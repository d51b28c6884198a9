"""People script these commands: keys, flags, formats and exit codes are fixed."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from storage.commands import app
from storage.history import parse_time
from storage.history_files import COLUMNS
from tests.storage.builders import MODEL, sha256_of
from tests.storage.lines import CROP, PARTS, Line, sound_rows

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def line(folder: Path) -> Line:
    stopped = Line(folder)
    stopped.write(sound_rows())
    stopped.project()
    return stopped


def linectl(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def rows_of(*arguments: str) -> list[dict[str, Any]]:
    result = linectl("history", "--station", "rail-03", "--json", "-", *arguments)
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)["rows"]
    return rows


def test_history_as_json(line: Line) -> None:
    rejected = rows_of("--outcome", "reject")

    assert rejected == [
        {
            "frame": "rail-03/head/1/000002",
            "camera": "head",
            "slot": 2,
            "outcome": "REJECT",
            "reason": None,
            "area_mm2": 60.0,
            "captured_at": "2026-09-21T14:13:20.400000Z",
            "model": MODEL,
            "crops": [sha256_of(CROP)],
            "crops_expired_at": None,
        }
    ]


@pytest.mark.parametrize(
    ("flags", "slots"),
    [
        pytest.param([], [5, 4, 3, 2, 1], id="newest-first"),
        pytest.param(["--limit", "2"], [5, 4], id="limit"),
        pytest.param(["--outcome", "Not_Inspected"], [4, 3], id="outcome-in-any-case"),
        pytest.param(["--min-area-mm2", "10"], [2], id="area"),
        pytest.param(["--camera", "foot"], [], id="camera"),
        pytest.param(["--since", "2026-09-21T14:13:20.700Z"], [5, 4], id="since"),
        pytest.param(["--until", "2026-09-21T14:13:20.600+00:00"], [2, 1], id="until"),
        pytest.param(["--since", "90m", "--until", "0s"], [], id="age"),
        pytest.param(["--oldest-first", "--limit", "2"], [1, 2], id="oldest-first"),
        pytest.param(["--reason", "Dark"], [3], id="reason"),
        pytest.param(["--slot", "4"], [4], id="part"),
        pytest.param(["--frame", "rail-03/head/1/000002"], [2], id="frame"),
        pytest.param(["--max-area-mm2", "70", "--min-area-mm2", "50"], [2], id="area-between"),
        pytest.param(["--zone", "gauge"], [], id="zone"),
        pytest.param(["--model", "anomalyseg-8"], [5, 4, 3, 2, 1], id="model-by-name"),
        pytest.param(["--model", "abab"], [5, 4, 3, 2, 1], id="model-by-its-beginning"),
        pytest.param(["--model", "c" * 64], [], id="model-that-was-never-here"),
        pytest.param(["--shift", "2026-09-21/2"], [5, 4, 3, 2, 1], id="shift"),
        pytest.param(["--shift", "2026-09-21/1"], [], id="shift-before"),
        pytest.param(["--all"], [5, 4, 3, 2, 1], id="all"),
    ],
)
def test_history_filters(line: Line, flags: list[str], slots: list[int]) -> None:
    assert [row["slot"] for row in rows_of(*flags)] == slots


def test_history_to_a_file_leaves_the_table_on_the_terminal(line: Line, tmp_path: Path) -> None:
    result = linectl("history", "--station", "rail-03", "--json", str(tmp_path / "h.json"))

    assert len(json.loads((tmp_path / "h.json").read_text())["rows"]) == 5
    assert "5 verdicts" in result.stdout


def test_history_as_csv(line: Line) -> None:
    result = linectl("history", "--station", "rail-03", "--csv", "-", "--outcome", "REJECT")

    header, row = csv.reader(io.StringIO(result.stdout))
    assert tuple(header) == COLUMNS
    assert row[-2:] == [sha256_of(CROP), ""]


@pytest.mark.parametrize(
    ("text", "then"),
    [
        pytest.param("90m", datetime(2026, 11, 22, 10, 30, tzinfo=UTC), id="minutes"),
        pytest.param("8h", datetime(2026, 11, 22, 4, 0, tzinfo=UTC), id="hours"),
        pytest.param("1d", datetime(2026, 11, 21, 12, 0, tzinfo=UTC), id="days"),
        pytest.param("2026-11-22T11:00:00+01:00", datetime(2026, 11, 22, 10, 0, tzinfo=UTC), id="iso-zone"),
        pytest.param("2026-11-22T11:00:00Z", datetime(2026, 11, 22, 11, 0, tzinfo=UTC), id="iso-utc"),
    ],
)
def test_times(text: str, then: datetime) -> None:
    assert parse_time(text, now=NOW) == int(then.timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(["history", "--station", "rail-3"], 78, "did you mean 'rail-03'", id="no-such-station"),
        pytest.param(["history", "--station", "rail-03", "--since", "soon"], 2, "--since", id="no-time"),
        pytest.param(["history", "--station", "rail-03", "--outcome", "maybe"], 2, "--outcome", id="no-outcome"),
        pytest.param(["history", "--station", "rail-03", "--limit", "0"], 2, "--limit", id="no-limit"),
        pytest.param(["history", "--station", "rail-03", "--reason", "bored"], 2, "--reason", id="no-reason"),
        pytest.param(["history", "--station", "rail-03", "--shift", "2026-09-21/4"], 2, "is no shift", id="no-shift"),
        pytest.param(["history", "--station", "rail-03", "--shift", "2026-02-30/1"], 2, "--shift", id="no-day"),
        pytest.param(
            ["history", "--station", "rail-03", "--shift", "2026-09-21/1", "--since", "1d"], 2, "--since", id="both"
        ),
        pytest.param(["history", "--station", "rail-03", "--out", "h.doc"], 2, "--out", id="no-such-ending"),
        pytest.param(["history", "--station", "rail-03", "--xlsx", "-"], 2, "needs a file", id="no-text"),
        pytest.param(["history"], 2, "--station", id="no-station"),
        pytest.param(["history", "--station", "rail-03"], 1, "no audit store yet", id="no-store"),
        pytest.param(["verify", "--station", "./none.toml"], 78, "no such station file", id="no-file"),
    ],
)
def test_refusals(folder: Path, arguments: list[str], code: int, says: str) -> None:
    result = linectl(*arguments)

    assert result.exit_code == code
    assert says in result.stderr
    assert result.stdout == ""


def test_a_bad_url_of_the_audit_store_is_a_refused_configuration(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_AUDIT_URL", "nonsense")

    assert linectl("history", "--station", "rail-03").exit_code == 78
    assert linectl("verify", "--station", "rail-03").exit_code == 78


def test_verify_says_ok(line: Line) -> None:
    result = linectl("verify", "--station", "rail-03", "--json", "-")

    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert report["ok"] is True
    assert report["rows"] == []
    assert report["checked"]["live"] == "not running"


def test_verify_names_each_fault_and_exits_1(line: Line) -> None:
    line.write([], parts=PARTS | {6: "rejected"})

    result = linectl("verify", "--station", "rail-03", "--json", "-")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["rows"] == [
        {
            "fault": "trigger_without_verdict",
            "store": "journal",
            "frame": None,
            "found": "slot 6 of head has none",
            "expected": "a verdict; the next start of the line closes what was open",
        }
    ]
    assert "trigger_without_verdict" in linectl("verify", "--station", "rail-03").stdout.replace("\n", "")
