"""SE Res UNet: the trunk with squeeze and excitation, of §4.1 of Song et al. (cited in anomalyseg.py).

The block is Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018, doi:10.1109/CVPR.2018.00745: the weights of the
channels act on the convolutions' path, before the shortcut is added.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.spec import SEResUNetSpec
from workers.models.trunk import Trunk

REDUCTION = 16  # Hu et al.
INNER_LEAST = 4  # of the narrow nets here a sixteenth is one channel, which may die with its ReLU
FIRST_BIAS = 0.1  # normalised channels pool to nearly zero: a negative bias would switch the ReLU off for every image


class SEResUNet(Trunk):
    def __init__(self, spec: SEResUNetSpec) -> None:
        super().__init__(spec, SEBlock)


class SEBlock(nn.Module):
    def __init__(self, main: nn.Module, shortcut: nn.Module, channels: int) -> None:
        super().__init__()
        self.main = main
        self.shortcut = shortcut
        self.se = SqueezeExcitation(channels)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.se(self.main(x)) + self.shortcut(x))  # (B, c, h, w)


class SqueezeExcitation(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // REDUCTION, INNER_LEAST)
        self.squeeze = nn.Conv2d(channels, inner, 1)
        nn.init.constant_(self.squeeze.bias, FIRST_BIAS)  # type: ignore[arg-type]  # torch types it as optional
        self.excite = nn.Conv2d(inner, channels, 1)

    def forward(self, f: Tensor) -> Tensor:
        pooled = f.mean(dim=(2, 3), keepdim=True)  # (B, c, 1, 1)
        return f * torch.sigmoid(self.excite(functional.relu(self.squeeze(pooled))))  # (B, c, h, w)
