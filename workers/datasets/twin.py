"""Surfaces of the digital twin, drawn on the fly: a sample is a function of its seed and index, and none is stored."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.twin.defects import DefectKind
from monitor.twin.surface import Surface, SurfaceSpec, draw
from monitor.twin.truth import TruthClass
from workers.normalisation import standardise

TRAIN_SEEDS = range(1_000_000, 2_000_000)
VALIDATION_SEEDS = range(2_000_000, 2_001_000)
TEST_SEEDS = range(3_000_000, 4_000_000)  # stations have small seeds: none is in any of the three
SLOTS = 100_000
CROPS = 2  # from each drawn surface
KINDS = (*DefectKind, *3 * (DefectKind.SCRATCH,))  # dark or bright, and along the grinding: learnt last
WANTED = (TruthClass.DEFECTIVE, TruthClass.BORDERLINE, TruthClass.GOOD)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    image: NDArray[np.float32]  # (h, W), normalised
    truth: NDArray[np.bool_]  # (h, W)


def training_batch(spec: SurfaceSpec, *, batch: int, crop_height: int, seed: int, step: int) -> list[Sample]:
    """The batch of this step: one crop in two holds a defect where the surface has one."""
    rng = np.random.Generator(np.random.PCG64([seed, step, 11]))
    samples: list[Sample] = []
    while len(samples) < batch:
        wanted = WANTED[int(rng.choice(3, p=[0.5, 0.2, 0.3]))]
        surface = draw(
            spec,
            seed=int(rng.integers(TRAIN_SEEDS.start, TRAIN_SEEDS.stop)),
            slot=int(rng.integers(SLOTS)),
            wanted=wanted,
            kinds=KINDS,
        )
        image = standardise(_black_ground(surface.pixels, surface.mask, rng))
        for k in range(CROPS):
            at = surface.defects[int(rng.integers(len(surface.defects)))].box if surface.defects and k == 0 else None
            samples.append(_crop(image, surface.mask, rng, crop_height, around=at))
    return samples[:batch]


def validation(spec: SurfaceSpec, *, count: int) -> Iterator[Surface]:
    """The same surfaces in every run; the first half have a defect, as an error in area shows only there."""
    for i in range(count):
        wanted = (
            TruthClass.DEFECTIVE if i < count // 4 else TruthClass.BORDERLINE if i < count // 2 else TruthClass.GOOD
        )
        yield draw(spec, seed=VALIDATION_SEEDS[i], slot=i, wanted=wanted)


def _crop(
    image: NDArray[np.float32],
    mask: NDArray[np.bool_],
    rng: np.random.Generator,
    height: int,
    *,
    around: tuple[int, int, int, int] | None,
) -> Sample:
    spare = image.shape[0] - height
    if around is None:
        top = int(rng.integers(spare + 1))
    else:
        top = int(np.clip(around[1] + rng.integers(around[3]) - rng.integers(height // 4, 3 * height // 4), 0, spare))
    part = np.s_[top : top + height, :: -1 if rng.random() < 0.5 else 1]
    shifted = image[part] * np.float32(rng.uniform(0.8, 1.25)) + np.float32(rng.uniform(-0.25, 0.25))
    return Sample(image=np.ascontiguousarray(shifted), truth=np.ascontiguousarray(mask[part]))


def _black_ground(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Now and then the rail stands before a black ground, as on cameras that see past the head; never over a defect."""
    if rng.random() > 0.2:
        return pixels
    free = np.flatnonzero(mask.any(axis=0))
    left, right = (
        (int(free[0]) - 4, int(free[-1]) + 5) if free.size else (pixels.shape[1] // 3, 2 * pixels.shape[1] // 3)
    )
    shown = pixels.copy()
    shown[:, : int(rng.integers(max(left, 0) + 1))] //= 24
    shown[:, int(rng.integers(min(right, pixels.shape[1]), pixels.shape[1] + 1)) :] //= 24
    return shown
