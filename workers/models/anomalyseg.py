"""AnomalySeg: Song et al., "AnomalySeg: Deep Learning-Based Fast Anomaly Segmentation Approach for Surface Defect
Detection", Electronics 13 (2024) 284, §2.2, doi:10.3390/electronics13020284.

The trunk's residual blocks carry SAFM, spatial attention with a feed-forward part, in place of squeeze and excitation.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.net import FIRST_LOGIT
from workers.models.spec import AnomalySegSpec
from workers.models.trunk import Trunk


class AnomalySeg(Trunk):
    def __init__(self, spec: AnomalySegSpec) -> None:
        def joint(main: nn.Module, shortcut: nn.Module, channels: int) -> SAFMBlock:
            return SAFMBlock(main, shortcut, channels, spec.expansion)

        super().__init__(spec, joint, first_logit=FIRST_LOGIT)


class SAFMBlock(nn.Module):
    """Eq. 3 and 4: R = ReLU{convolutions of x + F'}, F' = SAFM of the shortcut."""

    def __init__(self, main: nn.Module, shortcut: nn.Module, channels: int, expansion: int) -> None:
        super().__init__()
        self.main = main
        self.shortcut = shortcut
        self.safm = SAFM(channels, expansion)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.main(x) + self.safm(self.shortcut(x)))  # (B, c, h, w)


class SAFM(nn.Module):
    """Eq. 1 and 2: F' = Norm{FFN[Norm(F + M)] + Norm(F + M)}, M = sigmoid of three convolutions over (mean, max) of F.

    With the feed-forward part as two 1x1 convolutions alone the paper's net comes to 2.33 M parameters, against the
    2.37 M it states. With a 3x3 depth-wise convolution between the two, as transformers for images have it, it comes
    to 2.353 M, within 1 %.
    """

    def __init__(self, channels: int, expansion: int) -> None:
        super().__init__()
        inner = expansion * channels
        self.near = nn.Conv2d(2, 1, 3, padding=1, bias=False)
        self.middle = nn.Conv2d(2, 1, 5, padding=2, bias=False)
        self.far = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.ffn = nn.Sequential(
            nn.Conv2d(channels, inner, 1),
            nn.Conv2d(inner, inner, 3, padding=1, groups=inner),
            nn.ReLU(inplace=True),
            nn.Conv2d(inner, channels, 1),
        )
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, f: Tensor) -> Tensor:
        pooled = torch.cat([f.mean(dim=1, keepdim=True), f.amax(dim=1, keepdim=True)], dim=1)  # (B, 2, h, w)
        attention = torch.sigmoid(self.near(pooled) + self.middle(pooled) + self.far(pooled))  # (B, 1, h, w)
        normed = self.norm1(f + attention)  # (B, c, h, w)
        out: Tensor = self.norm2(self.ffn(normed) + normed)  # (B, c, h, w)
        return out
