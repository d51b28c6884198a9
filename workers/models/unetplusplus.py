"""U-Net++: Zhou et al., "UNet++: A Nested U-Net Architecture for Medical Image Segmentation", DLMIA 2018,
doi:10.1007/978-3-030-00889-5_1.

Between encoder and decoder lies a triangle of blocks: x<i><j> sees every earlier block of its level i and the doubled
one below it. At 32 channels it has 9.16 M parameters, as in Song et al.; without deep supervision.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.net import SegmentationNet, double_conv, doubled, logit_head, padded
from workers.models.spec import UNetPlusPlusSpec

LEVELS = 5


class UNetPlusPlus(SegmentationNet):
    def __init__(self, spec: UNetPlusPlusSpec) -> None:
        super().__init__()
        widths = [spec.width << level for level in range(LEVELS)]  # w, 2w, 4w, 8w, 16w
        self.encode = nn.ModuleList(
            double_conv(a, b, b) for a, b in zip([spec.channels, *widths], widths, strict=False)
        )
        self.nested = nn.ModuleDict(
            {
                f"{i}{j}": double_conv(j * widths[i] + widths[i + 1], widths[i], widths[i])
                for j in range(1, LEVELS)
                for i in range(LEVELS - j)
            }
        )
        self.head = logit_head(spec.width)

    def forward(self, image: Tensor) -> Tensor:
        high, wide = image.shape[-2:]
        levels: list[list[Tensor]] = []  # levels[i][j]: (B, w << i, H >> i, W >> i)
        x = padded(image, 1 << (LEVELS - 1))  # (B, channels, H, W)
        for i, encode in enumerate(self.encode):
            x = encode(functional.max_pool2d(x, 2) if i else x)  # (B, w << i, H >> i, W >> i)
            levels.append([x])
        for j in range(1, LEVELS):
            for i in range(LEVELS - j):
                seen = [*levels[i], doubled(levels[i + 1][j - 1])]  # j of this level and one below, as large as they
                levels[i].append(self.nested[f"{i}{j}"](torch.cat(seen, dim=1)))  # (B, w << i, H >> i, W >> i)
        logits: Tensor = self.head(levels[0][-1])  # (B, 1, H, W)
        return logits[..., :high, :wide]
