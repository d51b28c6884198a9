"""How a net is trained: everything that a run needs to be repeated."""

from typing import Literal

from pydantic import Field

from config.base import Table


class Training(Table):
    """The defaults train a station's net; the paper's own choices go by their names."""

    net: Literal["anomalyseg"] = "anomalyseg"
    width: int = Field(default=8, ge=1, le=256)
    expansion: int = Field(default=2, ge=1, le=8)
    blocks: int = Field(default=2, ge=1, le=8)
    stem_stride: Literal[1, 2, 4] = 4
    dataset: Literal["twin"] = "twin"
    height: int = Field(default=1000, ge=64, le=8192)  # of the net's input
    input_width: int = Field(default=160, ge=32, le=8192)
    crop_height: int = Field(default=256, ge=32, le=8192)  # lines of a training sample, at most `height`
    epochs: int = Field(default=20, ge=1, le=10_000)
    steps: int = Field(default=100, ge=1, le=1_000_000)  # an epoch: surfaces are drawn on the fly
    batch: int = Field(default=8, ge=1, le=1024)
    loss: Literal["hybrid", "hybrid_two_sided"] = "hybrid_two_sided"  # the paper: hybrid
    optimizer: Literal["sgd", "adamw"] = "adamw"  # the paper: sgd
    peak_rate: float | None = Field(default=None, gt=0, le=10)  # None: 0.1 / batch (§3.1) for sgd, 0.003 for adamw
    final_rate: float = Field(default=1e-4, gt=0, le=1)
    warmup_epochs: int = Field(default=2, ge=0, le=1000)
    begin_with: str | None = Field(default=None, max_length=4096)  # weights to start from; None: fresh ones
    seed: int = Field(default=0, ge=0, le=2**31)

    @property
    def peak(self) -> float:
        if self.peak_rate is not None:
            return self.peak_rate
        return 0.1 / self.batch if self.optimizer == "sgd" else 3e-3
