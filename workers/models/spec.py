"""What a net is, in numbers: the part of a manifest from which the same net is built again."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class AnomalySegSpec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["anomalyseg"] = "anomalyseg"
    width: int = Field(default=24, ge=1, le=256)
    expansion: int = Field(default=2, ge=1, le=8)  # of the feed-forward part of SAFM
    blocks: int = Field(default=2, ge=1, le=8)  # a stage
    stem_stride: Literal[1, 2, 4] = 2


NetSpec = AnomalySegSpec  # a union, discriminated by `kind`, as soon as there are two
