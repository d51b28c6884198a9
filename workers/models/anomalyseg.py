"""AnomalySeg: Song et al., "AnomalySeg: Deep Learning-Based Fast Anomaly Segmentation Approach for Surface Defect
Detection", Electronics 13 (2024) 284, §2.2, doi:10.3390/electronics13020284.

A U-Net that halves the image once, in the stem. Deeper stages widen (w, 2w, 4w, 8w) at that one resolution; the
residual blocks carry SAFM, spatial attention with a feed-forward part, in place of squeeze and excitation.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from workers.models.spec import AnomalySegSpec

FIRST_LOGIT = -3.0  # defects are rare: an untrained net says "none"


class AnomalySeg(nn.Module):
    def __init__(self, spec: AnomalySegSpec) -> None:
        super().__init__()
        w = spec.width
        self.stride = spec.stem_stride
        self.stem = _conv(1, w, max(2 * spec.stem_stride - 1, 3), stride=spec.stem_stride)  # 3x3 at the paper's stride
        # and 7x7 at 4, as a kernel smaller than its stride steps over thin scratches
        self.encode1 = _stage(R1, w, w, spec)
        self.encode2 = _stage(R1, w, 2 * w, spec)
        self.encode3 = _stage(R1, 2 * w, 4 * w, spec)
        self.encode4 = _stage(R1, 4 * w, 8 * w, spec)
        self.decode3 = _stage(R2, 8 * w + 4 * w, 4 * w, spec)
        self.decode2 = _stage(R2, 4 * w + 2 * w, 2 * w, spec)
        self.decode1 = _stage(R2, 2 * w + w, w, spec)
        self.refine = _conv(w + 1, w, 3)
        self.head = nn.Conv2d(w, 1, 1)
        nn.init.constant_(self.head.bias, FIRST_LOGIT)  # type: ignore[arg-type]  # torch types it as optional

    def forward(self, image: Tensor) -> Tensor:
        high, wide = image.shape[-2:]
        padded = functional.pad(image, (0, -wide % self.stride, 0, -high % self.stride), mode="replicate")
        x1 = self.encode1(self.stem(padded))  # (B, w, H/s, W/s): the only halving (s = 2 in the paper)
        x2 = self.encode2(x1)  # (B, 2w, H/s, W/s)
        x3 = self.encode3(x2)  # (B, 4w, H/s, W/s)
        x4 = self.encode4(x3)  # (B, 8w, H/s, W/s)
        y3 = self.decode3(torch.cat([x4, x3], dim=1))  # (B, 4w, H/s, W/s)
        y2 = self.decode2(torch.cat([y3, x2], dim=1))  # (B, 2w, H/s, W/s)
        y1 = self.decode1(torch.cat([y2, x1], dim=1))  # (B, w, H/s, W/s)
        up = functional.interpolate(y1, size=padded.shape[-2:], mode="bilinear", align_corners=False)  # (B, w, H, W)
        y0 = self.refine(torch.cat([up, padded], dim=1))  # (B, w, H, W): AnatomyNet too shows its last stage the input
        logits: Tensor = self.head(y0)  # (B, 1, H, W)
        return logits[..., :high, :wide]

    def probability(self, image: Tensor) -> Tensor:
        return torch.sigmoid(self(image))  # (B, 1, H, W) in 0..1


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


class R1(nn.Module):
    """Eq. 3, the encoder's block: two 3x3 convolutions beside SAFM."""

    def __init__(self, inputs: int, outputs: int, expansion: int) -> None:
        super().__init__()
        self.main = nn.Sequential(_conv(inputs, outputs, 3), _conv(outputs, outputs, 3, active=False))
        self.shortcut = _shortcut(inputs, outputs)
        self.safm = SAFM(outputs, expansion)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.main(x) + self.safm(self.shortcut(x)))  # (B, outputs, h, w)


class R2(nn.Module):
    """Eq. 4, the decoder's block: 1x1, then 1x3 and 3x1 with dilation 3, then 1x1, beside SAFM."""

    def __init__(self, inputs: int, outputs: int, expansion: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            _conv(inputs, outputs, 1),
            nn.Conv2d(outputs, outputs, (1, 3), padding=(0, 3), dilation=3, bias=False),
            _conv(outputs, outputs, (3, 1), dilation=3),
            _conv(outputs, outputs, 1, active=False),
        )
        self.shortcut = _shortcut(inputs, outputs)
        self.safm = SAFM(outputs, expansion)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.main(x) + self.safm(self.shortcut(x)))  # (B, outputs, h, w)


def _stage(block: type[R1] | type[R2], inputs: int, outputs: int, spec: AnomalySegSpec) -> nn.Sequential:
    widths = [inputs] + [outputs] * spec.blocks
    return nn.Sequential(*(block(a, b, spec.expansion) for a, b in pairwise(widths)))


def _conv(
    inputs: int, outputs: int, kernel: int | tuple[int, int], *, stride: int = 1, dilation: int = 1, active: bool = True
) -> nn.Sequential:
    tall, wide = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (dilation * (tall // 2), dilation * (wide // 2))
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, (tall, wide), stride=stride, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    return nn.Sequential(*layers, nn.ReLU(inplace=True)) if active else nn.Sequential(*layers)


def _shortcut(inputs: int, outputs: int) -> nn.Module:
    return nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=False)
