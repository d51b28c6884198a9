"""A report before it has a form: HTML, PDF, XLSX and JSON are all made from this, and say the same.

The time of making is nowhere in it: the same question to the same chain head gives the same bytes.
"""

from typing import Any

import msgspec

Cell = str | int | float | bool | None


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """Of a table; `key` is its name in JSON, with the unit in it."""

    key: str
    title: str
    digits: int | None = None  # after the point; None: as it is
    is_share: bool = False  # shown as percent; 0..1 in JSON


class Table(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Cell], ...]  # by key
    note: str = ""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A drawing; what it shows stands in a table too, or in its note."""

    title: str
    svg: str
    note: str = ""


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """A crop or frame of the image store."""

    title: str
    sha256: str
    png: bytes | None  # None: `note` says why
    note: str = ""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A headline figure."""

    key: str
    title: str
    value: Cell  # None: cannot be had; `note` says why
    unit: str = ""
    digits: int | None = None
    is_share: bool = False
    note: str = ""


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A paragraph."""

    title: str
    text: str


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """What this report cannot say yet, and how to get there."""

    title: str
    missing: str
    remedy: str


Part = Table | Picture | Photo | Text | Gap


class Footer(msgspec.Struct, frozen=True, kw_only=True):
    """Where the figures come from."""

    query: dict[str, Cell]
    row_count: int  # verdicts that the figures rest on
    time_zone: str
    chain_head: str  # hex of the hash of the last journal row that the store had taken in
    version: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One report."""

    report: str  # its name on the command line
    title: str
    station: str
    period: str  # for people, in the time zone of the footer
    facts: tuple[Fact, ...] = ()
    parts: tuple[Part, ...] = ()
    rows: tuple[dict[str, Cell], ...] = ()  # the report's figures for programs
    footer: Footer


def as_json(page: Page) -> dict[str, Any]:
    """`report, query, row_count, time_zone, chain_head, version, rows`, and the headline figures."""
    footer = page.footer
    return {
        "report": page.report,
        "query": footer.query,
        "row_count": footer.row_count,
        "time_zone": footer.time_zone,
        "chain_head": footer.chain_head,
        "version": footer.version,
        "facts": {fact.key: fact.value for fact in page.facts},
        "missing": [{"what": part.missing, "remedy": part.remedy} for part in page.parts if isinstance(part, Gap)],
        "rows": list(page.rows),
    }
