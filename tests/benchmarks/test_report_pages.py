"""The pictures of the reports are made from a twin's day, by one command."""

from pathlib import Path

import pytest

import benchmarks.report_pages
from benchmarks.report_pages import write_pages
from storage.reports.catalog import REPORTS


def test_each_report_has_its_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmarks.report_pages, "HOURS", 9)
    monkeypatch.setattr(benchmarks.report_pages, "PARTS_AN_HOUR", 20)
    monkeypatch.setattr(benchmarks.report_pages, "CRASH", 165)

    write_pages(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {f"report-{name}.png" for name in REPORTS}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.iterdir())


def test_the_page_shows_each_report() -> None:
    docs = Path(__file__).parents[2] / "docs"
    page = (docs / "reports.md").read_text()

    assert [name for name in REPORTS if f"## {name}\n" not in page] == []
    assert [name for name in REPORTS if f"(report-{name}.png)" not in page] == []
    assert [name for name in REPORTS if not (docs / f"report-{name}.png").is_file()] == []
