"""Figures 6 to 9: how long each net takes, and what the nets of Table 4 found in the same images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from benchmarks.paper_numbers import LABELS, SETS, Data, Job
from workers.datasets.split import wanted
from workers.datasets.stored import examples, load_split
from workers.drawings import INK, Picture, overlay, without_frame
from workers.trial import SAMPLES_MOST, read_sample

COLUMNS = (
    "lraspp_mobilenetv3",
    "deeplabv3_resnet50",
    "fcn_resnet50",
    "unet",
    "anatomynet",
    "anomalyseg",
)  # the paper's
ENGINES = {"torch_ms": "#1f6feb", "openvino_ms": "#e36209"}


def write_times(path: Path, times: dict[str, Any]) -> None:
    """Bars on a logarithmic scale, one panel for each image size."""
    sizes = list(dict.fromkeys(row["size"] for row in times["rows"]))
    rows = [row for row in times["rows"] if row["size"] == sizes[0]]
    names = [LABELS[row["net"]] + ("" if row["width"] is None else f", width {row['width']}") for row in rows]
    figure = Figure(figsize=(4 + 3.2 * len(sizes), 0.8 + 0.3 * len(names)), dpi=120, layout="constrained")
    panels = figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
    for axes, size in zip(panels, sizes, strict=True):
        for shift, (engine, colour) in zip((-0.2, 0.2), ENGINES.items(), strict=True):
            values = [row[engine] or 0.0 for row in times["rows"] if row["size"] == size]
            axes.barh([n + shift for n in range(len(values))], values, 0.38, color=colour, label=engine[:-3])
        axes.set(xscale="log", xlabel="ms an image", title=f"{size} px")
        axes.set_yticks(range(len(names)), names)
        axes.grid(axis="x", alpha=0.25)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        without_frame(axes)
    panels[0].invert_yaxis()
    panels[-1].legend(frameon=False, loc="lower right")
    device = times["rows"][0]["device"]
    figure.suptitle(f"Time an image on {device}, {times['threads']} threads, batch 1", color=INK)
    figure.savefig(path)


def write_comparisons(path: Path, trials: Path, root: Path, data: Data, jobs: Sequence[Job]) -> None:
    """A row an image, a column a net: truth green, prediction red. Nothing where no net was trained on this data."""
    rows: list[tuple[str, list[Picture | None]]] = []
    for dataset in SETS[data]:
        of_set = {job.net: job for job in jobs if (job.dataset, job.loss, job.width) == (dataset, "hybrid", None)}
        shown = [of_set.get(net) for net in COLUMNS]
        if not any(shown):
            continue
        split = load_split(dataset, str(root / dataset))
        most = len(rows) + SAMPLES_MOST // len(SETS[data])
        for example in examples(wanted(split, "val", root), channels=1):
            if len(rows) >= most:
                break
            if not example.mask.any():
                continue
            masks = [None if job is None else read_sample(trials / job.name, example.name) for job in shown]
            nothing = np.zeros_like(example.mask)
            pictures: list[Picture | None] = [
                Picture(title="original", pixels=example.pixels, truth=nothing, found=nothing)
            ]
            pictures += [
                None
                if found is None
                else Picture(title=LABELS[net], pixels=example.pixels, truth=example.mask, found=found)
                for net, found in zip(COLUMNS, masks, strict=True)
            ]
            rows.append((example.name, pictures))
    path.unlink(missing_ok=True)  # of an earlier call
    if not rows:
        return
    titles = ("Original", *(LABELS[net] for net in COLUMNS))
    figure = Figure(figsize=(1.5 * len(titles) + 1, 3.1 * len(rows)), dpi=110, layout="constrained")
    grid = figure.subplots(len(rows), len(titles), squeeze=False)
    for n, (axes_row, (name, pictures)) in enumerate(zip(grid, rows, strict=True)):
        for axes, title, picture in zip(axes_row, titles, pictures, strict=True):
            axes.axis("off")
            if n == 0:
                axes.set_title(title, fontsize=7, color=INK)
            if picture is not None:
                axes.imshow(overlay(picture))
            elif n == 0:  # its figures came with the trial, its masks did not
                axes.text(0.5, 0.5, "no masks kept:\ntrain it anew", ha="center", va="center", fontsize=6, color=INK)
        axes_row[0].text(-0.06, 0.5, name, rotation=90, transform=axes_row[0].transAxes, va="center", fontsize=7)
    figure.suptitle(f"{data}: truth green, prediction red", fontsize=9, color=INK)
    figure.savefig(path)
