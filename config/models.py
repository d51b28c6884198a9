"""Which net a station runs, and on what."""

from typing import Literal

from pydantic import Field

from config.base import Table


class Model(Table):
    """The weights (their manifest lies beside them) and the engine that runs them."""

    weights: str = Field(pattern=r"\.safetensors$", max_length=4096)  # relative to the package
    engine: Literal["openvino", "torch"] = "openvino"
    threshold: float | None = Field(default=None, gt=0, lt=1)  # in place of the manifest's
