"""The kinds of camera a station can have, and how their pixels become millimetres."""

from typing import Annotated, Literal

from pydantic import Field

from config.base import Name, Table, type_checked_list
from config.health import Health

Pixels = Annotated[int, Field(ge=1, le=32_768)]


class Calibration(Table):
    """Two numbers, as line-scan pixels are not square: the optics set one, belt and encoder the other."""

    mm_per_px_across: float = Field(gt=0, le=100)
    mm_per_line: float = Field(gt=0, le=100)

    @property
    def mm2_per_px(self) -> float:
        return self.mm_per_px_across * self.mm_per_line


class CameraBase(Table):
    """What holds of every camera: which frames it may send, and how many may wait."""

    name: Name
    width: Annotated[tuple[Pixels, Pixels], type_checked_list]  # least and greatest, pixels across
    height: Annotated[tuple[Pixels, Pixels], type_checked_list]  # least and greatest, lines
    calibration: Calibration | None = None  # without it, limits are in px
    backlog: int = Field(default=4, ge=1, le=256)  # frames that wait for a worker; the next one is closed as overload
    health: Health = Health()  # when a frame is not inspected, whatever the net says


class TwinCamera(CameraBase):
    """A line-scan camera above the digital twin's belt."""

    kind: Literal["twin"]


class FolderCamera(CameraBase):
    """Replays the images of a folder in name order; each file that fits the pattern is a trigger."""

    kind: Literal["folder"]
    root: str = Field(min_length=1, max_length=4096)  # $LINE_DATA and other variables are expanded
    pattern: str = Field(min_length=1, max_length=256)  # a glob below root
    split: str | None = Field(default=None, min_length=1, max_length=64)  # a key of the split.json in root
    rate: float | None = Field(
        default=None, gt=0, le=10_000
    )  # frames/s; without it the next is drawn when a worker is free


Camera = Annotated[TwinCamera | FolderCamera, Field(discriminator="kind")]
