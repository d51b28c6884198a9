"""A net that is being trained, asked for its probability: with torch in float32, at the image's own size."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from config.training import Training
from workers.datasets.source import Example
from workers.errors import ModelError
from workers.fit import restored, shown
from workers.metrics import PixelCounts, pixel_counts


def validate(model: nn.Module, training: Training, examples: Iterator[Example]) -> list[PixelCounts]:
    """The counts of each image at threshold 0.5; ModelError where the net answers NaN, which is no area of 0."""
    counts = []
    for example in examples:
        found = score(model, example.pixels, training)
        if not np.isfinite(found).all():
            raise ModelError(f"{example.name}: the net answers NaN to this image; its weights are of no use")
        counts.append(pixel_counts(found >= 0.5, example.mask))
    return counts


def score(model: nn.Module, pixels: NDArray[np.uint8], training: Training) -> NDArray[np.float32]:
    """(H, W) or (H, W, 3) uint8 → (H, W) probability."""
    image, scale = shown(pixels, (training.height, training.input_width), training.fit)
    return restored(probability(model, image), scale, pixels.shape[:2])


def probability(model: nn.Module, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) or (H, W, 3) standardised → (H, W) in 0..1, where the net lies."""
    model.eval()
    device = next(model.parameters()).device
    with torch.inference_mode():
        stacked = torch.from_numpy(image[None] if image.ndim == 2 else image.transpose(2, 0, 1))[None]  # (1, C, H, W)
        logits: Tensor = model(stacked.to(device, memory_format=torch.channels_last))
        found: NDArray[np.float32] = torch.sigmoid(logits.float())[0, 0].cpu().numpy()
    return found
