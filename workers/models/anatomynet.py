"""AnatomyNet: Zhu et al., "AnatomyNet: Deep Learning for Fast and Fully Automated Whole-Volume Segmentation of Head and
Neck Anatomy", Medical Physics 46 (2019) 576, doi:10.1002/mp.13300.

A U-Net of residual blocks with squeeze and excitation that halves the volume once and widens by 2 channels a stage:
w, w + 2, w + 4, w + 6, here in two dimensions. As published (w = 28) it has 0.73 M parameters in three dimensions and
10 classes, and 0.25 M in two dimensions; the 0.602 M that Song et al. state are neither. They say that their nets
broadly keep its structure, not its widths, so the structure is kept here and w = 45 gives their size: 0.605 M.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.net import SegmentationNet, logit_head, padded
from workers.models.seresunet import SqueezeExcitation
from workers.models.spec import AnatomyNetSpec


class AnatomyNet(SegmentationNet):
    def __init__(self, spec: AnatomyNetSpec) -> None:
        super().__init__()
        w = spec.width
        self.stem = nn.Conv2d(spec.channels, w, 3, stride=2, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(w)
        self.encode1 = _two_blocks(w, w + 2)
        self.encode2 = _two_blocks(w + 2, w + 4)
        self.encode3 = _two_blocks(w + 4, w + 6)
        self.decode3 = _two_blocks(w + 6 + w + 4, w + 4)
        self.decode2 = _two_blocks(w + 4 + w + 2, w + 2)
        self.decode1 = _two_blocks(w + 2 + w, w)
        self.up = nn.ConvTranspose2d(w, w // 2, 2, stride=2)
        self.last = Block(w // 2 + spec.channels, w // 2, shortcut_kernel=3, weigh=False)
        self.head = logit_head(w // 2, 3)

    def forward(self, image: Tensor) -> Tensor:
        high, wide = image.shape[-2:]
        x0 = padded(image, 2)  # (B, channels, H, W)
        x1 = functional.leaky_relu(self.stem_norm(self.stem(x0)))  # (B, w, H/2, W/2): the only halving
        x2 = self.encode1(x1)  # (B, w + 2, H/2, W/2)
        x3 = self.encode2(x2)  # (B, w + 4, H/2, W/2)
        x4 = self.encode3(x3)  # (B, w + 6, H/2, W/2)
        y3 = self.decode3(torch.cat([x4, x3], dim=1))  # (B, w + 4, H/2, W/2)
        y2 = self.decode2(torch.cat([y3, x2], dim=1))  # (B, w + 2, H/2, W/2)
        y1 = self.decode1(torch.cat([y2, x1], dim=1))  # (B, w, H/2, W/2)
        y0 = self.last(torch.cat([self.up(y1), x0], dim=1))  # (B, w/2, H, W): it sees the image again
        logits: Tensor = self.head(y0)  # (B, 1, H, W)
        return logits[..., :high, :wide]


class Block(nn.Module):
    """Two 3x3 convolutions, weighed by channel, beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, *, shortcut_kernel: int = 1, weigh: bool = True) -> None:
        super().__init__()
        self.conv1 = _normed(inputs, outputs, 3)
        self.conv2 = _normed(outputs, outputs, 3)
        self.weigh = SqueezeExcitation(outputs) if weigh else nn.Identity()
        self.shortcut = nn.Identity() if inputs == outputs else _normed(inputs, outputs, shortcut_kernel)

    def forward(self, x: Tensor) -> Tensor:
        f = self.conv2(functional.leaky_relu(self.conv1(x)))  # (B, outputs, h, w)
        return functional.leaky_relu(self.weigh(f) + self.shortcut(x))  # (B, outputs, h, w)


def _two_blocks(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(Block(inputs, outputs), Block(outputs, outputs))


def _normed(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs))
