"""Video through OpenCV: a file is a list of triggers that ends, a live source goes on until it is told to stop.

A live source numbers nothing: a frame lost on its way is a trigger that nobody knows of. Where every part must be
accounted for, take a camera that counts, or a counter beside it.
"""

import os
import time
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import structlog

from config.cameras import VideoCamera, redacted
from config.loader import package_path
from monitor.bus.wire import End
from monitor.cameras import CameraError, Exposed, Note
from monitor.cameras.count import TriggerCount
from monitor.cameras.shelf import Seen
from monitor.messages import Counter, Reason

OPEN_MS = 5000  # OpenCV's own is 30 s
READ_MS = 2000  # past it the source is opened anew; that it is lost has been said long before
GREY = frozenset(int.from_bytes(code, "little") for code in (b"Y800", b"GREY"))  # pixel formats that need no conversion

log = structlog.get_logger()


class VideoFile:
    """Draws the next frame when a worker has room, or at its rate."""

    ends: tuple[End, ...] = ()

    def __init__(self, camera: VideoCamera, *, at: str, run: str, log_path: Path) -> None:
        self._camera = camera
        self._name = named(camera)
        self._video = open_video(camera, at=at)
        self._stated = int(self._video.get(cv2.CAP_PROP_FRAME_COUNT))
        self._count = TriggerCount(camera.name, run=run, log_path=log_path)
        self._skip = self._count.drawn  # by an earlier process of this run
        self._most: int | None = 0  # nothing before go()
        self._told = False  # to go, or to stop
        self._at_end = False
        self._next_s = 0.0

    def go(self, frames: int | None) -> None:
        self._most, self._told = frames, True
        self._next_s = time.monotonic()

    def stop(self) -> None:
        self._most, self._told = self._count.drawn, True

    @property
    def ended(self) -> bool:
        """Whether every trigger of this run has been drawn."""
        return self._told and (self._at_end or (self._most is not None and self._count.drawn >= self._most))

    def take(self, *, room: int) -> list[Exposed]:
        if not self._told or self.ended:
            return []
        if self._skip:
            self._skip -= 1  # one at a time: capture's loop must come round
            self._video.grab()
            return []
        if self._camera.rate is None:
            return self._draw() if room > 0 else []
        if time.monotonic() < self._next_s:
            return []
        self._next_s += 1 / self._camera.rate
        return self._draw()

    def counter(self) -> Counter:
        return self._count.counter(ended=self.ended)

    def notes(self) -> list[Note]:
        """A file that ends is no loss."""
        return []

    def close(self) -> None:
        self._video.release()
        self._count.close()

    def _draw(self) -> list[Exposed]:
        if not self._video.grab():
            self._at_end = True
            if self._count.drawn < self._stated:  # the file is cut short, or states more than it holds
                log.warning("video.short", camera=self._camera.name, frames=self._count.drawn, stated=self._stated)
            return []
        source = f"{self._name}, frame {self._count.drawn + 1}"
        slot = self._count.next(source=source)
        self._count.sync()
        seen = _seen(self._video, self._camera, source)
        return [
            Exposed(
                slot=slot,
                trigger_count=slot,
                at_count=None,
                at_ns=seen.at_ns,
                pixels=seen.pixels,
                refusal=seen.refusal,
                width=seen.width,
                height=seen.height,
                source=source,
            )
        ]


class LiveVideo:
    """A USB camera or a URL; each frame that arrives is a trigger."""

    def __init__(self, camera: VideoCamera, *, at: str) -> None:
        self._camera, self._at = camera, at

    def check(self) -> None:
        link = self.open()
        try:
            link.read()
        finally:
            link.close(lost=False)

    def open(self) -> "VideoLink":
        return VideoLink(open_video(self._camera, at=self._at), self._camera, at=self._at)


class VideoLink:
    """A source that is open."""

    def __init__(self, video: cv2.VideoCapture, camera: VideoCamera, *, at: str) -> None:
        self._video, self._camera, self._at = video, camera, at

    def read(self) -> list[Seen]:
        if not self._video.grab():
            raise CameraError(f"{self._at}.source: {named(self._camera)!r} sends no frame")
        return [_seen(self._video, self._camera, named(self._camera))]

    def close(self, *, lost: bool) -> None:
        del lost
        self._video.release()


def named(camera: VideoCamera) -> str:
    """What a row may say of the source: variables as they stand in the station file, and no password."""
    if isinstance(camera.source, int):
        return f"USB camera {camera.source}"
    return redacted(camera.source) if camera.live else Path(camera.source).name


def open_video(camera: VideoCamera, *, at: str) -> cv2.VideoCapture:
    """The open source; CameraError where it cannot be read."""
    cv2.utils.logging.setLogLevel(
        cv2.utils.logging.LOG_LEVEL_ERROR
    )  # errors only: OpenCV warns of each source that is away, in lines of its own
    source, name = camera.source, named(camera)
    if isinstance(source, int):
        video = cv2.VideoCapture(source, cv2.CAP_ANY)
    else:
        place = os.path.expandvars(source) if camera.live else os.fspath(package_path(source))
        if not camera.live and not Path(place).is_file():
            raise CameraError(f"{at}.source: {place}: no such file")
        # FFmpeg alone: no other backend should be handed a URL with a password in it
        settings = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
        video = cv2.VideoCapture(place, cv2.CAP_FFMPEG, [*settings, cv2.CAP_PROP_N_THREADS, 1])
    if not video.isOpened():
        video.release()
        raise CameraError(f"{at}.source: {name!r} cannot be opened as video")
    if int(video.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT)) in GREY or int(video.get(cv2.CAP_PROP_FOURCC)) in GREY:
        video.set(cv2.CAP_PROP_CONVERT_RGB, 0)  # grey as it was recorded, not by way of colour
    return video


def grey_of(picture: npt.NDArray[np.uint8], *, to_grey: bool) -> npt.NDArray[np.uint8] | None:
    """(H, W) uint8; None where it has another format, and may not be turned to grey."""
    if picture.dtype != np.uint8:
        return None
    if picture.ndim == 2 or picture.shape[2] == 1:
        return picture.reshape(picture.shape[:2])
    if not to_grey or picture.shape[2] != 3:
        return None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _seen(video: cv2.VideoCapture, camera: VideoCamera, source: str) -> Seen:
    """The frame that was grabbed, or why it is none."""
    at_ns = time.monotonic_ns()
    ok, picture = video.retrieve()
    if not ok:
        return Seen(at_ns=at_ns, pixels=None, refusal=Reason.UNREADABLE, source=source)
    height, width = picture.shape[:2]
    pixels = grey_of(picture, to_grey=camera.to_grey)  # type: ignore[arg-type]  # OpenCV says less of it than is so
    refusal = Reason.WRONG_FORMAT if pixels is None else None
    return Seen(at_ns=at_ns, pixels=pixels, refusal=refusal, width=width, height=height, source=source)
