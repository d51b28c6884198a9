"""Labels in a CSV file: UTF-8, a header, a line a label. A line that is wrong is named with what would be right.

    frame      rail-03/head/7/000123                 of the verdict; this or `slot`, or both
    slot       123                                   of the part
    region     2              default: none          number of one of the verdict's regions, from 1
    reviewer   ann            default: who imports
    state      confirmed      default: what follows  proposed, confirmed, corrected, rejected, second_look, adjudicated
    label      squat          must be given          good, borderline, or the type of the defect
    size_mm    3.5            default: not measured  of the defect
    blind      yes            default: no            the reviewer knew neither the verdict nor a label
    trial      2              default: 1             of this reviewer: how often they were shown it
    at         2026-09-21T14:03:00+02:00             default: now
    why        free text      default: --why

Columns may come in any order; `label` and one of `frame` and `slot` must be there. Commas or semicolons stand between.
"""

import csv
import difflib
import math
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from monitor.labels import BORDERLINE, GOOD, TWIN, State

FILE_BYTES = 64 << 20  # half a million labels
COLUMNS = ("frame", "slot", "region", "reviewer", "state", "label", "size_mm", "blind", "trial", "at", "why")
WHY_MOST = 1000
TEXT_MOST = 64
YES, NO = ("yes", "true", "1"), ("no", "false", "0", "")


class FileRefused(Exception):
    """The file as a whole cannot be read as labels."""


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is not taken in."""

    line: int
    column: str  # empty: the line as a whole
    found: str
    expected: str

    def text(self, file: str) -> str:
        at = f", {self.column}" if self.column else ""
        return f"{file}:{self.line}{at}: {self.found}; {self.expected}"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A label as it was given; what it is about is not looked up yet."""

    number: int  # in the file
    frame: str | None = None
    slot: int | None = None
    region: int | None = None
    reviewer: str = ""  # empty: who imports
    state: State | None = None  # None: what may follow
    label: str
    size_mm: float | None = None
    blind: bool = False
    trial: int = 1
    at: int | None = None  # wall, ns
    why: str = ""


class _Wrong(NamedTuple):
    found: str
    expected: str


def read_labels(path: Path) -> tuple[list[Line], list[Refused]]:
    """The lines of this file, and those that cannot be read. Raises `FileRefused`."""
    text = _text(path)
    first = text.partition("\n")[0]
    rows = csv.reader(
        StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True
    )
    header = _header(path, next(rows, []))
    lines: list[Line] = []
    refused: list[Refused] = []
    for number, cells in _numbered(rows):
        if isinstance(cells, _Wrong):
            refused.append(Refused(line=number, column="", found=cells.found, expected=cells.expected))
        elif len(cells) != len(header):
            found, expected = f"{len(cells)} cells", f"the header has {len(header)}; quote what has a comma in it"
            refused.append(Refused(line=number, column="", found=found, expected=expected))
        else:
            parsed = _parsed(number, dict(zip(header, cells, strict=True)))
            if isinstance(parsed, Line):
                lines.append(parsed)
            else:
                refused += parsed
    return lines, refused


def _text(path: Path) -> str:
    try:
        if (size := path.stat().st_size) > FILE_BYTES:
            raise FileRefused(f"{path}: {size} bytes; at most {FILE_BYTES}: import it in parts")
        content = path.read_bytes()
        return content.decode("utf-8-sig")  # spreadsheets begin a file so
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise FileRefused(
            f"{path}:{line}: byte {error.object[error.start]:#04x} is no UTF-8: save it as UTF-8"
        ) from error
    except OSError as error:
        raise FileRefused(f"{path}: cannot be read: {error.strerror}") from error


def _header(path: Path, cells: list[str]) -> list[str]:
    header = [cell.strip().casefold() for cell in cells]
    for name in header:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise FileRefused(f"{path}:1: {name!r} is not one of {', '.join(COLUMNS)}{hint}")
        if header.count(name) > 1:
            raise FileRefused(f"{path}:1: {name!r} is there twice")
    if "label" not in header or not {"frame", "slot"} & set(header):
        raise FileRefused(f"{path}:1: label, and frame or slot, are needed; there is {', '.join(header) or 'nothing'}")
    return header


def _numbered(rows: Any) -> Iterator[tuple[int, "list[str] | _Wrong"]]:
    """(line, cells), blank lines left out; a line with a quote too many or too few is wrong."""
    while True:
        number = rows.line_num + 1
        try:
            cells: list[str] = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield (
                number,
                _Wrong(str(error), 'a cell with quotes in it is quoted whole, and each quote doubled: "3"" nail"'),
            )
            continue
        if any(cell.strip() for cell in cells):
            yield number, cells


