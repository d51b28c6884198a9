"""The kinds of camera a station can have, and how their pixels become millimetres."""

import math
import os
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from config.base import Milliseconds, Name, Table, type_checked_list
from config.health import Health
from config.zones import ZONES_MOST, Zone

Pixels = Annotated[int, Field(ge=1, le=32_768)]
NEAR_PX = 0.5  # a zone may end so far outside of the frame: its edge is measured on the part


class Calibration(Table):
    """Two numbers, as line-scan pixels are not square: the optics set one, belt and encoder the other.

    `linectl calibrate` measures them; what it wrote goes before what the station file says (config/calibration.py).
    """

    mm_per_px_across: float = Field(gt=0, le=100)
    mm_per_line: float = Field(gt=0, le=100)
    shear_deg: float = Field(default=0.0, ge=-45, le=45)  # of a line of pixels that is not square to the belt
    area_relative_uncertainty: float | None = Field(default=None, ge=0, lt=1)  # standard, k = 1; None: not known

    @property
    def mm2_per_px(self) -> float:
        return self.mm_per_px_across * self.mm_per_line * math.cos(math.radians(self.shear_deg))

    def to_px(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        """Where a point across and along the belt lies in the frame, whose first pixel spans 0 … 1."""
        lean = math.radians(self.shear_deg)
        across = x_mm / (self.mm_per_px_across * math.cos(lean))
        return across, (y_mm - x_mm * math.tan(lean)) / self.mm_per_line


class CameraBase(Table):
    """What holds of every camera: which frames it may send, and how many may wait."""

    name: Name
    width: Annotated[tuple[Pixels, Pixels], type_checked_list]  # least and greatest, pixels across
    height: Annotated[tuple[Pixels, Pixels], type_checked_list]  # least and greatest, lines
    calibration: Calibration | None = None  # without it, limits are in px
    backlog: int = Field(default=4, ge=1, le=256)  # frames that wait for a worker; the next one is closed as overload
    health: Health = Health()  # when a frame is not inspected, whatever the net says
    zones: Annotated[tuple[Zone, ...], type_checked_list] = Field(default=(), max_length=ZONES_MOST)

    def zone_problems(self, unit: str) -> Iterator[tuple[str, str]]:
        """(key, what is wrong) with its zones, in a station whose limits have this unit."""
        names = [zone.name for zone in self.zones]
        for n, zone in enumerate(self.zones):
            at = f"zones[{n}]"
            yield from ((f"{at}.{key}", text) for key, text in zone.problems())
            if zone.name in names[:n]:
                yield f"{at}.name", f"{zone.name!r} is the name of another zone too"
            if unit != "mm2":
                yield at, "is in mm, but the station's limits are in px: give them in mm², or leave out zones"
            elif self.calibration is not None:
                yield from ((f"{at}.polygon_mm", text) for text in self._misplaced(zone, self.calibration))

    def _misplaced(self, zone: Zone, calibration: Calibration) -> Iterator[str]:
        """Points outside of the largest frame, and a zone that is lost between its pixels."""
        for n, (x_mm, y_mm) in enumerate(zone.polygon_mm):
            x, y = calibration.to_px(x_mm, y_mm)
            if not (-NEAR_PX <= x <= self.width[1] + NEAR_PX and -NEAR_PX <= y <= self.height[1] + NEAR_PX):
                yield (
                    f"point {n}, [{x_mm:g}, {y_mm:g}] mm, is pixel {x:.1f} of line {y:.1f}, "
                    f"but the frame has {self.width[1]} × {self.height[1]} px"
                )
        if 0 < zone.area_mm2 < calibration.mm2_per_px:
            yield f"encloses {zone.area_mm2:g} mm², less than one pixel, {calibration.mm2_per_px:g} mm²"


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


class GigeCamera(CameraBase):
    """A GigE Vision camera (extra `gige`); its block ids count the triggers. It must send Mono8."""

    kind: Literal["gige"]
    serial: str = Field(min_length=1, max_length=64)  # DeviceSerialNumber: which camera this is
    user_id: str | None = Field(default=None, min_length=1, max_length=64)  # DeviceUserID: the position it was given
    address: str | None = Field(default=None, pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$")  # looked for only there
    interface: str | None = Field(default=None, min_length=1, max_length=64)  # of this host; without it, all
    features: dict[str, str | int | float | bool] = Field(
        default={}, max_length=256
    )  # GenICam name = value it must have
    packet_size: int | None = Field(default=None, ge=576, le=16_000)  # bytes; without it, the camera's own
    resend: bool = True  # lost packets are asked for again
    silent_ms: Milliseconds | None = None  # of a camera that runs free: without a frame for so long it counts as lost
    wait_s: float = Field(default=10.0, ge=0, le=60)  # at start, for a camera that is still booting


class VideoCamera(CameraBase):
    """A video file, which ends, or a live source: the index of a USB camera, or a URL. Each frame is a trigger."""

    kind: Literal["video"]
    source: str | int  # a URL's password must be a $VARIABLE: the station file goes into the journal
    to_grey: bool = False  # without it a frame that is not grey is closed as wrong_format
    rate: float | None = Field(default=None, gt=0, le=10_000)  # frames/s of a file; without it, as workers are free
    silent_ms: Milliseconds = 800.0  # a live source without a frame for so long counts as lost

    @property
    def live(self) -> bool:
        """Whether it goes on for ever."""
        return isinstance(self.source, int) or "://" in self.source


Camera = Annotated[TwinCamera | FolderCamera | GigeCamera | VideoCamera, Field(discriminator="kind")]

_PASSWORD = re.compile(r"(://[^/@\s:]*):[^/\s]*@")  # up to the last @, as FFmpeg reads it

SCHEMES = ("http", "https", "rtsp", "rtsps")  # of a live source; FFmpeg knows more, some of which read local files


def source_problems(camera: VideoCamera) -> Iterator[str]:
    """What is wrong with the place a video comes from; no password is repeated."""
    source = camera.source
    if isinstance(source, int):
        if source < 0:
            yield f"{source} is no index of a camera: the first is 0"
        return
    if not source:
        yield "is empty: a file, the index of a camera, or a URL"
    if "$" in os.path.expandvars(source):
        yield f"{redacted(source)!r} names a variable that is not set in the environment"
    if camera.live and (scheme := source.partition("://")[0].lower()) not in SCHEMES:
        yield f"{scheme!r} is not one of {list(SCHEMES)}"
    if camera.live and (password := _PASSWORD.search(source)) and "$" not in password.group():
        yield (
            f"{redacted(source)!r} has a password in it, which would be stored with each run: "
            "write $NAME in its place, and set NAME in the environment"
        )
    if camera.live and camera.rate is not None:
        yield f"{redacted(source)!r} is live and sets its own pace: leave out rate"


def redacted(text: str) -> str:
    """The same without the password of any URL in it."""
    return _PASSWORD.sub(r"\1:…@", text)
