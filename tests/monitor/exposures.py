"""Exposures to test on: drawn surfaces as a sensor would see them, and real ones read as they are."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from config.health import Health
from monitor.rules.baseline import FORMAT, Baseline, typical
from monitor.rules.health import Gates, measure
from monitor.twin.plant import surface_spec
from monitor.twin.surface import draw
from monitor.twin.truth import TruthClass
from tests.monitor.builders import a_station

Pixels = npt.NDArray[np.uint8]
SENSOR_NOISE = 1.2  # grey levels, the twin's
SPEC = surface_spec(a_station(), a_station().cameras[0])


def a_surface(slot: int = 1) -> Pixels:
    return draw(SPEC, seed=3, slot=slot, wanted=TruthClass.GOOD).pixels


def surfaces(count: int, *, stride: int = 11) -> list[Pixels]:
    return [a_surface(slot) for slot in range(1, 1 + count * stride, stride)]


def exposed(pixels: Pixels, *, gain: float = 1.0, offset: float = 0.0, sigma: float = 0.0, seed: int = 5) -> Pixels:
    """As the sensor would see it under another light, or through another lens: its own noise comes after both."""
    seen = pixels.astype(np.float32) * gain + offset
    if sigma:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), sigma), np.float32)
    seen += np.random.default_rng(seed).normal(0, SENSOR_NOISE, seen.shape).astype(np.float32)
    noisy: Pixels = np.clip(np.rint(seen), 0, 255).astype(np.uint8)
    return noisy


def a_baseline(frames: Iterable[Pixels]) -> Baseline:
    measured = [measure(pixels, Health()) for pixels in frames]
    return Baseline(
        format=FORMAT,
        station="rail-03",
        camera="head",
        frames=len(measured),
        learned_at="2026-11-25T00:00:00+00:00",
        source="test",
        software="test",
        width=(1, 9999),
        height=(1, 9999),
        measures=typical(measured),
    )


def read(path: Path) -> Pixels:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


class GuardOut(Gates):
    """The gates taken out, one by one."""

    def __init__(self, out: str, limits: Health, baseline: Baseline | None = None) -> None:
        super().__init__(limits, baseline)
        setattr(self, out, lambda _measures: False)
