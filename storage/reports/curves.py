"""The picture of a POD curve: hits and misses, the curve through them, its bound, and a90/95."""

from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import FuncFormatter, PercentFormatter

from storage.reports.drawing import BLUE, INK, MUTED, VERMILION, drawn
from storage.statistics.detection import Pod
from storage.statistics.missing import Missing

SPREAD = 0.045  # of POD: sites of one size lie above one another


def pod_curve(found: Pod, sizes_mm: Sequence[float], hits: Sequence[bool]) -> str:
    """SVG. Hits are rings at the top, misses crosses at the bottom; sizes in mm on a logarithmic axis."""
    with drawn(2.6) as drawing:
        axes = drawing.axes
        at = [point.size_mm for point in found.curve]
        axes.plot(at, [point.pod for point in found.curve], color=BLUE, linewidth=1.4, label="POD")
        bound = f"lower bound, {found.confidence:.0%}"
        axes.plot(at, [p.low for p in found.curve], color=VERMILION, linewidth=1, linestyle=(0, (4, 2)), label=bound)
        for is_hit, marker, name in ((True, "o", "hit"), (False, "x", "missed")):
            places = _places([size for size, hit in zip(sizes_mm, hits, strict=True) if hit is is_hit])
            axes.plot(
                [size for size, _ in places],
                [1 + up if is_hit else -up for _, up in places],
                marker,
                color=INK,
                markersize=3,
                markerfacecolor="none",
                markeredgewidth=0.7,
                linestyle="none",
                label=name,
            )
        axes.axhline(0.9, color=MUTED, linewidth=0.6)
        if not isinstance(found.a90_bound_mm, Missing):
            axes.axvline(found.a90_bound_mm, color=INK, linewidth=0.8, linestyle=(0, (1, 1)))
            text = f"a90/95 {found.a90_bound_mm:.3g} mm "
            axes.annotate(text, (found.a90_bound_mm, 0.03), fontsize=7, color=INK, ha="right")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda size, _: f"{size:g}" if f"{size:e}"[0] in "25" else ""))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_yticks(np.linspace(0, 1, 6))
        axes.set(xlabel="size of the flaw, mm", ylabel="probability of detection")
        axes.grid(axis="y")
        axes.legend(loc="upper left", bbox_to_anchor=(0.01, 0.88))
    return drawing.svg


def _places(sizes_mm: Sequence[float]) -> list[tuple[float, float]]:
    """(size, how far beside the line), so that sites of one size are all seen; at most five beside one another."""
    seen: dict[float, int] = {}
    found = []
    for size in sorted(sizes_mm):
        place = seen.get(size, 0)
        seen[size] = place + 1
        found.append((size, SPREAD * (1 + place % 5) / 2))
    return found
