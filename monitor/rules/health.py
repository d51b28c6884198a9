"""Whether a frame is fit to be inspected (I10): its measures, the gates on them, and the drift of its light; pure.

A frame that fails a gate is not inspected, whatever a net would say of it. Measures go on record with each verdict.
"""

import hashlib
import math
from collections import deque
from dataclasses import dataclass

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from config.health import Health
from monitor.messages import Reason
from monitor.rules.baseline import Baseline, Typical

Pixels = npt.NDArray[np.uint8]  # (H, W)
Halved = npt.NDArray[np.float32]  # (H/2, W/2)

MEAN, CONTRAST, BRIGHT, SATURATED, FOCUS = (
    "mean_level",
    "contrast_level",  # standard deviation
    "bright_level",  # of the brightest hundredth
    "saturated_share",
    "focus_ratio",  # of detail over one px to detail over four, at half size
)
REPEAT = "repeat_frames"  # so many frames ago was the same one; 0: never
LEARNED = (MEAN, CONTRAST, BRIGHT, SATURATED, FOCUS)  # what a baseline holds
DRIFTING = (MEAN, CONTRAST, FOCUS)

BRIGHT_SHARE = 0.01
TILE = 16  # px of the halved frame: detail is judged in place, so that one sharp edge does not stand for the whole
FAR = 4  # px of the halved frame
LIT_LEVEL = 16.0  # tiles below are ground or shadow: their noise says nothing of the lens
QUIET = 4.0  # squared levels: keeps a tile without detail from dividing rounding by rounding
BAND = 4 * TILE  # lines of the halved frame that are looked at together
JUDGED_MOST = 1 << 18  # px of the halved frame; a larger one is judged by bands spread over it


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """The average of a measure has moved away from where it was learned: once an excursion."""

    measure: str
    average: float
    reference: float
    change_share: float  # of the reference; negative: less


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one frame looks like, and why it must not be inspected."""

    measures: dict[str, float]
    refusal: Reason | None
    drifts: tuple[Drift, ...]  # that began with this frame


class Gates:
    """One camera's, frame by frame."""

    def __init__(self, limits: Health, baseline: Baseline | None) -> None:
        self._limits = limits
        self._focus = baseline.measures[FOCUS] if baseline else None
        self._before: deque[bytes] = deque(maxlen=max(1, limits.loop_frames))
        self._averages = {
            name: Average(name, limits, baseline.measures[name] if baseline else None) for name in DRIFTING
        }

    def inspect(self, pixels: Pixels, *, whole: bool = True) -> Finding:
        """Measures a frame and holds it against the limits; one that is not `whole` says nothing of the light."""
        measures = measure(pixels, self._limits) | {REPEAT: float(self._repeat(pixels))}
        refusal = self._refusal(measures)
        drifts: list[Drift] = []
        for name, average in self._averages.items():
            if whole and refusal is None and (drift := average.add(measures[name])):
                drifts.append(drift)
            measures[f"{name}_ewma"] = average.value
        measures = {name: round(value, 6) for name, value in measures.items()}
        return Finding(measures=measures, refusal=refusal, drifts=tuple(drifts))

    def _refusal(self, measures: dict[str, float]) -> Reason | None:
        """Dark and saturated come first: clipped pixels have no noise, so such frames may well be equal too."""
        if self._dark(measures):
            return Reason.DARK
        if self._saturated(measures):
            return Reason.SATURATED
        if self._frozen(measures):
            return Reason.FROZEN
        return Reason.BLURRED if self._blurred(measures) else None

    def _dark(self, measures: dict[str, float]) -> bool:
        return measures[BRIGHT] < self._limits.dark_below_level

    def _saturated(self, measures: dict[str, float]) -> bool:
        return measures[SATURATED] > self._limits.saturated_above_share

    def _frozen(self, measures: dict[str, float]) -> bool:
        """One equal frame is enough: to wait for a loop to prove itself would pass all of its second round."""
        return 0 < measures[REPEAT] <= self._limits.loop_frames

    def _blurred(self, measures: dict[str, float]) -> bool:
        return self._focus is not None and measures[FOCUS] < focus_least(self._focus, self._limits)

    def _repeat(self, pixels: Pixels) -> int:
        """How many frames ago this very frame was seen; 0 where it was not."""
        # 128 bits: 32 would call one frame in 67 million frozen by chance, each day or so at 20 frames/s and 64 back
        digest = hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).digest()
        digest += bytes(str(pixels.shape), "ascii")
        ago = next((n for n, before in enumerate(self._before, 1) if before == digest), 0)
        self._before.appendleft(digest)
        return ago


