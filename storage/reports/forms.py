"""A page as a file: HTML, PDF, XLSX or JSON, as the name's ending says; the same page has the same bytes."""

import json
from collections.abc import Callable
from pathlib import Path

from config.extras import missing_module
from monitor.output import write_durably
from storage.history_files import MissingExtra
from storage.reports.html import html
from storage.reports.page import Page, as_json
from storage.reports.pdf import pdf
from storage.reports.sheet import workbook

NEEDS = {"pdf": "typst", "xlsx": "xlsxwriter"}  # of the extra `report`


def as_text(page: Page) -> bytes:
    """What programs read."""
    return (json.dumps(as_json(page), indent=2) + "\n").encode()


FORMS: dict[str, Callable[[Page], bytes]] = {"html": html, "pdf": pdf, "xlsx": workbook, "json": as_text}


def check_form(form: str) -> None:
    """Raises `MissingExtra` where this form needs a library that is not installed: said before the work begins."""
    if form in NEEDS and (said := missing_module("report", NEEDS[form])):
        raise MissingExtra(f"{form}: {said}")


def write_page(page: Page, path: Path, form: str) -> None:
    """The file, whole or not there."""
    check_form(form)
    write_durably(path, FORMS[form](page))
