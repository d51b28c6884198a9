"""A page as one HTML file: nothing is loaded from anywhere, nothing in it can run, and it prints in grey.

Every text goes through jinja2's autoescape. Drawings are set in as they are, so only what a drawing needs is let
through; the page's own policy forbids scripts, foreign styles and the network besides.
"""

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from storage.reports.page import Page
from storage.reports.shown import shown

HERE = Path(__file__).parent
DRAWN = frozenset(
    {"svg", "g", "path", "defs", "use", "clipPath", "rect", "circle", "line", "polyline", "pattern", "title"}
)
_TAG = re.compile(r"<\s*/?\s*([^\s/>]+)")
_HANDLER = re.compile(r"""[\s"'/]on\w*\s*=|javascript:|\sstyle\s*=""", re.IGNORECASE)
_REFERENCE = re.compile(r"""href\s*=(?!["']#)|url\((?!#)""", re.IGNORECASE)


class NotADrawing(ValueError):
    """An SVG that holds more than lines and shapes."""


def html(page: Page) -> bytes:
    """The file. Raises `NotADrawing` for a picture that could do more than be looked at."""
    style = (HERE / "page.css").read_text()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = _environment().get_template("page.html.j2")
    return template.render(**shown(page), style=Markup(style), style_sha256=digest).encode()  # noqa: S704 - our own file


def drawing(svg: str) -> Markup:
    """An SVG that may stand inside the page."""
    if unknown := {tag for tag in _TAG.findall(svg) if tag not in DRAWN}:
        raise NotADrawing(f"the drawing has {sorted(unknown)}; it may have {sorted(DRAWN)}")
    if _HANDLER.search(svg) or _REFERENCE.search(svg):
        raise NotADrawing("the drawing has a handler, a style or a reference to elsewhere")
    return Markup(svg)  # noqa: S704 - looked through above


def data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"drawing": drawing, "data_uri": data_uri}
    return made
