"""Which net a station runs, and on what."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from config.base import Table


class Model(Table):
    """The weights (their manifest lies beside them) and the engine that runs them."""

    weights: str = Field(pattern=r"\.safetensors$", max_length=4096)  # relative to the package
    engine: Literal["openvino", "torch"] = "openvino"
    device: Literal["auto", "cpu", "cuda"] = "auto"  # of torch; auto takes what each start finds, cuda refuses to start
    batch: int = Field(default=1, ge=1, le=64)  # frames at most that a worker scores together; it holds one a camera
    threshold: float | None = Field(default=None, gt=0, lt=1)  # in place of the manifest's

    @field_validator("device")
    @classmethod
    def _fits_engine(cls, device: str, info: ValidationInfo) -> str:
        if device == "cuda" and info.data.get("engine") == "openvino":
            raise PydanticCustomError("device_of_engine", "the engine 'openvino' runs on the CPU; 'torch' takes a GPU")
        return device
