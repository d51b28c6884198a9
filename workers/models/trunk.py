"""The trunk of the paper's four nets (§2.2 and §4.1 of Song et al., cited in anomalyseg.py).

A U-Net that halves the image once, in the stem. Deeper stages widen (w, 2w, 4w, 8w) at that one resolution. What a
block does beside its convolutions, and how it joins both, is the net's own: `joint` makes it.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.net import FIRST_LOGIT, SegmentationNet, conv, logit_head, padded
from workers.models.spec import TrunkSpec

Joint = Callable[[nn.Module, nn.Module, int], nn.Module]  # (main path, shortcut, channels) → the block


class Trunk(SegmentationNet):
    def __init__(self, spec: TrunkSpec, joint: Joint, *, first_logit: float = FIRST_LOGIT) -> None:
        super().__init__()
        w, n = spec.width, spec.blocks
        self.stride = spec.stem_stride
        self.stem = conv(spec.channels, w, max(2 * spec.stem_stride - 1, 3), stride=spec.stem_stride)  # 3x3 at the
        # paper's stride and 7x7 at 4, as a kernel smaller than its stride steps over thin scratches
        self.encode1 = _stage(_encoding, w, w, n, joint)
        self.encode2 = _stage(_encoding, w, 2 * w, n, joint)
        self.encode3 = _stage(_encoding, 2 * w, 4 * w, n, joint)
        self.encode4 = _stage(_encoding, 4 * w, 8 * w, n, joint)
        self.decode3 = _stage(_decoding, 8 * w + 4 * w, 4 * w, n, joint)
        self.decode2 = _stage(_decoding, 4 * w + 2 * w, 2 * w, n, joint)
        self.decode1 = _stage(_decoding, 2 * w + w, w, n, joint)
        self.refine = conv(w + spec.channels, w, 3)
        self.head = logit_head(w, first_logit=first_logit)

    def forward(self, image: Tensor) -> Tensor:
        high, wide = image.shape[-2:]
        x0 = padded(image, self.stride)  # (B, channels, H, W)
        x1 = self.encode1(self.stem(x0))  # (B, w, H/s, W/s): the only halving (s = 2 in the paper)
        x2 = self.encode2(x1)  # (B, 2w, H/s, W/s)
        x3 = self.encode3(x2)  # (B, 4w, H/s, W/s)
        x4 = self.encode4(x3)  # (B, 8w, H/s, W/s)
        y3 = self.decode3(torch.cat([x4, x3], dim=1))  # (B, 4w, H/s, W/s)
        y2 = self.decode2(torch.cat([y3, x2], dim=1))  # (B, 2w, H/s, W/s)
        y1 = self.decode1(torch.cat([y2, x1], dim=1))  # (B, w, H/s, W/s)
        up = functional.interpolate(y1, size=x0.shape[-2:], mode="bilinear", align_corners=False)  # (B, w, H, W)
        y0 = self.refine(torch.cat([up, x0], dim=1))  # (B, w, H, W): AnatomyNet too shows its last stage the input
        logits: Tensor = self.head(y0)  # (B, 1, H, W)
        return logits[..., :high, :wide]


def _stage(
    main: Callable[[int, int], nn.Sequential], inputs: int, outputs: int, blocks: int, joint: Joint
) -> nn.Sequential:
    widths = [inputs] + [outputs] * blocks
    return nn.Sequential(*(joint(main(a, b), _shortcut(a, b), b) for a, b in pairwise(widths)))


def _encoding(inputs: int, outputs: int) -> nn.Sequential:
    """Eq. 3: two 3x3 convolutions."""
    return nn.Sequential(conv(inputs, outputs, 3), conv(outputs, outputs, 3, active=False))


def _decoding(inputs: int, outputs: int) -> nn.Sequential:
    """Eq. 4: 1x1, then 1x3 and 3x1 with dilation 3, then 1x1."""
    return nn.Sequential(
        conv(inputs, outputs, 1),
        nn.Conv2d(outputs, outputs, (1, 3), padding=(0, 3), dilation=3, bias=False),
        conv(outputs, outputs, (3, 1), dilation=3),
        conv(outputs, outputs, 1, active=False),
    )


def _shortcut(inputs: int, outputs: int) -> nn.Module:
    return nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=False)
