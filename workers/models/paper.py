"""What Song et al. (cited in anomalyseg.py) state of the nets they compare: their Table 4, and where ours differ.

The paper names neither the image size of its FLOPs nor whether a multiplication with its addition counts once or
twice. No one size makes ours fit: at 256x256 its figure for AnomalySeg is 1.10 times our multiply-accumulates, for FCN
1.12, for DeepLabv3 4.5, for U-Net 0.80, for U-Net++ 0.50.
"""

import msgspec


class PaperNet(msgspec.Struct, frozen=True, kw_only=True):
    parameters_m: float  # millions
    flops_g: float  # as printed
    note: str = ""  # what does not match, and why; empty where the parameters agree within 1 %

    def __str__(self) -> str:
        said = f"paper: {self.parameters_m} M, {self.flops_g} GFLOPs"
        return f"{said}; {self.note}" if self.note else said


PAPER = {
    "fcn_resnet50": PaperNet(parameters_m=32.95, flops_g=38.57),
    "deeplabv3_resnet50": PaperNet(
        parameters_m=10.01,
        flops_g=182.77,
        note="no DeepLabv3 on ResNet-50 is so small, the backbone alone has 23.5 M; torchvision's has 39.63 M",
    ),
    "unet": PaperNet(
        parameters_m=4.17,
        flops_g=8.02,
        note="no usual width has 4.17 M; the nearest, 32 with bilinear upsampling, has 4.32 M",
    ),
    "unetplusplus": PaperNet(parameters_m=9.16, flops_g=17.35),
    "attentionunet": PaperNet(parameters_m=34.88, flops_g=30.23),
    "anatomynet": PaperNet(
        parameters_m=0.602,
        flops_g=11.28,
        note="published widths (28 to 34) have 0.25 M in 2-D; 45 to 51 give the stated size",
    ),
    "anomalyseg": PaperNet(parameters_m=2.37, flops_g=42.35),
}  # by kind; Table 4 leaves out LR-ASPP and the other nets of the trunk
