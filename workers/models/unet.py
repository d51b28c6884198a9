"""U-Net: Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015,
doi:10.1007/978-3-319-24574-4_28.

With padded convolutions, normalisation and bilinear upsampling, as it is used today. The 4.17 M parameters that Song
et al. state for it match no usual width; the nearest usual one begins at 32 channels and has 4.32 M.
"""

import torch
from torch import Tensor
from torch.nn import functional

from workers.models.net import SegmentationNet, double_conv, doubled, logit_head, padded
from workers.models.spec import UNetSpec


class UNet(SegmentationNet):
    def __init__(self, spec: UNetSpec) -> None:
        super().__init__()
        w = spec.width
        self.encode0 = double_conv(spec.channels, w, w)
        self.encode1 = double_conv(w, 2 * w, 2 * w)
        self.encode2 = double_conv(2 * w, 4 * w, 4 * w)
        self.encode3 = double_conv(4 * w, 8 * w, 8 * w)
        self.bottom = double_conv(8 * w, 8 * w, 8 * w)  # not 16w: upsampling here has no weights to halve it again
        self.decode3 = double_conv(8 * w + 8 * w, 8 * w, 4 * w)
        self.decode2 = double_conv(4 * w + 4 * w, 4 * w, 2 * w)
        self.decode1 = double_conv(2 * w + 2 * w, 2 * w, w)
        self.decode0 = double_conv(w + w, w, w)
        self.head = logit_head(w)

    def forward(self, image: Tensor) -> Tensor:
        high, wide = image.shape[-2:]
        x0 = self.encode0(padded(image, 16))  # (B, w, H, W)
        x1 = self.encode1(functional.max_pool2d(x0, 2))  # (B, 2w, H/2, W/2)
        x2 = self.encode2(functional.max_pool2d(x1, 2))  # (B, 4w, H/4, W/4)
        x3 = self.encode3(functional.max_pool2d(x2, 2))  # (B, 8w, H/8, W/8)
        y4 = self.bottom(functional.max_pool2d(x3, 2))  # (B, 8w, H/16, W/16)
        y3 = self.decode3(torch.cat([x3, doubled(y4)], dim=1))  # (B, 4w, H/8, W/8)
        y2 = self.decode2(torch.cat([x2, doubled(y3)], dim=1))  # (B, 2w, H/4, W/4)
        y1 = self.decode1(torch.cat([x1, doubled(y2)], dim=1))  # (B, w, H/2, W/2)
        y0 = self.decode0(torch.cat([x0, doubled(y1)], dim=1))  # (B, w, H, W)
        logits: Tensor = self.head(y0)  # (B, 1, H, W)
        return logits[..., :high, :wide]
