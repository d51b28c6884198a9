"""The nets that torchvision has: FCN and DeepLabv3 on ResNet-50, LR-ASPP on MobileNetV3; fresh weights, one class.

Long et al., "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015, doi:10.1109/CVPR.2015.7298965.
Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017, doi:10.48550/arXiv.1706.05587.
Howard et al., "Searching for MobileNetV3", ICCV 2019, doi:10.1109/ICCV.2019.00140 (LR-ASPP is its §6.4).
"""

from typing import Any, assert_never

import torch
from torch import Tensor, nn

from workers.errors import ModelError
from workers.models.net import FIRST_LOGIT, SegmentationNet
from workers.models.spec import DeepLabSpec, FcnSpec, LrasppSpec

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[torch.library.Library] = []  # a schema lives as long as the Library that declared it


class TorchvisionNet(SegmentationNet):
    """Grey is shown to it as three equal colours, so that the net is torchvision's to the last parameter."""

    def __init__(self, spec: FcnSpec | DeepLabSpec | LrasppSpec) -> None:
        super().__init__()
        nets = _segmentation(spec.kind)
        fresh = {"weights": None, "weights_backbone": None, "num_classes": 1}
        self.repeats = 3 // spec.channels
        match spec:
            case FcnSpec():
                self.net = nets.fcn_resnet50(**fresh, aux_loss=False)
                last = self.net.classifier[-1]
            case DeepLabSpec():
                self.net = nets.deeplabv3_resnet50(**fresh, aux_loss=False)
                last = self.net.classifier[-1]
            case LrasppSpec():
                self.net = nets.lraspp_mobilenet_v3_large(**fresh)
                last = self.net.classifier.high_classifier
            case _:
                assert_never(spec)
        nn.init.constant_(last.bias, FIRST_LOGIT)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.net(image.repeat(1, self.repeats, 1, 1))["out"]  # (B, 3, H, W) → (B, 1, H, W)
        return logits


def _segmentation(kind: str) -> Any:
    try:
        try:
            import torchvision
        except RuntimeError:  # a torch for CPUs cannot load its binary, and two operators are missed
            _declare_operators()
        import torchvision.models.segmentation
    except ImportError as error:
        raise ModelError(
            f"net: {kind!r} needs torchvision ({error}); pip install 'line-monitor[paper]' brings it"
        ) from error
    return torchvision.models.segmentation


def _declare_operators() -> None:
    """Only the names of the two that torchvision looks up while it is imported; no net here calls them."""
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in SCHEMAS:
        if not hasattr(torch.ops.torchvision, schema.partition("(")[0]):
            library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)
