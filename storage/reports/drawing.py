"""A drawing as SVG that may stand in a page: the same bytes each time, text as outlines, no style and no script.

Colours are those of Okabe and Ito (Color Universal Design, 2008), which people tell apart however they see; what
matters differs in shape or hatching too, so that it is there in grey.
"""

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, RULE = "#16191d", "#565d66", "#c9ced4"
BLUE, VERMILION, ORANGE, SKY = "#0072b2", "#d55e00", "#e69f00", "#56b4e9"
WIDE = 7.2  # inches: the text of an A4 page
LEFT, RIGHT, BOTTOM, TOP = 0.72, 0.08, 0.44, 0.06  # inches around axes whose texts have a known size
SETTINGS: Any = {  # matplotlib types each name
    "svg.hashsalt": "line-monitor",  # names of clip paths are random otherwise
    "svg.fonttype": "path",  # a reader needs no font of ours
    "text.parse_math": False,  # a dollar in a name is a dollar
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "grid.color": RULE,
    "grid.linewidth": 0.4,
    "hatch.linewidth": 0.5,
    "hatch.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 7.0,
    "figure.facecolor": "white",
}

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_STYLESHEET = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_STYLE = re.compile(r'style="([^"]*)"')
_NAMED = re.compile(r'\bid="([^"]+)"')
_POINTED = re.compile(r'(xlink:href="#|url\(#)')


class Drawing:
    """A figure with one pair of axes; `svg` is there when the block has ended."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.svg = ""


@contextmanager
def drawn(height: float, *, width: float = WIDE, fitted: bool = True) -> Iterator[Drawing]:
    """Axes to draw on, inches. `fitted`: the room around them is measured by their texts, which takes as long again as
    the drawing; else it is fixed."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained" if fitted else None)
        drawing = Drawing(figure.add_subplot())
        if not fitted:
            figure.subplots_adjust(LEFT / width, BOTTOM / height, 1 - RIGHT / width, 1 - TOP / height)
            drawing.axes.yaxis.set_label_coords(-0.6 / (width - LEFT - RIGHT), 0.5)
        yield drawing
        if layout := figure.get_layout_engine():
            layout.execute(figure)
            figure.set_layout_engine("none")  # or savefig would draw it all once more to lay it out
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    drawing.svg = _plain(written.getvalue())


def _plain(svg: str) -> str:
    """Without prolog, comments and styles: what a page whose policy forbids styles can show, beside others."""
    svg = svg[svg.index("<svg") :]
    for needless in (_COMMENT, _METADATA, _STYLESHEET):
        svg = needless.sub("", svg)
    svg = _STYLE.sub(lambda found: _attributes(found[1]), svg)
    svg = svg.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)
    own = hashlib.sha256(svg.encode()).hexdigest()[:8]  # names must be those of one picture alone
    svg = _NAMED.sub(rf'id="{own}-\1"', svg)
    svg = _POINTED.sub(rf"\g<1>{own}-", svg)
    return "\n".join(line.strip() for line in svg.splitlines() if line.strip()) + "\n"


def _attributes(style: str) -> str:
    pairs = [declared.partition(":")[::2] for declared in style.split(";") if declared.strip()]
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in pairs)
