"""The nets, one a file, and the one place that builds them."""

from typing import assert_never

from workers.models import (
    anatomynet,
    anomalyseg,
    attentionunet,
    cbamresunet,
    resunet,
    seresunet,
    torchvision_nets,
    unet,
    unetplusplus,
)
from workers.models.net import SegmentationNet
from workers.models.spec import (
    AnatomyNetSpec,
    AnomalySegSpec,
    AttentionUNetSpec,
    CBAMResUNetSpec,
    DeepLabSpec,
    FcnSpec,
    LrasppSpec,
    NetSpec,
    ResUNetSpec,
    SEResUNetSpec,
    UNetPlusPlusSpec,
    UNetSpec,
)


def build_model(spec: NetSpec) -> SegmentationNet:
    """A net with fresh weights: (B, channels, H, W) normalised image in, (B, 1, H, W) logits out."""
    match spec:
        case AnomalySegSpec():
            return anomalyseg.AnomalySeg(spec)
        case ResUNetSpec():
            return resunet.ResUNet(spec)
        case SEResUNetSpec():
            return seresunet.SEResUNet(spec)
        case CBAMResUNetSpec():
            return cbamresunet.CBAMResUNet(spec)
        case UNetSpec():
            return unet.UNet(spec)
        case UNetPlusPlusSpec():
            return unetplusplus.UNetPlusPlus(spec)
        case AttentionUNetSpec():
            return attentionunet.AttentionUNet(spec)
        case AnatomyNetSpec():
            return anatomynet.AnatomyNet(spec)
        case FcnSpec() | DeepLabSpec() | LrasppSpec():
            return torchvision_nets.TorchvisionNet(spec)
        case _:
            assert_never(spec)
