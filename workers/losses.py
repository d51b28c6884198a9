"""The losses of AnomalySeg (§2.3, eq. 5 to 10), Dice and focal terms and their sum, from logits, in float32.

`truth` is 0 or 1, or in between where a pixel of a reduced image is defective in part.
"""

from typing import assert_never

import torch
from torch import Tensor
from torch.nn import functional

from config.training import LossName

ALPHA, GAMMA = 0.1, 2.0  # §2.3
SMOOTH = 1.0  # px: an empty batch without a false alarm loses nothing, instead of 0 / 0
SMOOTH_BY_IMAGE = 20.0  # px: below the least defect of a real set, and above what a sound image leaves in soft mass
LEAST_SHARE = 0.01  # of an image, what its defect pixels weigh at least
FEWEST = 0.001  # share of defect pixels: a batch with fewer, or none, is not blown up


def loss_of(name: LossName, logits: Tensor, truth: Tensor, *, balance: float) -> Tensor:
    """`logits` and `truth` (B, 1, H, W); `balance` is lambda, which falls from 1 (§3.2)."""
    match name:
        case "hybrid":
            return dice(logits, truth) + balance * focal(logits, truth)
        case "hybrid_two_sided":
            return dice(logits, truth) + balance * focal_two_sided(logits, truth)
        case "hybrid_by_image":
            return dice_by_image(logits, truth) + balance * focal_two_sided(logits, truth)
        case "dice":
            return dice(logits, truth)
        case "balanced":
            return dice(logits, truth) + cross_entropy_by_image(logits, truth)
        case "balanced_by_image":
            return dice_by_image(logits, truth) + cross_entropy_by_image(logits, truth)
        case "focal":
            return focal(logits, truth)
        case "focal_two_sided":
            return focal_two_sided(logits, truth)
        case _:
            assert_never(name)


def dice(logits: Tensor, truth: Tensor) -> Tensor:
    """1 - 2TP / (2TP + FN + FP), eq. 10 second line, pooled over all pixels of the batch.

    The third line as printed sums a ratio for each pixel and is not the second: 2pg / (p + g) is no share of 2TP.
    """
    p, g = torch.sigmoid(logits.float()), truth.float()
    hits = (p * g).sum()
    missed, false = ((1 - p) * g).sum(), (p * (1 - g)).sum()
    return 1 - (2 * hits + SMOOTH) / (2 * hits + missed + false + SMOOTH)


def dice_by_image(logits: Tensor, truth: Tensor) -> Tensor:
    """The same for each image of the batch, and then their mean: a small defect weighs as much as a large one.

    An image without a defect loses m / (m + s) for a false mass of m px: a false alarm costs a whole image, as it does
    in `dsc.all`.
    """
    p, g = torch.sigmoid(logits.float()).flatten(1), truth.float().flatten(1)
    hits, total = (p * g).sum(dim=1), (p + g).sum(dim=1)  # 2TP + FN + FP
    return (1 - (2 * hits + SMOOTH_BY_IMAGE) / (total + SMOOTH_BY_IMAGE)).mean()


def cross_entropy_by_image(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy in which the defect pixels of an image weigh together at least a hundredth of all its pixels.

    A focal term leaves a net that knows nothing yet at the cube root of the share of defects, some 0.3, under which
    Dice is flat for a spot of 80 px; cross-entropy leaves it at the share itself.
    """
    z, g = logits.float(), truth.float()
    share = g.flatten(1).mean(dim=1).view(-1, 1, 1, 1)
    weight = 1 + g * (torch.clamp(LEAST_SHARE / torch.clamp(share, min=1e-6), min=1.0) - 1)
    return functional.binary_cross_entropy_with_logits(z, g, weight=weight)


def focal(logits: Tensor, truth: Tensor) -> Tensor:
    """Eq. 9 as printed: only defect pixels count, so nothing but Dice holds false alarms down."""
    z, g = logits.float(), truth.float()
    return -(ALPHA * g * torch.sigmoid(-z) ** GAMMA * functional.logsigmoid(z)).mean()


def focal_two_sided(logits: Tensor, truth: Tensor) -> Tensor:
    """The focal loss with both its halves, by the number of defect pixels in place of all, as RetinaNet has it.

    As printed, a defect that the net takes for sound pulls with alpha / N, and in Dice with p (1 - p): hardly at all.
    """
    z, g = logits.float(), truth.float()
    defect = g * torch.sigmoid(-z) ** GAMMA * functional.logsigmoid(z)
    sound = (1 - g) * torch.sigmoid(z) ** GAMMA * functional.logsigmoid(-z)
    return -0.5 * (defect + sound).sum() / torch.clamp(g.sum(), min=FEWEST * g.numel())
