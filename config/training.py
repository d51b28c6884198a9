"""How a net is trained: everything that a run needs to be repeated."""

from typing import Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from config.base import Share, Table

NetName = Literal[
    "anomalyseg",
    "resunet",
    "seresunet",
    "cbamresunet",
    "unet",
    "unetplusplus",
    "attentionunet",
    "anatomynet",
    "fcn_resnet50",
    "deeplabv3_resnet50",
    "lraspp_mobilenetv3",
]
DatasetName = Literal["twin", "kolektorsdd", "kolektorsdd2", "rsdd1", "rsdd2", "magnetic_tile", "folder", "mvtec"]
DeviceName = Literal["auto", "cpu", "cuda"]  # auto: CUDA where torch finds it
LossName = Literal[
    "hybrid", "hybrid_two_sided", "hybrid_by_image", "balanced", "balanced_by_image", "dice", "focal", "focal_two_sided"
]
NETS: tuple[str, ...] = get_args(NetName)
DATASETS: tuple[str, ...] = get_args(DatasetName)
TWIN_STEPS = 100  # surfaces are drawn on the fly, so an epoch is a number, not a pass
TWIN_CROP_HEIGHT = 256


class Training(Table):
    """The defaults train a station's net; the paper's own choices go by their names."""

    net: NetName = "anomalyseg"
    width: int | None = Field(default=None, ge=1, le=256)  # None: 8 for the trunk of AnomalySeg, else as in its paper
    expansion: int = Field(default=2, ge=1, le=8)
    blocks: int = Field(default=2, ge=1, le=8)
    stem_stride: Literal[1, 2, 4] = 4
    channels: Literal[1, 3] = 1
    dataset: DatasetName = "twin"
    root: str | None = Field(default=None, max_length=4096)  # of the data set; the twin has none
    height: int = Field(default=1000, ge=32, le=8192)  # of the net's input
    input_width: int = Field(default=160, ge=32, le=8192)
    fit: Literal["stretch", "pad"] = "stretch"  # how an image of another size comes to the net's
    crop_height: int | None = Field(default=None, ge=32, le=8192)  # of a training sample; None: the whole input
    crop_width: int | None = Field(default=None, ge=32, le=8192)
    epochs: int = Field(default=20, ge=1, le=10_000)
    steps: int | None = Field(default=None, ge=1, le=1_000_000)  # an epoch; None: as many as show each image once
    batch: int = Field(default=8, ge=1, le=1024)  # of each process, where several train together
    oversample: Share = 0.5  # of the samples of a stored set are drawn from its defective images
    augment: bool = True
    rotation_deg: float = Field(default=6.0, ge=0, le=180)  # a sample is turned by up to this, either way
    paste: Share = 0.0  # of the samples get the defect of another image on a sound one
    loss: LossName = "hybrid_two_sided"  # the paper: hybrid
    optimizer: Literal["sgd", "adamw"] = "adamw"  # the paper: sgd
    peak_rate: float | None = Field(default=None, gt=0, le=10)  # None: 0.1 / batch (§3.1) for sgd, 0.003 for adamw
    final_rate: float = Field(default=1e-4, gt=0, le=1)
    warmup_epochs: int | None = Field(default=None, ge=0, le=1000)  # None: 2, or fewer in a short run
    averaging: float | None = Field(default=None, gt=0, lt=1)  # decay of the weights' running mean, which is then kept
    threshold_by: Literal["all", "pooled"] = "all"  # which Dice on the training part is best at the net's threshold
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # auto: bfloat16 on CUDA, float32 on a CPU
    begin_with: str | None = Field(default=None, max_length=4096)  # weights to start from; None: fresh ones
    seed: int = Field(default=0, ge=0, le=2**31)

    @model_validator(mode="after")
    def _fits_together(self) -> "Training":
        if self.warmup_epochs is not None and self.warmup_epochs >= self.epochs:
            raise PydanticCustomError(
                "warmup_epochs", "{warmup} epochs of warming up leave none of {epochs} to train in",
                {"warmup": self.warmup_epochs, "epochs": self.epochs},
            )  # fmt: skip
        if self.dataset == "twin":
            for key in (
                "root",
                "channels",
                "fit",
                "crop_width",
                "oversample",
                "augment",
                "rotation_deg",
                "paste",
                "threshold_by",
            ):
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise PydanticCustomError(
                        key, "{key} has no effect on the twin's surfaces, which are drawn; leave it out", {"key": key}
                    )
        return self

    @property
    def warmup(self) -> int:
        """Epochs."""
        return min(2, self.epochs // 4) if self.warmup_epochs is None else self.warmup_epochs

    @property
    def peak(self) -> float:
        if self.peak_rate is not None:
            return self.peak_rate
        return 0.1 / self.batch if self.optimizer == "sgd" else 3e-3

    @property
    def crop(self) -> tuple[int, int]:
        """(h, w) of a training sample."""
        high = self.crop_height or (TWIN_CROP_HEIGHT if self.dataset == "twin" else self.height)
        return min(high, self.height), min(self.crop_width or self.input_width, self.input_width)
