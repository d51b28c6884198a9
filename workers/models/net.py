"""What all nets share: padding on the way in, the probability on the way out, and a head that first says "none"."""

import torch
from torch import Tensor, nn
from torch.nn import functional

FIRST_LOGIT = -3.0  # defects are rare: an untrained net says "none"


class SegmentationNet(nn.Module):
    """(B, channels, H, W) → (B, 1, H, W) logits."""

    def probability(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self(image))  # (B, 1, H, W) in 0..1


def padded(image: Tensor, multiple: int) -> Tensor:
    """To whole multiples below and at the right, with the edge repeated, which any size of image allows."""
    high, wide = image.shape[-2:]
    return functional.pad(image, (0, -wide % multiple, 0, -high % multiple), mode="replicate")


def logit_head(inputs: int, kernel: int = 1, *, first_logit: float = FIRST_LOGIT) -> nn.Conv2d:
    head = nn.Conv2d(inputs, 1, kernel, padding=kernel // 2)
    nn.init.constant_(head.bias, first_logit)  # type: ignore[arg-type]  # torch types it as optional
    return head


def conv(
    inputs: int, outputs: int, kernel: int | tuple[int, int], *, stride: int = 1, dilation: int = 1, active: bool = True
) -> nn.Sequential:
    """Convolution that keeps the size (over its stride), normalisation and, where active, ReLU."""
    tall, wide = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (dilation * (tall // 2), dilation * (wide // 2))
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, (tall, wide), stride=stride, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if active else nn.Sequential(*layers)


def double_conv(inputs: int, middle: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*conv(inputs, middle, 3), *conv(middle, outputs, 3))


def doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)  # (B, c, 2h, 2w)