class Average:
    """The exponentially weighted mean of one measure, and whether it has left its reference."""

    def __init__(self, name: str, limits: Health, learned: Typical | None) -> None:
        """Without a baseline, the mean of this run's first frames is the reference."""
        self._name, self._limits = name, limits
        self._weight = 2 / (limits.drift_frames + 1)
        self._reference = learned.median if learned else None
        self.value = learned.median if learned else 0.0
        self._seen = 0
        self._away = False

    def add(self, value: float) -> Drift | None:
        """The drift that begins with this value; it is over at half the limit, and may then begin again."""
        self._seen += 1
        if self._reference is None:
            self.value += (value - self.value) / self._seen
            if self._seen >= self._limits.drift_frames:
                self._reference = self.value
            return None
        self.value += self._weight * (value - self.value)
        change = self.value / self._reference - 1 if self._reference else 0.0
        was_away = self._away
        most = self._limits.drift_above_share
        self._away = abs(change) > (most / 2 if was_away else most)
        if was_away or not self._away:
            return None
        return Drift(measure=self._name, average=self.value, reference=self._reference, change_share=change)


def focus_least(learned: Typical, limits: Health) -> float:
    """The focus below which a frame is blurred: a share of the median, or where good frames spread more, that."""
    if not learned.median or not limits.blurred_below_share:
        return 0.0
    spread = limits.blurred_spreads * learned.spread / learned.median
    return learned.median * math.exp(-max(-math.log(limits.blurred_below_share), spread))


def measure(pixels: Pixels, limits: Health) -> dict[str, float]:
    """What a frame looks like, in grey levels and shares."""
    counts = cv2.calcHist([pixels], [0], None, [256], [0, 256]).ravel().astype(np.float64)
    total = counts.sum()
    levels = np.arange(256)
    mean = float(counts @ levels / total)
    variance = float(counts @ (levels - mean) ** 2 / total)
    bright = int(np.searchsorted(np.cumsum(counts), (1 - BRIGHT_SHARE) * total))
    return {
        MEAN: mean,
        CONTRAST: math.sqrt(variance),
        BRIGHT: float(bright),
        SATURATED: float(counts[limits.saturated_from_level :].sum() / total),
        FOCUS: focus(pixels),
    }


def focus(pixels: Pixels) -> float:
    """The median over lit tiles of fine detail to coarse; brightness and contrast cancel out, and blur takes the fine.

    At half size, since at full size the sensor's own noise is the finest detail, and no lens blurs that: measured on
    KolektorSDD with noise of 1.2 levels, a full-size ratio *rose* with blur.
    """
    high, wide = pixels.shape[0] // 2, pixels.shape[1] // 2
    if high <= FAR or wide <= FAR:
        return 0.0
    ratios = [_tile_ratios(_halved(pixels, first, last)) for first, last in _bands(high, wide)]
    lit = np.concatenate(ratios)
    return float(np.median(lit)) if lit.size else 0.0


def _bands(high: int, wide: int) -> list[tuple[int, int]]:
    """First and last line, of the halved frame, of the bands that are judged: all of a small frame, some of a large."""
    starts = list(range(0, max(1, high - BAND + 1), BAND))
    most = max(1, JUDGED_MOST // (BAND * wide))
    if len(starts) > most:
        starts = [starts[i * len(starts) // most] for i in range(most)]
        return [(start, start + BAND) for start in starts]
    return [(0, high)]


def _halved(pixels: Pixels, first: int, last: int) -> Halved:
    part = pixels[2 * first : 2 * last, : pixels.shape[1] // 2 * 2]
    half = cv2.resize(part, (part.shape[1] // 2, part.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return half.astype(np.float32)


def _tile_ratios(half: Halved) -> npt.NDArray[np.float32]:
    """(tiles that are lit,)"""
    lit = _tile_means(half) > LIT_LEVEL
    fine, coarse = _tile_means(_steps(half, 1)), _tile_means(_steps(half, FAR))
    ratios: npt.NDArray[np.float32] = (fine / (coarse + QUIET))[lit]
    return ratios


def _steps(half: Halved, px: int) -> Halved:
    """Squared differences over so many px, across and along."""
    across, along = half[:, px:] - half[:, :-px], half[px:] - half[:-px]
    steps = np.zeros_like(half)
    steps[:, :-px] = across * across
    steps[:-px] += along * along
    return steps


def _tile_means(values: Halved) -> Halved:
    """Of whole tiles; what is left over at the far edges is not looked at, unless the frame is smaller than a tile."""
    high, wide = max(1, values.shape[0] // TILE), max(1, values.shape[1] // TILE)
    part = values[: max(TILE, values.shape[0] // TILE * TILE), : max(TILE, values.shape[1] // TILE * TILE)]
    means: Halved = np.asarray(cv2.resize(part, (wide, high), interpolation=cv2.INTER_AREA), np.float32)
    return means
