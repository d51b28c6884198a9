"""What a net is, in numbers: the part of a manifest from which the same net is built again."""

from difflib import get_close_matches
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from workers.errors import ModelError


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: Literal[1, 3] = 1  # of the image: grey or colour


class TrunkSpec(Spec):
    """The paper's own four nets (its §4.1): one trunk, another module on the shortcut of each residual block."""

    width: int = Field(default=24, ge=1, le=256)
    blocks: int = Field(default=2, ge=1, le=8)  # a stage
    stem_stride: Literal[1, 2, 4] = 2


class AnomalySegSpec(TrunkSpec):
    kind: Literal["anomalyseg"] = "anomalyseg"
    expansion: int = Field(default=2, ge=1, le=8)  # of the feed-forward part of SAFM


class ResUNetSpec(TrunkSpec):
    kind: Literal["resunet"] = "resunet"


class SEResUNetSpec(TrunkSpec):
    kind: Literal["seresunet"] = "seresunet"


class CBAMResUNetSpec(TrunkSpec):
    kind: Literal["cbamresunet"] = "cbamresunet"


class UNetSpec(Spec):
    kind: Literal["unet"] = "unet"
    width: int = Field(default=32, ge=1, le=256)  # of the first stage, as in the nets below


class UNetPlusPlusSpec(Spec):
    kind: Literal["unetplusplus"] = "unetplusplus"
    width: int = Field(default=32, ge=1, le=256)


class AttentionUNetSpec(Spec):
    kind: Literal["attentionunet"] = "attentionunet"
    width: int = Field(default=64, ge=2, le=256)


class AnatomyNetSpec(Spec):
    kind: Literal["anatomynet"] = "anatomynet"
    width: int = Field(default=45, ge=2, le=256)  # published: 28; anatomynet.py says why not


class FcnSpec(Spec):
    kind: Literal["fcn_resnet50"] = "fcn_resnet50"


class DeepLabSpec(Spec):
    kind: Literal["deeplabv3_resnet50"] = "deeplabv3_resnet50"


class LrasppSpec(Spec):
    kind: Literal["lraspp_mobilenetv3"] = "lraspp_mobilenetv3"


NetSpec = Annotated[
    AnomalySegSpec
    | ResUNetSpec
    | SEResUNetSpec
    | CBAMResUNetSpec
    | UNetSpec
    | UNetPlusPlusSpec
    | AttentionUNetSpec
    | AnatomyNetSpec
    | FcnSpec
    | DeepLabSpec
    | LrasppSpec,
    Field(discriminator="kind"),
]
SPECS: dict[str, type[NetSpec]] = {spec.model_fields["kind"].default: spec for spec in get_args(get_args(NetSpec)[0])}


def net_spec(kind: str, *, width: int | None, channels: int, expansion: int, blocks: int, stem_stride: int) -> NetSpec:
    """The spec of this kind, from those numbers that such a net has; width None is its own default."""
    if kind not in SPECS:
        near = get_close_matches(kind, SPECS, n=1)
        raise ModelError(f"net: {kind!r} is not one of {sorted(SPECS)}" + (f"; {near[0]!r} is near" if near else ""))
    spec = SPECS[kind]
    numbers = {"channels": channels, "expansion": expansion, "blocks": blocks, "stem_stride": stem_stride}
    if width is not None:
        numbers["width"] = width
    return spec.model_validate({name: number for name, number in numbers.items() if name in spec.model_fields})
