"""The twin's surfaces as a source of batches: drawn on the fly, so that an epoch is a number and not a pass."""

from collections.abc import Iterator

import numpy as np

from config.training import TWIN_STEPS, Training
from monitor.twin.surface import Surface, SurfaceSpec, draw
from workers.datasets import twin
from workers.datasets.items import DatasetCard
from workers.datasets.source import Batch, Example

VALIDATION_SURFACES = 32
CALIBRATION_SURFACES = 96


class DrawnSource:
    def __init__(self, training: Training) -> None:
        self._training = training
        self.validation_surfaces, self.calibration_surfaces = VALIDATION_SURFACES, CALIBRATION_SURFACES
        self._spec = SurfaceSpec(height=training.height, width=training.input_width)

    @property
    def card(self) -> DatasetCard:
        return DatasetCard(
            title=f"surfaces of the digital twin, drawn for training (seed {self._training.seed}); no picture of a set",
            licence="Apache-2.0",
            source="monitor/twin/surface.py",
        )

    @property
    def steps(self) -> int:
        return self._training.steps or TWIN_STEPS

    @property
    def fingerprint(self) -> str:
        return "drawn"

    def batch(self, step: int, *, rank: int) -> Batch:
        training = self._training
        samples = twin.training_batch(
            self._spec,
            batch=training.batch,
            crop_height=training.crop[0],
            seed=training.seed if rank == 0 else training.seed + rank * 1_000_003,
            step=step,
        )
        return Batch(
            images=np.stack([sample.image for sample in samples])[:, None],
            truth=np.stack([sample.truth for sample in samples])[:, None].astype(np.float32),
            names=tuple(f"step {step}, surface {n}" for n in range(len(samples))),
        )

    def validation(self) -> Iterator[Example]:
        for i, surface in enumerate(twin.validation(self._spec, count=self.validation_surfaces)):
            yield _example(surface, f"validation {i}")

    def calibration(self) -> Iterator[Example]:
        """Surfaces of the training seeds."""
        rng = np.random.Generator(np.random.PCG64([self._training.seed, 12]))
        for i in range(self.calibration_surfaces):
            seed = int(rng.integers(twin.TRAIN_SEEDS.start, twin.TRAIN_SEEDS.stop))
            yield _example(draw(self._spec, seed=seed, slot=i, wanted=twin.WANTED[i % 2]), f"{seed}, slot {i}")


def _example(surface: Surface, name: str) -> Example:
    return Example(name=name, pixels=surface.pixels, mask=surface.mask)
