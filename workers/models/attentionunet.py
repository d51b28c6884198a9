"""Attention U-Net: Oktay et al., "Attention U-Net: Learning Where to Look for the Pancreas", MIDL 2018,
doi:10.48550/arXiv.1804.03999.

In two dimensions, with learned upsampling (nearest, then a 3x3 convolution): at 64 channels it has 34.88 M parameters,
as in Song et al.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.net import SegmentationNet, conv, double_conv, logit_head, padded
from workers.models.spec import AttentionUNetSpec


class AttentionUNet(SegmentationNet):
    def __init__(self, spec: AttentionUNetSpec) -> None:
        super().__init__()
        w = spec.width
        self.encode0 = double_conv(spec.channels, w, w)
        self.encode1 = double_conv(w, 2 * w, 2 * w)
        self.encode2 = double_conv(2 * w, 4 * w, 4 * w)
        self.encode3 = double_conv(4 * w, 8 * w, 8 * w)
        self.bottom = double_conv(8 * w, 16 * w, 16 * w)
        self.decode3 = Decoder(16 * w, 8 * w)
        self.decode2 = Decoder(8 * w, 4 * w)
        self.decode1 = Decoder(4 * w, 2 * w)
        self.decode0 = Decoder(2 * w, w)
        self.head = logit_head(w)

    def forward(self, image: Tensor) -> Tensor:
        high, wide = image.shape[-2:]
        x0 = self.encode0(padded(image, 16))  # (B, w, H, W)
        x1 = self.encode1(functional.max_pool2d(x0, 2))  # (B, 2w, H/2, W/2)
        x2 = self.encode2(functional.max_pool2d(x1, 2))  # (B, 4w, H/4, W/4)
        x3 = self.encode3(functional.max_pool2d(x2, 2))  # (B, 8w, H/8, W/8)
        y4 = self.bottom(functional.max_pool2d(x3, 2))  # (B, 16w, H/16, W/16)
        y3 = self.decode3(y4, x3)  # (B, 8w, H/8, W/8)
        y2 = self.decode2(y3, x2)  # (B, 4w, H/4, W/4)
        y1 = self.decode1(y2, x1)  # (B, 2w, H/2, W/2)
        y0 = self.decode0(y1, x0)  # (B, w, H, W)
        logits: Tensor = self.head(y0)  # (B, 1, H, W)
        return logits[..., :high, :wide]


class Decoder(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up = conv(inputs, outputs, 3)
        self.gate = AttentionGate(outputs, max(outputs // 2, 1))
        self.join = double_conv(2 * outputs, outputs, outputs)

    def forward(self, below: Tensor, skip: Tensor) -> Tensor:
        up = self.up(functional.interpolate(below, scale_factor=2.0, mode="nearest"))  # (B, outputs, h, w)
        joined: Tensor = self.join(torch.cat([self.gate(up, skip), up], dim=1))  # (B, outputs, h, w)
        return joined


class AttentionGate(nn.Module):
    """The skip connection, weighed at each place by what the decoder already knows."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.signal = conv(channels, inner, 1, active=False)
        self.skip = conv(channels, inner, 1, active=False)
        self.weight = conv(inner, 1, 1, active=False)

    def forward(self, signal: Tensor, skip: Tensor) -> Tensor:
        both = functional.relu(self.signal(signal) + self.skip(skip))  # (B, inner, h, w)
        return skip * torch.sigmoid(self.weight(both))  # (B, channels, h, w)
