"""A frame out of focus, by what this camera's good frames look like, is not inspected (row 8)."""

import math
from pathlib import Path

import numpy as np
import pytest

from config.health import Health
from monitor.messages import Reason
from monitor.rules.baseline import Baseline
from monitor.rules.health import FOCUS, Gates, _tile_ratios, focus, focus_least
from tests.monitor.exposures import GuardOut, Pixels, a_baseline, exposed, read


def blurred(gates: Gates, frames: list[Pixels], sigma: float) -> float:
    """The share of frames called blurred; each is shown once."""
    shown = [exposed(pixels, sigma=sigma, seed=n) if sigma else pixels for n, pixels in enumerate(frames)]
    return float(np.mean([gates.inspect(pixels).refusal is Reason.BLURRED for pixels in shown]))


@pytest.mark.parametrize(
    ("sigma", "least", "most"), [(0.0, 0, 0), (1.5, 0.95, 1), (2.0, 1, 1), (3.0, 1, 1), (6.0, 1, 1)]
)
def test_row_8_drawn_surfaces_out_of_focus(
    drawn: list[Pixels], learned: Baseline, sigma: float, least: float, most: float
) -> None:
    share = blurred(Gates(Health(), learned), drawn[1::2], sigma)

    assert least <= share <= most


def test_row_8_without_the_guard_or_a_baseline_blur_passes(drawn: list[Pixels], learned: Baseline) -> None:
    assert blurred(GuardOut("_blurred", Health(), learned), drawn[:8], 3.0) == 0
    assert blurred(Gates(Health(), None), drawn[:8], 3.0) == 0


def test_row_8_focus_knows_no_light(drawn: list[Pixels]) -> None:
    """A lamp that ages is not a lens that has moved."""
    full, half = (np.median([focus(exposed(p, gain=gain)) for p in drawn[:8]]) for gain in (1.0, 0.6))

    assert half == pytest.approx(full, rel=0.06)


def test_row_8_where_good_frames_spread_the_limit_gives_way(learned: Baseline) -> None:
    of = learned.measures[FOCUS]

    narrow = focus_least(type(of)(median=0.1, spread=0.001), Health())
    wide = focus_least(type(of)(median=0.1, spread=0.03), Health())

    assert narrow == pytest.approx(0.08)
    assert wide == pytest.approx(0.1 * math.exp(-1.2))


@pytest.mark.parametrize(
    ("pattern", "sigma", "sharp_most", "blurred_least"),
    [
        pytest.param("rail400/*.jpg", 2.0, 0.03, 0.97, id="rail400"),
        pytest.param("kolektorsdd/kos*/Part*.jpg", 4.0, 0.03, 0.9, id="kolektorsdd"),
        pytest.param("magnetic_tile/MT_*/*.jpg", 2.0, 0.03, 0.97, id="magnetic_tile"),
    ],
)
def test_row_8_real_textures_out_of_focus(
    line_data: Path, pattern: str, sigma: float, sharp_most: float, blurred_least: float
) -> None:
    frames = [read(path) for path in sorted(line_data.glob(pattern))[::5]]
    gates = Gates(Health(loop_frames=0), a_baseline(frames[::2]))

    assert blurred(gates, frames[1::2], 0.0) <= sharp_most
    assert blurred(gates, frames[1::2], sigma) >= blurred_least


def test_row_8_at_full_size_noise_would_stand_for_detail(line_data: Path) -> None:
    """Why focus is judged at half size: the guard taken out, blur reads as better focus."""
    frames = [read(path) for path in sorted(line_data.glob("kolektorsdd/kos*/Part*.jpg"))[::20]]
    soft = [exposed(pixels, sigma=2.0, seed=n) for n, pixels in enumerate(frames)]

    def full_size(pixels: Pixels) -> float:
        return float(np.median(_tile_ratios(pixels.astype(np.float32))))

    assert np.median([full_size(p) for p in soft]) > np.median([full_size(p) for p in frames])
    assert np.median([focus(p) for p in soft]) < 0.85 * np.median([focus(p) for p in frames])
