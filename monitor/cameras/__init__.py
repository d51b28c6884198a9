"""The kinds of camera: each a stream of exposures, with what it could not see said as a reason."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, assert_never

import numpy as np
import numpy.typing as npt

from config.cameras import Camera, FolderCamera, GigeCamera, TwinCamera, VideoCamera
from config.station import Station
from monitor.bus.wire import End
from monitor.messages import Counter, Reason

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Exposed:
    """One trigger and what came of it; `pixels` is (H, W) uint8, None where nothing could be read."""

    slot: int
    trigger_count: int
    at_count: int | None
    at_ns: int
    pixels: Pixels | None
    refusal: Reason | None = None
    width: int = 0
    height: int = 0
    source: str = ""


class Note(NamedTuple):
    """The camera was lost, or is back."""

    name: str  # camera.lost, camera.back
    text: str
    is_loss: bool


class CameraError(Exception):
    """A camera that is not there, or not the one the station names; says what was found, and what was expected."""


class CameraStream(Protocol):
    """What capture needs of a camera. Nothing here blocks for longer than it takes to read one image."""

    ends: tuple[End, ...]  # to be watched by capture's poller

    def go(self, frames: int | None) -> None:
        """Everyone is ready: trigger, where this camera is the source; `frames` times at most in this run."""
        ...

    def stop(self) -> None:
        """No more triggers, where this camera is the source."""
        ...

    def take(self, *, room: int) -> list[Exposed]:
        """What was exposed since; `room` frames could be scored at once."""
        ...

    def counter(self) -> Counter | None:
        """How many triggers there were, where this camera is their source."""
        ...

    def notes(self) -> list[Note]:
        """What a person should know of the camera, since the last call."""
        ...

    def close(self) -> None:
        """Lets go of files and sockets."""
        ...


def open_camera(station: Station, camera: Camera, *, run: str, state: Path, epoch: int) -> CameraStream:
    """The stream of this camera, in this start of its capture."""
    at = f"{station.name}.cameras[{station.cameras.index(camera)}]"
    log_path = state / f"source-{camera.name}.jsonl"
    match camera:
        case TwinCamera():
            from monitor.cameras import twin

            return twin.TwinStream(station, camera)
        case FolderCamera():
            from monitor.cameras import folder

            return folder.FolderStream(camera, run=run, log_path=log_path)
        case GigeCamera() if station.belt is not None:
            from monitor.cameras import following, gige

            return following.FollowingStream(
                camera, gige.GigeDevice(camera, at=at, begins_at_one=False), epoch=epoch, run=run, state=state
            )
        case GigeCamera():
            from monitor.cameras import gige, live

            return live.LiveStream(camera, gige.GigeDevice(camera, at=at), run=run, log_path=log_path)
        case VideoCamera() if camera.live:
            from monitor.cameras import live, video

            device, deaf_s = video.LiveVideo(camera, at=at), camera.silent_ms / 1000
            return live.LiveStream(camera, device, run=run, log_path=log_path, deaf_s=deaf_s)
        case VideoCamera():
            from monitor.cameras import video

            return video.VideoFile(camera, at=at, run=run, log_path=log_path)
        case _:
            assert_never(camera)
