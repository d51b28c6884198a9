"""A station's net, checked and ready: pixels in, probability at the frame's own size out."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from config.models import Model
from workers.canary import draw_canary
from workers.checkpoint import Manifest, load_checkpoint
from workers.engines import Engine, open_engine
from workers.errors import ModelError
from workers.fit import restored, shown

PACKAGE = Path(__file__).resolve().parent.parent  # paths in a station file are relative to it
WARM_UP_RUNS = 2  # the first frames pay for memory and code that later ones find ready


class Segmenter:
    def __init__(self, manifest: Manifest, engine: Engine, *, threshold: float) -> None:
        self.manifest = manifest
        self.threshold = threshold
        self._engine = engine

    @classmethod
    def load(cls, model: Model, *, threads: int) -> "Segmenter":
        """Raises ModelError unless size, hash, tensors and canary fit."""
        path = PACKAGE / model.weights  # an absolute path stays itself
        checkpoint = load_checkpoint(path)
        manifest = checkpoint.manifest
        engine = open_engine(
            model.engine,
            checkpoint.model,
            height=manifest.height,
            width=manifest.width,
            channels=manifest.net.channels,
            threads=threads,
            device=model.device,
            batch_most=model.batch,
        )
        threshold = manifest.threshold if model.threshold is None else model.threshold
        segmenter = cls(manifest, engine, threshold=threshold)
        if fault := manifest.canary.fault(segmenter.canary_answer(), threshold=manifest.threshold):
            raise ModelError(f"{path}: {fault} (engine {engine.name})")
        return segmenter

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def sha256(self) -> str:
        return self.manifest.sha256

    @property
    def engine(self) -> str:
        return self._engine.name

    @property
    def batch_most(self) -> int:
        """Frames of one pass; more than that are scored pass after pass."""
        return self._engine.batch_most

    def probability(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) or (H, W, 3) uint8 → (H, W) float32 in 0..1, at the image's own size whatever the net's input size."""
        return self.probabilities([pixels])[0]

    def probabilities(self, frames: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """The answers to frames of any sizes, one or more, scored together."""
        placed = [shown(self._coloured(pixels), self._size, self.manifest.fit) for pixels in frames]
        found = self._engine(np.stack([image for image, _ in placed]))  # (N, H, W) at the net's input size
        return [
            restored(answer, scale, pixels.shape[:2])
            for answer, (_, scale), pixels in zip(found, placed, frames, strict=True)
        ]

    def canary_answer(self) -> NDArray[np.float32]:
        """(H, W) at the net's input size."""
        size = self.manifest
        return self.probability(
            draw_canary(height=size.height, width=size.width, seed=size.canary.seed, recipe=size.canary.recipe)
        )

    def time(self, shape: tuple[int, int], *, runs: int = 8, together: int = 1) -> list[float]:
        """Milliseconds of each run on so many frames of this (H, W), resizing included; they are the canary."""
        frame = draw_canary(height=shape[0], width=shape[1], seed=self.manifest.canary.seed)
        times_ms = []
        for run in range(WARM_UP_RUNS + runs):
            start = perf_counter_ns()
            self.probabilities([frame] * together)
            if run >= WARM_UP_RUNS:
                times_ms.append((perf_counter_ns() - start) / 1e6)
        return times_ms

    @property
    def _size(self) -> tuple[int, int]:
        return self.manifest.height, self.manifest.width

    def _coloured(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A grey camera before a net for colour."""
        if pixels.ndim == 2 and self.manifest.net.channels == 3:
            return np.repeat(pixels[..., None], 3, axis=2)
        return pixels
