"""Each form of a page says the same, runs nothing, loads nothing, and has the same bytes each time."""

import io
import json
import re
import time
import zipfile
from pathlib import Path
from typing import Any

import jinja2
import pytest
from typer.testing import CliRunner
from xlsxwriter.worksheet import Worksheet

import config.extras
import storage.reports.html
from storage.reports.drawing import drawn
from storage.reports.forms import FORMS, write_page
from storage.reports.html import NotADrawing, drawing, html
from storage.reports.page import Picture, as_json
from storage.reports.pdf import sheets
from storage.reports.sheet import workbook
from storage.reports.shown import text_of
from tests.storage.reports.pages import HOSTILE, a_page


@pytest.mark.parametrize("form", FORMS)
def test_the_same_page_has_the_same_bytes(form: str) -> None:
    first = FORMS[form](a_page())
    time.sleep(2.1)  # a zip has times to 2 s, a PDF to 1 s

    assert FORMS[form](a_page()) == first


def test_drawings_have_the_same_bytes_and_a_date_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(salt: str) -> str:
        monkeypatch.setitem(storage.reports.drawing.SETTINGS, "svg.hashsalt", salt)
        with drawn(1.0) as made:
            made.axes.bar([0, 1], [1, 2], hatch="//")
        return made.svg

    assert one("a") == one("a")
    assert one("a") != one("b")
    assert not re.search(r"<style|style=|<!--|<metadata|DOCTYPE", one("a"))


def test_html_shows_what_came_from_the_line_and_runs_none_of_it() -> None:
    page = html(a_page(HOSTILE)).decode()

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!data:|#)""", page)


def test_html_that_escaped_nothing_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = jinja2.Environment
    monkeypatch.setattr(storage.reports.html, "Environment", lambda **given: ours(**given | {"autoescape": False}))

    assert "<script>alert(1)" in html(a_page(HOSTILE)).decode()


@pytest.mark.parametrize(
    "svg",
    [
        pytest.param("<svg><script>alert(1)</script></svg>", id="script"),
        pytest.param("<svg><foreignObject/></svg>", id="foreign"),
        pytest.param("<svg><path onload='alert(1)'/></svg>", id="handler"),
        pytest.param("<svg/onload=alert(1)>", id="handler-behind-a-slash"),
        pytest.param('<svg><use xlink:href="https://example.com/a.svg"/></svg>', id="elsewhere"),
        pytest.param('<svg><path fill="url(https://example.com)"/></svg>', id="fill-from-elsewhere"),
        pytest.param('<svg><path style="fill: red"/></svg>', id="style"),
        pytest.param("</figure><img src=x>", id="no-drawing"),
    ],
)
def test_a_picture_that_could_do_more_than_be_looked_at_is_refused(svg: str) -> None:
    with pytest.raises(NotADrawing):
        html(a_page(parts=(Picture(title="a", svg=svg),)))


def test_a_name_in_a_drawing_is_drawn() -> None:
    with drawn(1.0) as made:
        made.axes.set_xlabel(f"{HOSTILE} $\\frac{{}}$ -->")

    assert drawing(made.svg)


def test_pdf_shows_what_came_from_the_line_and_runs_none_of_it() -> None:
    assert len(sheets(a_page('#panic("no") $x$ *a* `b` #include "page.json"' + HOSTILE), ppi=30)) >= 1


def test_xlsx_has_text_as_text() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook(a_page(HOSTILE)))) as book:
        cells = "".join(book.read(name).decode() for name in book.namelist() if "sheet" in name)

    assert "<f>" not in cells
    assert "&lt;script&gt;" in cells
    assert "-1+2" in cells


def test_xlsx_that_wrote_whatever_fits_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Worksheet.write_string

    def careless(self: Any, line: int, at: int, text: str, how: Any = None) -> Any:
        return self.write_formula(line, at, text, how) if text.startswith("=") else ours(self, line, at, text, how)

    monkeypatch.setattr(Worksheet, "write_string", careless)

    with zipfile.ZipFile(io.BytesIO(workbook(a_page(HOSTILE)))) as book:
        assert any(b"<f>" in book.read(name) for name in book.namelist() if "sheet" in name)


def test_json_has_its_keys() -> None:
    found = json.loads(FORMS["json"](a_page()))

    assert list(found) == [
        *("report", "query", "row_count", "time_zone", "chain_head", "version", "facts", "missing", "rows")
    ]
    assert found == as_json(a_page())
    assert found["missing"] == [{"what": "head", "remedy": "Run head."}]


def test_a_missing_extra_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.history_files import MissingExtra

    monkeypatch.setattr(config.extras, "find_spec", lambda _: None)

    with pytest.raises(MissingExtra, match=r"^pdf: 'report' needs typst.*pip install 'line-monitor\[report\]'$"):
        write_page(a_page(), tmp_path / "a.pdf", "pdf")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "how", "text"),
    [
        (None, {}, "–"),
        (True, {}, "yes"),
        (12345, {}, "12\u202f345"),
        (1234, {}, "1234"),
        (-0.00001, {"digits": 2}, "0.00"),
        (-1.5, {}, "\u22121.5"),
        (0.99126, {"is_share": True, "digits": 2}, "99.13\u202f%"),
        (0.999999, {"is_share": True, "digits": 2}, ">99.99\u202f%"),
        (0.000001, {"is_share": True}, "<0.1\u202f%"),
        (1, {"is_share": True}, "100.0\u202f%"),
        (0.0, {"is_share": True}, "0.0\u202f%"),
        ("2026-09-21 06:00", {}, "2026-09-21\u00a006:00"),
    ],
)
def test_values_as_people_read_them(value: object, how: dict[str, int], text: str) -> None:
    assert text_of(value, **how) == text  # type: ignore[arg-type]


def test_help_names_each_report() -> None:
    from storage.report_commands import app
    from storage.reports.catalog import REPORTS

    said = CliRunner().invoke(app, ["--help"]).output

    assert all(name in said for name in REPORTS)
