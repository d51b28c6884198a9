"""CBAM Res UNet: the trunk with the convolutional block attention module, of §4.1 of Song et al. (cited in
anomalyseg.py).

The block is Woo et al., "CBAM: Convolutional Block Attention Module", ECCV 2018, doi:10.1007/978-3-030-01234-2_1:
first the channels are weighed, then the places, both on the convolutions' path, before the shortcut is added.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.spec import CBAMResUNetSpec
from workers.models.trunk import Trunk

REDUCTION = 16  # Woo et al.
INNER_LEAST = 4  # as in seresunet.py


class CBAMResUNet(Trunk):
    def __init__(self, spec: CBAMResUNetSpec) -> None:
        super().__init__(spec, CBAMBlock)


class CBAMBlock(nn.Module):
    def __init__(self, main: nn.Module, shortcut: nn.Module, channels: int) -> None:
        super().__init__()
        self.main = main
        self.shortcut = shortcut
        self.cbam = CBAM(channels)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.cbam(self.main(x)) + self.shortcut(x))  # (B, c, h, w)


class CBAM(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // REDUCTION, INNER_LEAST)
        self.shared = nn.Sequential(nn.Conv2d(channels, inner, 1), nn.ReLU(inplace=True), nn.Conv2d(inner, channels, 1))
        self.places = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, f: Tensor) -> Tensor:
        mean, most = f.mean(dim=(2, 3), keepdim=True), f.amax(dim=(2, 3), keepdim=True)  # (B, c, 1, 1) each
        f = f * torch.sigmoid(self.shared(mean) + self.shared(most))  # (B, c, h, w)
        pooled = torch.cat([f.mean(dim=1, keepdim=True), f.amax(dim=1, keepdim=True)], dim=1)  # (B, 2, h, w)
        return f * torch.sigmoid(self.places(pooled))  # (B, c, h, w)
