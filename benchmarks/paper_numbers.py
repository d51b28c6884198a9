"""What Song et al. (Electronics 13 (2024) 284) print in Tables 1, 3 and 4, in percent, and the run that answers."""

from typing import Literal

import msgspec

Data = Literal["KolektorSDD", "KolektorSDD2", "RSDDs"]
Measure = Literal["dsc", "iou"]
DATA: tuple[Data, ...] = ("KolektorSDD", "KolektorSDD2", "RSDDs")
SETS: dict[Data, tuple[str, ...]] = {
    "KolektorSDD": ("kolektorsdd",),
    "KolektorSDD2": ("kolektorsdd2",),
    "RSDDs": ("rsdd1", "rsdd2"),  # the paper gives one figure for both types
}
LOSSES = {"dice": "Dice loss", "focal": "Focal loss", "hybrid": "Dice + Focal"}
NARROWER = (12, 8, 4)  # widths of AnomalySeg besides the paper's 24, to be set against the other nets' times
LABELS = {
    "fcn_resnet50": "FCN-ResNet50",
    "deeplabv3_resnet50": "DeepLabv3-ResNet50",
    "unet": "UNet",
    "unetplusplus": "UNet++",
    "attentionunet": "AttenUnet",
    "anatomynet": "AnatomyNet",
    "anomalyseg": "AnomalySeg (SAFM Res UNet)",
    "resunet": "Res UNet",
    "seresunet": "SE Res UNet",
    "cbamresunet": "CBAM Res UNet",
    "lraspp_mobilenetv3": "LRASPP-MobileNetV3",
}


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run of ours."""

    net: str
    loss: str
    dataset: str
    width: int | None = None  # None: the paper's

    @property
    def name(self) -> str:
        return f"{self.dataset}-{self.net}-{self.loss}" + ("" if self.width is None else f"-width-{self.width}")


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a table."""

    table: int
    net: str
    loss: str
    data: Data
    measure: Measure
    paper: float | None  # percent

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The runs whose figures, weighed by their images, answer it."""
        return tuple(Job(net=self.net, loss=self.loss, dataset=dataset) for dataset in SETS[self.data])


def _table1() -> list[Cell]:
    printed = {
        ("dice", "unet"): (78.2, 77.9),
        ("dice", "anomalyseg"): (84.5, 83.7),
        ("focal", "unet"): (71.5, 70.9),
        ("focal", "anomalyseg"): (88.5, 87.5),
        ("hybrid", "unet"): (75.4, 73.5),
        ("hybrid", "anomalyseg"): (95.2, 89.6),
    }
    measures: tuple[Measure, ...] = ("dsc", "iou")
    return [
        Cell(table=1, net=net, loss=loss, data="KolektorSDD", measure=measure, paper=value)
        for (loss, net), values in printed.items()
        for measure, value in zip(measures, values, strict=True)
    ]


def _table3() -> list[Cell]:
    printed = {
        "resunet": (57.9, 52.5, 86.3, 77.2),
        "seresunet": (61.8, 53.8, 88.9, 82.6),
        "cbamresunet": (62.7, 53.4, 89.7, 81.6),
        "anomalyseg": (68.4, 66.2, 95.2, 86.5),
    }
    columns: tuple[tuple[Measure, Data], ...] = (
        ("iou", "KolektorSDD"), ("iou", "RSDDs"), ("dsc", "KolektorSDD"), ("dsc", "RSDDs"),
    )  # fmt: skip
    return [
        Cell(table=3, net=net, loss="hybrid", data=data, measure=measure, paper=value)
        for net, values in printed.items()
        for (measure, data), value in zip(columns, values, strict=True)
    ]


def _table4() -> list[Cell]:
    printed: dict[str, tuple[float | None, ...]] = {
        "fcn_resnet50": (33.2, 31.5, 60.1),
        "deeplabv3_resnet50": (57.7, 53.1, 54.6),
        "unet": (56.2, 54.8, 42.3),
        "unetplusplus": (69.3, 62.2, 60.6),
        "attentionunet": (72.5, 69.5, 58.4),
        "anatomynet": (86.3, 80.4, 72.9),
        "anomalyseg": (95.2, 92.9, 86.5),
        "lraspp_mobilenetv3": (None, None, None),  # in the paper's figures only
    }
    return [
        Cell(table=4, net=net, loss="hybrid", data=data, measure="dsc", paper=value)
        for net, values in printed.items()
        for data, value in zip(DATA, values, strict=True)
    ]


CELLS: tuple[Cell, ...] = (*_table1(), *_table3(), *_table4())


def narrower_jobs() -> tuple[Job, ...]:
    """Whether AnomalySeg is faster and better at once hangs on its width."""
    return tuple(Job(net="anomalyseg", loss="hybrid", dataset="kolektorsdd", width=width) for width in NARROWER)
