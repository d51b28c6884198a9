"""A page as PDF, or as pictures of its sheets: set by typst, from the same words as the HTML.

Only fonts that come with our libraries are used, whatever the machine has, and no date is written, so the same page
has the same bytes. What the page says reaches the template as JSON, which it shows and never runs.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Literal

from storage.reports.page import Page
from storage.reports.shown import shown

HERE = Path(__file__).parent
PPI = 110  # of a picture of a sheet


def pdf(page: Page) -> bytes:
    """The file."""
    return _set(page, "pdf")[0]


def sheets(page: Page, *, ppi: float = PPI) -> list[bytes]:
    """A PNG of each sheet of paper."""
    return _set(page, "png", ppi)


def _set(page: Page, form: Literal["pdf", "png"], ppi: float | None = None) -> list[bytes]:
    import matplotlib as mpl
    import typst

    words = shown(page)
    with tempfile.TemporaryDirectory(prefix="report-") as home:
        shutil.copy(HERE / "page.typ", home)
        for number, part in enumerate(words["parts"]):
            _set_aside(part, Path(home), number)
        (Path(home) / "page.json").write_text(json.dumps(words))
        found: Any = typst.compile(
            str(Path(home) / "page.typ"),
            root=home,
            font_paths=[mpl.get_data_path() + "/fonts/ttf"],  # DejaVu Sans, as in the drawings
            ignore_system_fonts=True,
            format=form,
            ppi=ppi,
            timestamp=0,
        )
    return [bytes(found)] if isinstance(found, bytes) else [bytes(each) for each in found]  # one sheet is no list


def _set_aside(part: dict[str, Any], home: Path, number: int) -> None:
    """Puts what is no text into a file of its own, and its name into the part."""
    if part["kind"] == "picture":
        (home / f"{number}.svg").write_text(part.pop("svg"))
        part["file"] = f"{number}.svg"
    elif part["kind"] == "photo":
        png = part.pop("png")
        if png is not None:
            (home / f"{number}.png").write_bytes(png)
        part["file"] = None if png is None else f"{number}.png"
