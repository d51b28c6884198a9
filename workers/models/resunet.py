"""Res UNet: the trunk with plain residual blocks, the first of §4.1 of Song et al. (cited in anomalyseg.py).

The block is He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, doi:10.1109/CVPR.2016.90.
"""

from torch import Tensor, nn
from torch.nn import functional

from workers.models.spec import ResUNetSpec
from workers.models.trunk import Trunk


class ResUNet(Trunk):
    def __init__(self, spec: ResUNetSpec) -> None:
        super().__init__(spec, ResidualBlock)


class ResidualBlock(nn.Module):
    def __init__(self, main: nn.Module, shortcut: nn.Module, channels: int) -> None:  # noqa: ARG002  # as all joints
        super().__init__()
        self.main = main
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.main(x) + self.shortcut(x))  # (B, c, h, w)
