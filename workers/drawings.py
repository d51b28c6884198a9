"""What people look at: curves of a run, curves over thresholds, and images with truth (green) and prediction (red)."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib as mpl
import msgspec
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from workers.figures import THRESHOLDS, Figures, Seen
from workers.metrics import dsc
from workers.run_folder import Epoch

TRUTH, FOUND, BOTH = (0, 170, 60), (220, 30, 40), (235, 190, 20)  # RGB
TILE_PX = 320  # long side of an image in a sheet
PAPER, INK, MUTED = "#ffffff", "#1b1f24", "#6a737d"
COLOURS = {"all": "#1f6feb", "defective": "#cf222e", "pooled": "#1a7f37"}

mpl.use("Agg")

Pixels = NDArray[np.uint8]


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a sheet."""

    title: str
    pixels: Pixels  # (H, W) or (H, W, 3) RGB
    truth: NDArray[np.bool_]  # (H, W)
    found: NDArray[np.bool_]  # (H, W)


def overlay(picture: Picture) -> Pixels:
    """(H, W, 3) RGB: the outline of the truth in green, of what was found in red, of where both agree in yellow."""
    grey = picture.pixels if picture.pixels.ndim == 3 else np.repeat(picture.pixels[..., None], 3, axis=2)
    shown = grey.copy()
    thick = max(1, round(max(picture.truth.shape) / 500))
    for mask, colour in ((picture.truth, TRUTH), (picture.found, FOUND)):
        outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(shown, outlines, -1, colour, thick)
    return shown


def write_sheet(path: Path, pictures: Sequence[Picture], *, title: str, columns: int = 8) -> None:
    """A contact sheet: each image as it is, and beside it with its outlines."""
    path.unlink(missing_ok=True)  # of an earlier call
    if not pictures:
        return
    rows = -(-len(pictures) // columns)
    tiles = [_tile(picture) for picture in pictures]
    high, wide = max(tile.shape[0] for tile in tiles), max(tile.shape[1] for tile in tiles)
    across = min(columns, len(pictures))
    figure = Figure(figsize=(across * wide / 100 + 0.2, rows * (high / 100 + 0.28) + 0.55), dpi=100, facecolor=PAPER)
    figure.suptitle(title, x=0.01, y=0.995, ha="left", va="top", fontsize=11, color=INK)
    grid = figure.subplots(rows, across, squeeze=False)
    figure.subplots_adjust(left=0.004, right=0.996, bottom=0.005, top=1 - 0.62 / figure.get_figheight(), wspace=0.03)
    for axes, picture, tile in zip(grid.flat, pictures, tiles, strict=False):
        axes.imshow(tile)
        axes.set_title(picture.title, fontsize=7, color=INK, pad=2)
    for axes in grid.flat:
        axes.axis("off")
    figure.savefig(path)


def write_curves(path: Path, epochs: Sequence[Epoch], *, title: str) -> None:
    """Loss, rate and the three Dice figures over a run."""
    if not epochs:
        return
    figure = Figure(figsize=(9, 3.4), dpi=120, facecolor=PAPER, layout="constrained")
    figure.suptitle(title, fontsize=10, color=INK)
    left, right = figure.subplots(1, 2)
    numbers = [each.epoch for each in epochs]
    left.plot(numbers, [each.loss for each in epochs], color=INK, marker=".", label="loss")
    left.set(xlabel="epoch", ylabel="training loss", ylim=(0, None))
    rates = left.twinx()
    rates.plot(numbers, [each.rate for each in epochs], color=MUTED, linestyle="--", label="rate")
    rates.set_ylabel("learning rate", color=MUTED)
    for name, colour in COLOURS.items():
        right.plot(
            numbers,
            [getattr(each, f"dsc_{name}") or 0.0 for each in epochs],
            color=colour,
            marker=".",
            label=f"dsc.{name}",
        )
    right.set(xlabel="epoch", ylabel="Dice, validation part, threshold 0.5", ylim=(0, 1))
    right.legend(frameon=False, loc="lower right")
    _plain(left, right)
    figure.savefig(path)


def write_threshold_curves(path: Path, seen: Sequence[Seen], found: Figures, *, title: str) -> None:
    """The three Dice figures and the area over every threshold, and how far the probabilities can be believed."""
    figure = Figure(figsize=(11, 3.6), dpi=120, facecolor=PAPER, layout="constrained")
    figure.suptitle(title, fontsize=10, color=INK)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    overlaps = [dsc([each.curve[k] for each in seen]) for k in range(len(THRESHOLDS))]
    for name, colour in COLOURS.items():
        left.plot(THRESHOLDS, [getattr(each, name) for each in overlaps], color=colour, label=f"dsc.{name}")
    left.axvline(found.threshold, color=MUTED, linestyle=":", label=f"manifest: {found.threshold}")
    left.set(xlabel="threshold", ylabel="Dice", ylim=(0, 1), xlim=(0, 1))
    left.legend(frameon=False, loc="lower center", ncols=2)
    bins = found.calibration.bins
    right.plot([0, 1], [0, 1], color=MUTED, linestyle=":")
    right.plot([each.probability for each in bins], [each.observed for each in bins], color=INK, marker="o")
    right.set(
        xlabel="probability said", ylabel="share defective", title=f"expected error {found.calibration.expected_error}"
    )
    right.title.set_fontsize(8)
    _plain(left, right)
    figure.savefig(path)


def without_frame(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _tile(picture: Picture) -> Pixels:
    factor = min(1.0, TILE_PX / max(picture.truth.shape))
    plain = picture.pixels if picture.pixels.ndim == 3 else np.repeat(picture.pixels[..., None], 3, axis=2)
    pair = [
        cv2.resize(each, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for each in (plain, overlay(picture))
    ]
    gap = np.full((pair[0].shape[0], 3, 3), 255, np.uint8)
    return np.asarray(np.hstack([pair[0], gap, pair[1]]), np.uint8)


def _plain(*every: Axes) -> None:
    for axes in every:
        without_frame(axes)
        axes.grid(alpha=0.25)
