"""Rows of the history as files: CSV, JSON lines, Parquet and XLSX, written as they come and never held whole."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Protocol

from config.extras import missing_module

COLUMNS = (
    "frame", "camera", "slot", "outcome", "reason", "area_mm2", "captured_at", "model", "crops", "crops_expired_at",
)  # fmt: skip
TIMES = ("captured_at", "crops_expired_at")  # ISO 8601; the second is empty while the crops are kept
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet would run, or skip to what it runs
SHEET_ROWS = 1_048_575  # of an XLSX sheet, below its header
Rows = list[dict[str, Any]]


class MissingExtra(Exception):
    """A file of this kind needs a library that is not installed."""


class RowWriter(Protocol):
    """Takes rows with the keys of `COLUMNS`, as many as come."""

    def write(self, rows: Rows) -> None: ...

    def close(self) -> None: ...


class CsvWriter:
    """With a header; what a spreadsheet would take for a formula is quoted."""

    def __init__(self, file: IO[str]) -> None:
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def write(self, rows: Rows) -> None:
        self._writer.writerows([_cell(row[column]) for column in COLUMNS] for row in rows)

    def close(self) -> None:
        pass


class JsonLinesWriter:
    """One JSON object a line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, rows: Rows) -> None:
        self._file.writelines(json.dumps(row) + "\n" for row in rows)

    def close(self) -> None:
        pass


class ParquetWriter:
    """Each page is a row group; times are UTC, in µs."""

    def __init__(self, path: Path) -> None:
        import pyarrow as arrow
        from pyarrow import parquet

        kinds = {
            "slot": arrow.int64(),
            "area_mm2": arrow.float64(),
            **dict.fromkeys(TIMES, arrow.timestamp("us", tz="UTC")),
            "crops": arrow.list_(arrow.string()),
        }
        self._schema = arrow.schema([(column, kinds.get(column, arrow.string())) for column in COLUMNS])
        self._arrow = arrow
        self._writer = parquet.ParquetWriter(path, self._schema)
        self._waiting: Rows = []

    def write(self, rows: Rows) -> None:
        self._waiting += rows
        if len(self._waiting) >= 10_000:  # a group has a header of its own
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            rows = [row | {name: _time(row[name]) for name in TIMES} for row in self._waiting]
            self._writer.write_table(self._arrow.Table.from_pylist(rows, schema=self._schema))
            self._waiting = []


class XlsxWriter:
    """As many sheets as it takes; text is text, whatever it begins with."""

    def __init__(self, path: Path) -> None:
        import xlsxwriter

        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
        self._bold = self._book.add_format({"bold": True})
        self._sheet: Any = None
        self._line = SHEET_ROWS
        self._begin()

    def write(self, rows: Rows) -> None:
        for row in rows:
            if self._line > SHEET_ROWS:
                self._begin()
            for at, column in enumerate(COLUMNS):
                value = row[column]
                if isinstance(value, int | float):
                    self._sheet.write_number(self._line, at, value)
                elif value:
                    self._sheet.write_string(self._line, at, " ".join(value) if isinstance(value, list) else value)
            self._line += 1

    def close(self) -> None:
        self._book.close()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        for at, column in enumerate(COLUMNS):
            self._sheet.write_string(0, at, column, self._bold)
        self._sheet.freeze_panes(1, 0)
        self._line = 1


TEXT: dict[str, Callable[[IO[str]], RowWriter]] = {"csv": CsvWriter, "jsonl": JsonLinesWriter}
BINARY: dict[str, tuple[str, Callable[[Path], RowWriter]]] = {  # kind: the module it needs, the writer
    "parquet": ("pyarrow", ParquetWriter),
    "xlsx": ("xlsxwriter", XlsxWriter),
}
KINDS = (*TEXT, *BINARY)


@contextmanager
def open_writer(kind: str, to: str) -> Iterator[RowWriter]:
    """A file of one of `KINDS`, or stdout for `-` where it is text; a file is there whole, or not at all.

    Raises `MissingExtra` where the library is not installed.
    """
    if kind in BINARY and (said := missing_module("report", BINARY[kind][0])):
        raise MissingExtra(f"{kind}: {said}")
    if to == "-":
        yield TEXT[kind](sys.stdout)
        return
    path = Path(to)
    growing = path.with_name(f"{path.name}.new")
    try:
        if kind in TEXT:
            with growing.open("w", encoding="utf-8", newline="") as file:
                yield TEXT[kind](file)
        else:
            with closing(BINARY[kind][1](growing)) as writer:
                yield writer
        growing.rename(path)
    finally:
        growing.unlink(missing_ok=True)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _cell(value: Any) -> str:
    if isinstance(value, int | float):
        return str(value)
    text = " ".join(value) if isinstance(value, list) else value or ""
    quoted = f"'{text}" if text.startswith(FORMULA) else text
    return quoted.replace("\r", "\n")  # csv leaves a lone CR bare, and a spreadsheet begins a new row, and cell, there
