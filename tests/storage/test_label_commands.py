"""`linectl labels` says what became of each line, to people and to programs."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from storage.label_commands import app
from storage.label_file import _OF_COLUMN, COLUMNS
from tests.storage.labelled import a_standing_line

ROOT = Path(__file__).resolve().parents[2]
FILE = "slot,label,region\n1,good,\n2,=1+1,2\n2,<b>x</b>,9\n"


def linectl(*arguments: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """(the JSON object, what stands on stderr)."""
    ended = CliRunner().invoke(app, [*arguments, "--station", "rail-03", "--json", "-"])
    assert ended.exit_code == code, ended.output
    return json.loads(ended.stdout[ended.stdout.index("{") :]), ended.stderr  # run_line.py alone sends logs to stderr


@pytest.fixture
def line(folder: Path) -> Path:
    return a_standing_line(folder)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "found.csv"
    path.write_text(FILE)
    return str(path)


def test_import_says_how_many_and_which_not(line: Path, file: str) -> None:
    first, _ = linectl("import", file, "--who", "kim", code=1)
    again, _ = linectl("import", file, "--who", "kim", code=1)

    bad = {
        "line": 4,
        "column": "region",
        "found": "9",
        "expected": "the verdict of rail-03/head/1/000002 has 2 regions",
    }
    assert first == {"station": "rail-03", "added": 2, "already": 0, "refused": 1, "rows": [bad]}
    assert again == {"station": "rail-03", "added": 0, "already": 2, "refused": 1, "rows": [bad]}


def test_strict_adds_none(line: Path, file: str) -> None:
    said, _ = linectl("import", file, "--who", "kim", "--strict", code=1)
    Path(file).write_text("slot,label\n1,good\nx,good\n")
    unreadable, _ = linectl("import", file, "--who", "kim", "--strict", code=1)

    assert (said["added"], said["refused"]) == (0, 1)
    assert (unreadable["added"], unreadable["refused"]) == (0, 1)
    assert linectl("list")[0]["rows"] == []


def test_list_has_what_was_typed(line: Path, file: str) -> None:
    linectl("import", file, "--who", "kim", "--why", "audit", code=1)

    rows = linectl("list")[0]["rows"]

    assert [(row["slot"], row["label"], row["state"]) for row in rows] == [
        (2, "=1+1", "confirmed"),
        (1, "good", "confirmed"),
    ]
    assert list(rows[0]) == [
        "seq", "frame", "slot", "region", "state", "reviewer", "label", "size_mm", "blind", "trial", "who", "why",
        "old", "at",
    ]  # fmt: skip
    assert [row["slot"] for row in linectl("list", "--slot", "1")[0]["rows"]] == [1]
    assert linectl("list", "--reviewer", "ann")[0]["rows"] == []


def test_what_was_typed_is_no_markup(line: Path, file: str) -> None:
    Path(file).write_text("slot,label\n2,[red]x[/red]\n")

    CliRunner().invoke(app, ["import", file, "--station", "rail-03", "--who", "kim"])
    shown = CliRunner().invoke(app, ["list", "--station", "rail-03"], env={"COLUMNS": "200"})

    assert "[red]x[/red]" in shown.stdout


def test_people_are_told_each_bad_line_with_file_and_place(line: Path, file: str) -> None:
    ended = CliRunner().invoke(app, ["import", file, "--station", "rail-03", "--who", "kim"])

    assert ended.exit_code == 1
    assert f"{file}:4, region: 9; the verdict of rail-03/head/1/000002 has 2 regions" in ended.stderr
    assert "2 labels added, 0 on record already, 1 lines refused" in ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["import"], id="neither-file-nor-twin"),
        pytest.param(["import", "x.csv", "--from-twin"], id="both"),
        pytest.param(["import", "x.csv"], id="nobodys"),
        pytest.param(["import", "x.csv", "--who", " "], id="blank"),
    ],
)
def test_wrong_usage_exits_2(folder: Path, arguments: list[str]) -> None:
    assert CliRunner().invoke(app, [*arguments, "--station", "rail-03"]).exit_code == 2


def test_no_file_and_no_verdict_exit_1(folder: Path, file: str) -> None:
    assert CliRunner().invoke(app, ["import", "none.csv", "--station", "rail-03", "--who", "kim"]).exit_code == 1
    assert CliRunner().invoke(app, ["import", file, "--station", "rail-03", "--who", "kim"]).exit_code == 1
    assert linectl("list")[0]["rows"] == []


def test_the_help_says_that_each_takes_json() -> None:
    assert "--json" in CliRunner().invoke(app, ["--help"]).stdout


def test_the_page_names_every_column() -> None:
    page = (ROOT / "docs/labels.md").read_text()

    assert [column for column in COLUMNS if f"| `{column}` |" not in page] == []
    assert set(_OF_COLUMN) == set(COLUMNS)
