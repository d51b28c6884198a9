"""An image that any machine draws alike, with integers alone, and what a sound net answers to it."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

Recipe = Literal["blots", "cracks"]
RECIPES: tuple[Recipe, ...] = get_args(Recipe)
BLOTS = 5  # dark ellipses on a striped, grained ground: gross defects to a net that looks for spots
CRACKS = 5  # dark bent lines on the same ground: gross defects to a net that knows nothing but cracks
_MULTIPLIER, _INCREMENT, _MODULUS = 1_103_515_245, 12_345, 1 << 31  # the C standard's example generator


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    probability: float = Field(gt=0, le=1)  # the largest
    area_px: int = Field(gt=0)  # over the threshold, at the input size


class Canary(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    recipe: Recipe
    seed: int = Field(ge=0, lt=_MODULUS)
    answer: Answer  # recorded when the net was trained
    threshold: float | None = Field(default=None, gt=0, lt=1)  # at which its area counts; None: the manifest's
    probability_tolerance: float = Field(default=0.02, gt=0, le=0.1)
    area_tolerance: float = Field(default=0.02, gt=0, le=0.1)  # share of the recorded area

    def fault(self, found: NDArray[np.float32], *, threshold: float) -> str | None:
        """What is wrong with this answer (H, W) to the canary, or None."""
        if not np.isfinite(found).all():
            return "the canary's answer is not finite"
        threshold = threshold if self.threshold is None else self.threshold
        probability, area = float(found.max()), int(np.count_nonzero(found >= threshold))
        if area == 0:
            return f"the canary's answer is empty; {self.answer.area_px} px over {threshold} were recorded"
        if abs(probability - self.answer.probability) > self.probability_tolerance:
            recorded = f"{self.answer.probability:.4f} ± {self.probability_tolerance}"
            return f"the canary's largest probability is {probability:.4f}; {recorded} was recorded"
        if abs(area - self.answer.area_px) > self.area_tolerance * self.answer.area_px:
            return f"the canary's area is {area} px; {self.answer.area_px} px ± {self.area_tolerance:.0%} was recorded"
        return None


def answered(found: NDArray[np.float32], *, threshold: float) -> Answer:
    """What to record of a fresh net's answer; pydantic refuses an empty one."""
    return Answer(probability=float(found.max()), area_px=int(np.count_nonzero(found >= threshold)))


def draw_canary(*, height: int, width: int, seed: int, recipe: Recipe = "blots") -> NDArray[np.uint8]:
    """(H, W) uint8. Integer arithmetic only: no generator and no rounding that a library might change."""
    y, x = np.indices((height, width), dtype=np.int64)
    stripes = 110 + 40 * (np.abs(((x * 400) // width) % 200 - 100) - 50) // 50
    noise = ((x * 73_856_093) ^ (y * 19_349_663) ^ (seed * 83_492_791)) % 1_000_003
    image = stripes + (noise * _MULTIPLIER + _INCREMENT) % _MODULUS % 9 - 4
    draw = _blots if recipe == "blots" else _cracks
    grey: NDArray[np.uint8] = np.where(draw(y, x, seed), image * 3 // 10, image).astype(np.uint8)
    return grey


def _blots(y: NDArray[np.int64], x: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    height, width = y.shape
    state, drawn = seed, np.zeros(y.shape, np.bool_)
    for blot in range(BLOTS):
        state = (state * _MULTIPLIER + _INCREMENT) % _MODULUS
        centre_x = width // 4 + (state >> 8) % max(width // 2, 1)
        centre_y = (2 * blot + 1) * height // (2 * BLOTS)
        across = max(width // 16, 2) + (state >> 4) % max(width // 32, 1)
        along = max(height // 100, 2) + (state >> 12) % max(height // 100, 1)
        drawn |= (x - centre_x) ** 2 * along**2 + (y - centre_y) ** 2 * across**2 <= (across * along) ** 2
    return drawn


def _cracks(y: NDArray[np.int64], x: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Lines across the image that bend every sixteenth of its width, some thin and some thick."""
    height, width = y.shape
    state, drawn = seed, np.zeros(y.shape, np.bool_)
    step = max(width // 16, 1)
    for crack in range(CRACKS):
        middle = (2 * crack + 1) * height // (2 * CRACKS)
        thick = 1 + crack % 3
        for left in range(width // 4, width, step):
            state = (state * _MULTIPLIER + _INCREMENT) % _MODULUS
            after = middle + (state >> 8) % max(height // 64, 3) - max(height // 128, 1)
            inside = (x >= left) & (x < left + step)
            line = middle + (after - middle) * (x - left) // step
            drawn |= inside & (np.abs(y - line) <= thick)
            middle = after
    return drawn