def _parsed(number: int, cells: dict[str, str]) -> Line | list[Refused]:
    """The line, or everything that is wrong with it."""
    facts: dict[str, Any] = {"number": number}
    refused: list[Refused] = []
    for column, cell in cells.items():
        value = _OF_COLUMN[column](cell.strip())
        if isinstance(value, _Wrong):
            refused.append(Refused(line=number, column=column, found=value.found, expected=value.expected))
        elif value is not None:
            facts[column] = value
    if not refused and "frame" not in facts and "slot" not in facts:
        expected = "one of them says what was looked at"
        refused.append(Refused(line=number, column="frame", found="neither frame nor slot", expected=expected))
    return refused or Line(**facts)


def _frame(cell: str) -> str | _Wrong | None:
    if not cell:
        return None
    parts = cell.split("/")
    if len(parts) != 4 or not all(parts) or not all(part.isdecimal() for part in parts[2:]) or len(cell) > 200:
        return _Wrong(repr(cell), "a frame is station/camera/epoch/number, as rail-03/head/7/000123")
    return cell


def _whole(least: int, most: int) -> Callable[[str], int | _Wrong | None]:
    def parse(cell: str) -> int | _Wrong | None:
        if not cell:
            return None
        if not (cell.isascii() and cell.isdecimal() and len(cell) <= 16) or not least <= int(cell) <= most:
            return _Wrong(repr(cell), f"a whole number from {least} to {most} is needed")
        return int(cell)

    return parse


def _state(cell: str) -> State | _Wrong | None:
    word = cell.casefold().replace(" ", "_").replace("-", "_")
    if word and word not in set(State):
        return _Wrong(repr(cell), f"one of {', '.join(State)}, or nothing")
    return State(word) if word else None


def _label(cell: str) -> str | _Wrong:
    word = _plain(cell, "good, borderline, or the type of the defect")
    if not word:
        return _Wrong("nothing", "good, borderline, or the type of the defect is needed")
    if isinstance(word, str) and word.casefold() in {GOOD, BORDERLINE}:
        return word.casefold()
    return word


def _reviewer(cell: str) -> str | _Wrong | None:
    if cell.casefold() == TWIN:
        return _Wrong(repr(cell), "that is the twin of a bench station: linectl labels import --from-twin")
    return _plain(cell, "a name")


def _plain(cell: str, what: str) -> str | _Wrong | None:
    """Text as it is: a formula or a tag in it is text too. Control characters would show as something else."""
    if len(cell) > TEXT_MOST:
        return _Wrong(f"{len(cell)} characters", f"{what} has at most {TEXT_MOST}")
    return _hidden(cell, what) or cell or None


def _why(cell: str) -> str | _Wrong | None:
    if len(cell) > WHY_MOST:
        return _Wrong(f"{len(cell)} characters", f"a reason has at most {WHY_MOST}")
    return _hidden(cell.replace("\n", " ").replace("\r", " ").replace("\t", " "), "a reason") or cell or None


def _hidden(cell: str, what: str) -> _Wrong | None:
    """What is wrong with text that is not what it looks like: control characters, and marks that turn its direction."""
    for character in cell:
        if unicodedata.category(character) in {"Cc", "Cf", "Cs"}:
            return _Wrong(f"U+{ord(character):04X} in {cell!r}", f"{what} is of characters that show")
    return None


def _size(cell: str) -> float | _Wrong | None:
    if not cell:
        return None
    try:
        size = float(cell)
    except ValueError:
        size = math.nan
    if not 0 < size <= 1e6:
        hint = f": {cell.replace(',', '.')!r}, with a point" if "," in cell else ""
        return _Wrong(repr(cell), f"mm above 0 are needed, up to 1e6{hint}")
    return size


def _blind(cell: str) -> bool | _Wrong:
    if cell.casefold() not in {*YES, *NO}:
        return _Wrong(repr(cell), f"one of {', '.join((*YES, *NO[:-1]))} is needed")
    return cell.casefold() in YES


def _at(cell: str) -> int | _Wrong | None:
    if not cell:
        return None
    try:
        then = datetime.fromisoformat(cell)
        if then.tzinfo is None or not 1970 < then.year < 2200:
            raise ValueError
    except ValueError:
        return _Wrong(repr(cell), "a time with its zone is needed, as 2026-09-21T14:03:00+02:00 or …Z")
    since = then.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000


_OF_COLUMN: dict[str, Callable[[str], Any]] = {
    "frame": _frame,
    "slot": _whole(0, 2**53 - 1),
    "region": _whole(1, 4096),
    "reviewer": _reviewer,
    "state": _state,
    "label": _label,
    "size_mm": _size,
    "blind": _blind,
    "trial": _whole(1, 100),
    "at": _at,
    "why": _why,
}
