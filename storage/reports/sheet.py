"""A page as a workbook: the headline figures, a sheet for each table, and the rows for programs.

Text is written as text, whatever it begins with: a spreadsheet runs no formula that a name on the line brought along.
"""

import re
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.reports.page import Cell, Gap, Page, Photo, Picture, Table, Text
from storage.reports.shown import footer_lines

MADE = datetime(1980, 1, 1, tzinfo=UTC)  # when a page is made is not in it: the same page has the same bytes
NAME_MOST = 31  # characters of a sheet's name
TEXT_MOST = 32_767  # of a cell
EXACT = 2**53  # a larger whole number would lose its last digits
WIDTHS = (10, 46)  # of a column, characters
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")


def workbook(page: Page) -> bytes:
    """The file."""
    import xlsxwriter

    with tempfile.TemporaryDirectory(prefix="report-") as home:
        path = Path(home) / "report.xlsx"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "tmpdir": home}
        book = xlsxwriter.Workbook(str(path), options)
        book.set_properties({"title": page.title, "created": MADE.replace(tzinfo=None)})
        _Sheets(book).write(page)
        book.close()
        return path.read_bytes()


class _Sheets:
    """Sheets of one workbook; rows go out as they are written."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True})
        self._heading = book.add_format({"bold": True, "font_size": 14})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        self._formats: dict[str, Any] = {}
        self._names: set[str] = set()

    def write(self, page: Page) -> None:
        self._front(page)
        for part in page.parts:
            if isinstance(part, Table):
                self._table(part)
        if page.rows:
            keys = list(dict.fromkeys(key for row in page.rows for key in row))
            self._rows("rows", keys, ([(row.get(key), "") for key in keys] for row in page.rows))

    def _front(self, page: Page) -> None:
        sheet = self._sheet("report")
        sheet.set_column(0, 0, 30)
        sheet.set_column(1, 1, 26)
        sheet.set_column(2, 3, 70)
        lines: list[tuple[tuple[Cell, ...], Any]] = [
            ((page.title,), self._heading),
            ((page.station,), None),
            ((page.period,), None),
            ((), None),
        ]
        lines += [
            ((fact.title, fact.value, " ".join(filter(None, (fact.unit, fact.note)))), fact) for fact in page.facts
        ]
        for part in page.parts:
            match part:
                case Text():
                    lines += [((), None), ((part.title, None, part.text), None)]
                case Gap():
                    lines += [((), None), ((f"Missing: {part.title}", None, part.missing, part.remedy), None)]
                case Picture():
                    lines += [((), None), ((part.title, None, part.note, "drawn in the HTML and PDF forms"), None)]
                case Photo():
                    lines += [((), None), ((part.title, None, part.note, part.sha256), None)]
                case Table():
                    pass
        lines += [((), None), *(((what, None, text), None) for what, text in footer_lines(page))]
        for at, (cells, how) in enumerate(lines):
            for column, cell in enumerate(cells):
                if how is self._heading:
                    self._cell(sheet, at, column, cell, self._heading)
                elif how is not None and column == 1:
                    self._cell(sheet, at, column, cell, self._format(_pattern(how.digits, is_share=how.is_share)))
                else:
                    self._cell(sheet, at, column, cell, self._bold if column == 0 else self._wrapped)

    def _table(self, table: Table) -> None:
        patterns = [_pattern(each.digits, is_share=each.is_share) for each in table.columns]
        keys = [each.key for each in table.columns]
        titles = [each.title for each in table.columns]
        rows = ([(row[key], pattern) for key, pattern in zip(keys, patterns, strict=True)] for row in table.rows)
        widest = [
            max([len(title), *(len(str(row[key])) for row in table.rows if isinstance(row[key], str))])
            for key, title in zip(keys, titles, strict=True)
        ]
        self._rows(table.title, titles, rows, widest)

    def _rows(
        self, name: str, titles: list[str], rows: Iterable[list[tuple[Cell, str]]], widest: list[int] | None = None
    ) -> None:
        sheet = self._sheet(name)
        for at, width in enumerate(widest or [len(title) for title in titles]):
            sheet.set_column(at, at, min(max(width + 2, WIDTHS[0]), WIDTHS[1]))
        sheet.freeze_panes(1, 0)
        for at, title in enumerate(titles):
            self._cell(sheet, 0, at, title, self._bold)
        for line, cells in enumerate(rows, start=1):
            for at, (cell, pattern) in enumerate(cells):
                self._cell(sheet, line, at, cell, self._format(pattern))

    def _cell(self, sheet: Any, line: int, at: int, cell: Cell, how: Any) -> None:
        match cell:
            case None | "":
                pass
            case bool():
                sheet.write_boolean(line, at, cell, how)
            case int() | float() if abs(cell) <= EXACT:
                sheet.write_number(line, at, cell, how)
            case _:
                sheet.write_string(line, at, str(cell)[:TEXT_MOST], how)

    def _sheet(self, name: str) -> Any:
        """A name of its own that a workbook may have."""
        plain = _NOT_IN_NAMES.sub(" ", name).strip()[:NAME_MOST] or "table"
        number, own = 2, plain
        while own.lower() in self._names:
            own = f"{plain[: NAME_MOST - 4]} {number}"
            number += 1
        self._names.add(own.lower())
        return self._book.add_worksheet(own)

    def _format(self, pattern: str) -> Any:
        if not pattern:
            return None
        if pattern not in self._formats:
            self._formats[pattern] = self._book.add_format({"num_format": pattern})
        return self._formats[pattern]


def _pattern(digits: int | None, *, is_share: bool) -> str:
    """As a spreadsheet writes a number; empty: as it is."""
    if is_share:
        places = 1 if digits is None else digits
        return f"0.{'0' * places}%" if places else "0%"
    if digits is None:
        return ""
    return f"0.{'0' * digits}" if digits else "0"
