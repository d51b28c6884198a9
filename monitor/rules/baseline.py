"""What good frames of a camera look like, in figures; pure."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

FORMAT = 1  # of the figures too: a measure that means something else needs a new baseline
FRAMES_LEAST = 30
"""A spread of fewer is a guess: from n frames it has a standard error of 117 % / √n, so 21 % here, and a gate at
four spreads then stands between about three and five."""
MAD_TO_SIGMA = 1.4826  # of a normal distribution


class Typical(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measure over good frames; robust, so that a few defective parts among them do no harm."""

    median: float
    spread: float  # as a standard deviation, from the median distance to the median


class Baseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One camera's; `monitor/baseline.py` keeps it on disk."""

    format: int
    station: str
    camera: str
    frames: int
    learned_at: str  # ISO 8601
    source: str  # of the images
    software: str
    width: tuple[int, int]  # least and greatest of its frames, px
    height: tuple[int, int]  # lines
    measures: dict[str, Typical]


def typical(measures: Sequence[Mapping[str, float]]) -> dict[str, Typical]:
    """Each measure's median and spread."""
    names = measures[0] if measures else ()
    return {name: _typical([each[name] for each in measures]) for name in names}


def _typical(values: list[float]) -> Typical:
    median = float(np.median(values))
    away = float(np.median(np.abs(np.asarray(values) - median)))
    return Typical(median=round(median, 6), spread=round(MAD_TO_SIGMA * away, 6))
