"""A page as the words that people read: one text for each value, the same in HTML and in PDF."""

import re
from collections.abc import Sequence
from typing import Any, assert_never

from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Photo, Picture, Table, Text

NOTHING = "–"
GROUPED_FROM = 10_000  # a gap of thousands helps from here on; below it only looks like two numbers
GAP = "\u202f"  # narrow, and no line breaks at it
MINUS = "\u2212"

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d)")  # a date and its time stay on one line


def text_of(value: Cell, *, digits: int | None = None, is_share: bool = False) -> str:
    """What stands in a table: thousands apart, a share in percent, a dash for nothing."""
    match value:
        case None:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case str():
            return _MOMENT.sub("\\1\u00a0\\2", value)
        case int() | float() if is_share:
            return _percent(value, 1 if digits is None else digits) + f"{GAP}%"
        case int():
            return _number(str(value) if digits is None else f"{value:.{digits}f}")
        case float():
            return _number(f"{value:.6g}" if digits is None else f"{value:.{digits}f}")
        case _:
            assert_never(value)


def is_numeric(column: Column, rows: Sequence[dict[str, Cell]]) -> bool:
    """Whether it is set to the right."""
    if column.digits is not None or column.is_share:
        return True
    values = [value for row in rows if (value := row[column.key]) is not None]
    return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def shown(page: Page) -> dict[str, Any]:
    """Everything that a template needs; pictures and photos stay what they are."""
    return {
        "report": page.report,
        "title": page.title,
        "station": page.station,
        "period": page.period,
        "facts": [_fact(fact) for fact in page.facts],
        "parts": [_part(part) for part in page.parts],
        "footer": footer_lines(page),
    }


def footer_lines(page: Page) -> list[tuple[str, str]]:
    """(what, text) of where the figures come from."""
    footer = page.footer
    query = ", ".join(f"{key} {value}" for key, value in footer.query.items() if value is not None)
    return [
        ("Query", f"{page.report}: {query}" if query else page.report),
        ("Verdicts", text_of(footer.row_count)),
        ("Time zone", footer.time_zone),
        ("Chain head", footer.chain_head or "none: the store has taken in no row"),
        ("Software", footer.version),
    ]


def _fact(fact: Fact) -> dict[str, str]:
    value = text_of(fact.value, digits=fact.digits, is_share=fact.is_share)
    return {
        "title": fact.title,
        "value": value,
        "unit": fact.unit if fact.value is not None else "",
        "note": fact.note,
    }


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Table():
            return {"kind": "table", "title": part.title, "note": part.note, **_cells(part)}
        case Picture():
            return {"kind": "picture", "title": part.title, "note": part.note, "svg": part.svg}
        case Photo():
            return {"kind": "photo", "title": part.title, "note": part.note, "sha256": part.sha256, "png": part.png}
        case Text():
            return {"kind": "text", "title": part.title, "note": "", "text": part.text}
        case Gap():
            return {"kind": "gap", "title": part.title, "note": "", "missing": part.missing, "remedy": part.remedy}
        case _:
            assert_never(part)


def _cells(table: Table) -> dict[str, Any]:
    columns = table.columns
    return {
        "columns": [{"title": each.title, "numeric": is_numeric(each, table.rows)} for each in columns],
        "rows": [
            [text_of(row[each.key], digits=each.digits, is_share=each.is_share) for each in columns]
            for row in table.rows
        ],
    }


def _percent(share: float, digits: int) -> str:
    """What is less than all is never shown as 100, nor what is more than nothing as 0."""
    text, least = f"{100 * share:.{digits}f}", 10.0**-digits
    if share < 1 and float(text) >= 100:
        return f">{100 - least:.{digits}f}"
    return f"<{least:.{digits}f}" if share > 0 and float(text) == 0 else _number(text)


def _number(text: str) -> str:
    """Thousands apart, and a minus as wide as the plus."""
    sign, body = (MINUS, text[1:]) if text.startswith("-") else ("", text)
    whole, point, rest = body.partition(".")
    if whole.isdigit() and int(whole) >= GROUPED_FROM:
        whole = f"{int(whole):,}".replace(",", GAP)
    if not (whole + rest).strip("0"):
        sign = ""  # a zero has none
    return f"{sign}{whole}{point}{rest}"
