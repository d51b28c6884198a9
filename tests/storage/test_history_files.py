"""Rows as files: each kind reads back as what was asked, runs nothing, and grows with nothing but itself."""

import csv
import io
import json
import resource
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from typer.testing import CliRunner, Result

import config.extras
import storage.history_files
from storage.audit import AuditStore, open_audit
from storage.commands import app
from storage.history_files import COLUMNS, KINDS, MissingExtra, open_writer
from storage.questions import Question
from tests.storage.builders import MODEL, sha256_of
from tests.storage.lines import CROP, Line, sound_rows

INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE inspection; --",
    '" OR 1=1 --',
    "head' UNION SELECT sha256, name, 1 FROM model --",
    "%",
    "_ead",
    "\\",
    "head\x00",
    "1); DELETE FROM inspection WHERE (1=1",
    "Robert'); DROP TABLE verdict_rollup;--",
]


@pytest.fixture
def line(folder: Path) -> Line:
    stopped = Line(folder)
    stopped.write(sound_rows())
    stopped.project()
    return stopped


def linectl(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["history", "--station", "rail-03", *arguments])


def a_row(**facts: Any) -> dict[str, Any]:
    row = {"frame": "rail-03/head/1/000001", "camera": "head", "slot": 1, "outcome": "PASS", "reason": None}
    row |= {
        "area_mm2": 0.5,
        "captured_at": "2026-09-21T14:13:20.400000Z",
        "model": MODEL,
        "crops": ["a", "b"],
        "crops_expired_at": None,
    }
    return row | facts


def read_back(path: Path) -> list[tuple[Any, ...]]:
    """(slot, outcome, area) of each row."""
    match path.suffix:
        case ".csv":
            rows: list[Any] = list(csv.DictReader(io.StringIO(path.read_text())))
        case ".jsonl":
            rows = [json.loads(line) for line in path.read_text().splitlines()]
        case ".parquet":
            rows = pyarrow.parquet.read_table(path).to_pylist()
        case _:
            return [tuple(cells) for cells in sheet(path)[1:]]
    return [(int(row["slot"]), row["outcome"], float(row["area_mm2"] or 0)) for row in rows]


