"""The pictures of the reports: control charts, Pareto bars, maps of defects, times, and what became of the parts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike, NDArray

from storage.reports.drawing import BLUE, INK, MUTED, SKY, VERMILION, drawn
from storage.statistics.charts import Chart
from storage.statistics.pareto import OTHER, Pareto

TICKS = 9  # at most so many texts under a row of points
FEW = 120  # points: more are drawn without a dot each
BARS: dict[str, Any] = {  # how a kind of bar looks, in colour and in grey
    "passed": {"facecolor": SKY},
    "rejected": {"facecolor": VERMILION, "hatch": "////"},
    "not inspected": {"facecolor": "white", "hatch": "xxxx"},
}
DENSITY = LinearSegmentedColormap.from_list("density", ["#ffffff", "#c6dcea", "#5a9bc4", BLUE, "#06283d"], N=48)


def control_chart(charts: Sequence[Chart], labels: Sequence[str], *, value: str, points: str) -> str:
    """Phases of one series, each with limits of its own; `labels` name all points, `value` and `points` the axes."""
    with drawn(2.15, fitted=False) as drawing:  # a page has fifteen of them
        axes = drawing.axes
        for chart in charts:
            _phase(axes, chart)
        for chart in charts[1:]:
            axes.axvline(chart.points[0].index - 0.5, color=INK, linewidth=0.8, linestyle=(0, (6, 3)))
        _signals(axes, charts)
        _place_labels(axes, labels)
        axes.set(xlabel=points, ylabel=value)
        axes.margins(x=0.015, y=0.16)
        lowest = min(min(point.lower, point.value) for chart in charts for point in chart.points)
        top = axes.get_ylim()[1]
        if 0 <= lowest < top / 2:  # nothing is below 0 but a margin
            axes.set_yticks([tick for tick in MaxNLocator(6).tick_values(0, top) if 0 <= tick <= top])
            axes.set_ylim(-0.06 * top, top)
    return drawing.svg


def pareto_bars(found: Pareto, *, amount: str) -> str:
    """Bars fall to the right; the line adds them up, and the dashed one is the share that the vital few reach."""
    rows = found.rows
    with drawn(0.62 + 0.23 * len(rows)) as drawing:
        axes, places = drawing.axes, np.arange(len(rows))[::-1]
        for at, row in zip(places, rows, strict=True):
            fill = BLUE if row.vital else "white" if row.kind == OTHER else SKY
            axes.barh(at, row.share, height=0.72, facecolor=fill, edgecolor=INK, linewidth=0.5)
        axes.plot([row.cumulative for row in rows], places, color=INK, linewidth=1, marker="o", markersize=3)
        axes.axvline(found.line, color=VERMILION, linewidth=1, linestyle=(0, (5, 3)))
        axes.set_yticks(places, [row.kind for row in rows])
        axes.set(xlim=(0, 1.02), xlabel=f"share of {amount}, and of it with the rows above")
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
    return drawing.svg


def density_map(
    per_area: NDArray[np.float64], x_edges: ArrayLike, y_edges: ArrayLike, *, unit: str, density: str
) -> str:
    """Cells (Y, X) between their edges in `unit`; the part is drawn to scale, lying where it is long."""
    across, along = np.asarray(x_edges, np.float64), np.asarray(y_edges, np.float64)
    scale = (across[-1] - across[0]) / (along[-1] - along[0])
    with drawn(float(np.clip(7.0 * scale, 1.5, 4.2)) + 0.55) as drawing:
        axes = drawing.axes
        filled = np.argwhere(per_area > 0)  # white is nothing: it needs no cell
        corners = [
            [(along[y], across[x]), (along[y + 1], across[x]), (along[y + 1], across[x + 1]), (along[y], across[x + 1])]
            for y, x in filled
        ]
        mesh = PolyCollection(corners, cmap=DENSITY, edgecolors="face", linewidths=0.2)
        mesh.set_array(np.array([per_area[y, x] for y, x in filled]))
        mesh.set_clim(0, float(per_area.max()))
        axes.add_collection(mesh)
        axes.set(xlim=(along[0], along[-1]), ylim=(across[-1], across[0]))
        axes.set(
            xlabel=f"along the belt, {unit}", ylabel=f"across, {unit}", aspect="equal" if scale >= 0.15 else "auto"
        )
        for side in ("top", "right"):
            axes.spines[side].set_visible(True)
        figure = axes.figure
        bar = figure.colorbar(mesh, ax=axes, pad=0.012, fraction=0.03, aspect=18, drawedges=False)
        bar.set_label(density)
        if bar.solids is not None:
            bar.solids.set(rasterized=False, edgecolor="face")  # a picture of pixels is no drawing
        bar.outline.set_linewidth(0.5)
        bar.ax.yaxis.set_major_locator(MaxNLocator(5))
    return drawing.svg


def histogram(edges: ArrayLike, counts: ArrayLike, *, value: str, parts: str, marks: Mapping[str, float]) -> str:
    """Counts between edges that rise by a factor, so the axis of values is logarithmic; marks are named lines."""
    borders, amounts = np.asarray(edges, np.float64), np.asarray(counts, np.float64)
    with drawn(2.1) as drawing:
        axes = drawing.axes
        axes.bar(
            borders[:-1],
            amounts,
            width=np.diff(borders),
            align="edge",
            facecolor=SKY,
            edgecolor=INK,
            linewidth=0.5,
        )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda at, _: f"{at:g}"))
        axes.xaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))
        axes.set(xlabel=value, ylabel=parts, xlim=(borders[0] / 1.1, borders[-1] * 1.1))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.grid(axis="y")
        axes.margins(y=0.22)
        top = axes.get_ylim()[1]
        for number, (name, at) in enumerate(marks.items()):
            axes.axvline(at, color=VERMILION, linewidth=1, linestyle=[(0, (5, 3)), (0, (1, 1)), "-"][number % 3])
            axes.annotate(
                f" {name}", (at, top), xytext=(0, -8 - 9 * number), textcoords="offset points", fontsize=7, color=INK
            )
    return drawing.svg


def outcome_bars(labels: Sequence[str], counts: Mapping[str, Sequence[int]], *, points: str, parts: str) -> str:
    """What became of the parts of each shift or hour: bars of the kinds of `BARS`, one upon the other."""
    with drawn(2.1) as drawing:
        axes, places = drawing.axes, np.arange(len(labels))
        below = np.zeros(len(labels))
        for kind, amounts in counts.items():
            axes.bar(places, amounts, bottom=below, width=0.78, edgecolor=INK, linewidth=0.4, label=kind, **BARS[kind])
            below = below + np.asarray(amounts)
        _place_labels(axes, labels)
        axes.set(xlabel=points, ylabel=parts, xlim=(-0.7, max(len(labels), 6) - 0.3))
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_ylim(0, 1.06 * max(below.max(initial=0), 1))
        axes.grid(axis="y")
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)
    return drawing.svg


def _phase(axes: Axes, chart: Chart) -> None:
    """Points on their centre line, between limits that step with the size of each point."""
    at = np.array([point.index for point in chart.points], np.float64)
    borders = np.append(at - 0.5, at[-1] + 0.5)
    for which, colour, dashes in (
        ("centre", INK, "-"),
        ("lower", VERMILION, (0, (4, 2))),
        ("upper", VERMILION, (0, (4, 2))),
    ):
        heights = [getattr(point, which) for point in chart.points]
        axes.plot(np.repeat(borders, 2)[1:-1], np.repeat(heights, 2), color=colour, linewidth=0.9, linestyle=dashes)
    dot: Any = {"marker": "o", "markersize": 2.6} if len(at) <= FEW else {}
    axes.plot(at, [point.value for point in chart.points], color=BLUE, linewidth=0.9, **dot)
    out = [point for point in chart.points if point.index in chart.excluded]
    axes.plot(
        [point.index for point in out], [point.value for point in out], "x", color=MUTED, markersize=5, linestyle="none"
    )


def _signals(axes: Axes, charts: Sequence[Chart]) -> None:
    """A ring around each signal, with the rules that it breaks above it."""
    for chart in charts:
        values = {point.index: point.value for point in chart.points}
        rules: dict[int, list[str]] = {}
        for signal in chart.signals:
            rules.setdefault(signal.index, []).append(signal.rule)
        axes.plot(
            list(rules),
            [values[at] for at in rules],
            linestyle="none",
            marker="D",
            markersize=5,
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=0.9,
        )
        last, spread = -1e9, max(1.0, len(values) / 60)
        for at, names in rules.items():
            if at - last < spread:
                continue  # texts would lie over one another; the table names each
            axes.annotate(
                " ".join(names),
                (at, values[at]),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=6,
                color=INK,
            )
            last = at


def _place_labels(axes: Axes, labels: Sequence[str]) -> None:
    step = max(1, -(-len(labels) // TICKS))
    places = range(0, len(labels), step)
    axes.set_xticks(list(places), [labels[at] for at in places])
