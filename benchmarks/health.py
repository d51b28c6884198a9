"""The gate for focus, as a ROC in figures on drawn and real textures; and what measuring a frame costs."""

import os
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from config.health import Health
from config.loader import load_station
from config.station import Station
from monitor.rules.baseline import typical
from monitor.rules.health import FOCUS, Gates, focus, focus_least, measure
from monitor.twin.plant import surface_spec
from monitor.twin.surface import draw
from monitor.twin.truth import TruthClass

Pixels = npt.NDArray[np.uint8]

SIGMAS_PX = (0.0, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0)
SENSOR_NOISE = 1.2  # grey levels, the twin's; added after the blur, as no lens blurs a sensor's own noise
SETS = {  # below --root
    "rail400": "rail400/*.jpg",
    "kolektorsdd": "kolektorsdd/kos*/Part*.jpg",
    "magnetic_tile": "magnetic_tile/MT_*/*.jpg",
}
SIZES = ((1000, 160), (1260, 500), (2000, 540))  # lines, px across
ROUNDS = 200
STRIDE = 11  # slots: all of the twin's lamp is seen


def measure_health(named: str, root: str | None, frames: int) -> dict[str, Any]:
    """Rows of texture and blur: odd frames judged by a baseline of the even ones. Costs are CPU ms on one core."""
    cv2.setNumThreads(1)
    station = load_station(named)
    textures = {"drawn": _drawn(station, frames)}
    given = root or os.environ.get("LINE_DATA")
    for name, pattern in SETS.items() if given else ():
        paths = sorted(Path(given or "").glob(pattern))
        step = max(1, len(paths) // frames)
        if paths:
            textures[name] = [_read(path) for path in paths[::step][:frames]]
    costs = {f"cpu_ms_{high}x{wide}": _cost_ms(high, wide) for high, wide in SIZES}
    return costs | {
        "sensor_noise_levels": SENSOR_NOISE,
        "dark_or_saturated": {name: f"{_refused(seen)} of {len(seen)}" for name, seen in textures.items()},
        "rows": [row for name, seen in textures.items() for row in _roc(name, seen)],
    }


def _refused(frames: list[Pixels]) -> int:
    """Frames, as they are, that the absolute gates would not let pass."""
    gates = Gates(Health(loop_frames=0), None)
    return sum(gates.inspect(pixels).refusal is not None for pixels in frames)


def _roc(texture: str, frames: list[Pixels]) -> list[dict[str, Any]]:
    """At each blur: how often a sharp frame ranks above a blurred one, and what the default limit calls blurred."""
    limits, noise = Health(), np.random.default_rng(7)
    learned = typical([measure(pixels, limits) for pixels in frames[::2]])[FOCUS]
    least = focus_least(learned, limits)
    judged = frames[1::2]
    sharp = np.array([focus(pixels) for pixels in judged])
    rows = []
    for sigma in SIGMAS_PX:
        seen = sharp if sigma == 0 else np.array([focus(_blurred(pixels, sigma, noise)) for pixels in judged])
        above = (sharp[:, None] > seen[None]).mean() + (sharp[:, None] == seen[None]).mean() / 2
        rows.append(
            {
                "texture": texture,
                "judged": len(judged),
                "sigma_px": sigma,
                "auc": round(float(above), 4),
                "called_blurred": round(float((seen < least).mean()), 4),
                "focus_of_baseline": round(float(np.median(seen)) / learned.median, 3),
                "limit_of_baseline": round(least / learned.median, 3),
            }
        )
    return rows


def _blurred(pixels: Pixels, sigma: float, noise: np.random.Generator) -> Pixels:
    seen = np.asarray(cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), sigma), np.float32)
    seen += noise.normal(0, SENSOR_NOISE, seen.shape).astype(np.float32)
    noisy: Pixels = np.clip(np.rint(seen), 0, 255).astype(np.uint8)
    return noisy


def _drawn(station: Station, frames: int) -> list[Pixels]:
    spec, seed = surface_spec(station, station.cameras[0]), station.twin.seed if station.twin else 0
    slots = range(1, 1 + frames * STRIDE, STRIDE)
    return [draw(spec, seed=seed, slot=slot, wanted=TruthClass.GOOD).pixels for slot in slots]


def _read(path: Path) -> Pixels:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise ValueError(f"{path}: no image")
    return np.asarray(pixels, np.uint8)


def _cost_ms(high: int, wide: int) -> dict[str, float]:
    """p50 and p99 of all that capture does to judge a frame: hash, histogram, focus, averages."""
    luck = np.random.default_rng(1)
    frames = [luck.integers(0, 256, (high, wide), np.uint8) for _ in range(8)]
    gates = Gates(Health(loop_frames=64), None)
    spent_ms = []
    for n in range(ROUNDS):
        start_s = time.thread_time()
        gates.inspect(frames[n % len(frames)])
        spent_ms.append(1000 * (time.thread_time() - start_s))
    p50, p99 = np.percentile(spent_ms, (50, 99))
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}