def sheet(path: Path) -> list[list[Any]]:
    """(slot, outcome, area) of each line of the first sheet."""
    from xml.etree import ElementTree as Xml

    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    root = Xml.fromstring(zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml"))
    lines = []
    for line in root.iter(f"{name}row"):
        cells = {cell.attrib["r"][0]: cell for cell in line.iter(f"{name}c")}
        values = ["".join(cells[at].itertext()) if at in cells else "" for at in "CDF"]
        lines.append([int(values[0]) if values[0].isdigit() else values[0], values[1], _number(values[2])])
        assert list(line.iter(f"{name}f")) == []  # a formula
    return lines


def _number(text: str) -> Any:
    return text if text == "area_mm2" else float(text or 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_what_was_asked(line: Line, tmp_path: Path, kind: str) -> None:
    to = tmp_path / f"h.{kind}"

    result = linectl("--all", "--out", str(to))

    assert result.exit_code == 0, result.output
    assert [row[0] for row in read_back(to)] == [5, 4, 3, 2, 1]
    assert read_back(to)[3] == (2, "REJECT", 60.0)
    assert list(tmp_path.glob("*.new")) == []
    named = tmp_path / "named"
    assert linectl("--all", f"--{kind}", str(named)).exit_code == 0
    assert named.stat().st_size > 0


def test_several_files_at_once_beside_stdout(line: Line, tmp_path: Path) -> None:
    result = linectl("--jsonl", "-", "--out", str(tmp_path / "a.csv"), "--out", str(tmp_path / "b.parquet"))

    assert [json.loads(row)["slot"] for row in result.stdout.splitlines()] == [5, 4, 3, 2, 1]
    assert read_back(tmp_path / "a.csv") == read_back(tmp_path / "b.parquet")


def test_parquet_has_types(line: Line, tmp_path: Path) -> None:
    linectl("--outcome", "reject", "--parquet", str(tmp_path / "h.parquet"))

    (row,) = pyarrow.parquet.read_table(tmp_path / "h.parquet").to_pylist()
    assert row["captured_at"] == datetime(2026, 9, 21, 14, 13, 20, 400000, tzinfo=UTC)
    assert row["crops"] == [sha256_of(CROP)]


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_nothing_runs_in_a_spreadsheet(tmp_path: Path, kind: str, first: str) -> None:
    to = tmp_path / f"h.{kind}"

    with open_writer(kind, str(to)) as writer:
        writer.write([a_row(frame=f"{first}cmd|' /C calc'!A0")])

    if kind == "csv":
        with to.open(newline="") as file:
            (row,) = csv.DictReader(file)
        assert row["frame"] == f"'{first}cmd|' /C calc'!A0".replace("\r", "\n")
    else:
        assert len(sheet(to)) == 2


def test_a_line_break_inside_a_cell_begins_no_row(tmp_path: Path) -> None:
    with open_writer("csv", str(tmp_path / "h.csv")) as writer:
        writer.write([a_row(frame="a\r=1+1,2\n=3")])

    assert b"\r" not in (tmp_path / "h.csv").read_bytes()
    with (tmp_path / "h.csv").open(newline="") as file:
        assert [row["frame"] for row in csv.DictReader(file)] == ["a\n=1+1,2\n=3"]


def test_unquoted_a_formula_would_stand_in_the_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.history_files, "FORMULA", ())

    with open_writer("csv", str(tmp_path / "h.csv")) as writer:
        writer.write([a_row(frame="=1+1")])

    assert (tmp_path / "h.csv").read_text().splitlines()[1].startswith("=1+1")


def test_a_number_below_0_is_no_formula(tmp_path: Path) -> None:
    with open_writer("csv", str(tmp_path / "h.csv")) as writer:
        writer.write([a_row(area_mm2=-0.5)])

    assert ",-0.5," in (tmp_path / "h.csv").read_text()


def test_a_workbook_goes_on_on_the_next_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.history_files, "SHEET_ROWS", 10)

    with open_writer("xlsx", str(tmp_path / "h.xlsx")) as writer:
        writer.write([a_row(slot=slot) for slot in range(25)])

    names = [name for name in zipfile.ZipFile(tmp_path / "h.xlsx").namelist() if "worksheets/sheet" in name]
    assert len(names) == 3
    assert len(sheet(tmp_path / "h.xlsx")) == 11


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_that_breaks_off_leaves_the_old_file(tmp_path: Path, kind: str) -> None:
    to = tmp_path / f"h.{kind}"
    to.write_text("old")

    def breaks_off() -> None:
        with open_writer(kind, str(to)) as writer:
            writer.write([a_row()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks_off()

    assert to.read_text() == "old"
    assert list(tmp_path.glob("*.new")) == []


@pytest.mark.parametrize(("kind", "module"), [("parquet", "pyarrow"), ("xlsx", "xlsxwriter")])
def test_a_missing_library_is_one_line(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, module: str
) -> None:
    monkeypatch.setattr(config.extras, "find_spec", lambda name: None if name == module else object())

    result = linectl("--out", str(tmp_path / f"h.{kind}"))

    assert result.exit_code == 78
    said = f"{kind}: 'report' needs {module}, which is not installed: pip install 'line-monitor[report]'\n"
    assert result.stderr == said
    with pytest.raises(MissingExtra), open_writer(kind, str(tmp_path / "h")):
        pass


def test_libraries_of_the_extra_are_not_imported_before_they_are_used() -> None:
    code = "import sys, storage.commands; print([m for m in ('pyarrow', 'xlsxwriter') if m in sys.modules])"

    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("kind", KINDS)
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, kind: str) -> None:
    with open_writer(kind, str(tmp_path / f"h.{kind}")) as writer:
        writer.write([a_row(slot=slot) for slot in range(10_000)])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for first in range(10_000, 100_000, 500):
            writer.write([a_row(slot=slot) for slot in range(first, first + 500)])

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024  # KiB


@pytest.mark.parametrize("text", INJECTIONS)
@pytest.mark.parametrize("option", ["--camera", "--zone", "--frame", "--model", "--reason", "--outcome"])
def test_what_people_type_is_never_sql(line: Line, option: str, text: str) -> None:
    result = linectl("--json", "-", option, text)

    if option in {"--model", "--reason", "--outcome"}:
        assert result.exit_code == 2
    else:
        assert (result.exit_code, json.loads(result.stdout)["rows"]) == (0, [])
    audit = open_audit(line.folder, "rail-03")
    assert audit is not None
    assert len(list(audit.history(Question()))) == 5
    audit.close()


@pytest.mark.parametrize("text", [text for text in INJECTIONS if "\0" not in text])
def test_nor_in_any_database(url: str, text: str) -> None:
    store = AuditStore(url, "rail-03")

    for question in (Question(camera=text), Question(zone=text), Question(frame=text), Question(model=text)):
        assert list(store.history(question)) == []
    assert store.models(text) == []
    store.close()


def test_the_columns_are_fixed() -> None:
    assert list(a_row()) == list(COLUMNS)
