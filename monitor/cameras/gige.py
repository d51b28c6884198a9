"""A GigE Vision camera through viva-genicam: its block ids count the triggers, lost ones and broken ones too.

A camera that is away makes no blocks that anyone could count. While it still holds our control (some seconds, by its
own heartbeat timeout) it goes on numbering, and what was lost shows as a gap; past that its numbers begin anew, and
`camera.back` says `triggers_counted: false`: only a counter outside the camera could tell what passed meanwhile.
"""

import contextlib
import math
import socket
import struct
import time
from collections.abc import Iterator

import numpy as np
import structlog
import viva_genicam as genicam

from config.cameras import GigeCamera
from monitor.cameras import CameraError
from monitor.cameras.live import Silent
from monitor.cameras.picture import fits
from monitor.cameras.shelf import Seen
from monitor.messages import Reason
from monitor.rules.blocks import lost_between

READ_MS = 100
DISCOVER_MS = 300
RETRY_S = 0.5  # at start, between two looks for a camera that is still booting
PING_S = 0.2  # while no frame comes
UNANSWERED_MOST = 3  # questions: two whole periods passed, as one packet may be lost
GIVE_UP_S = 5.0  # longer than a camera keeps our control without our heartbeat (3 s unless it was told otherwise)
PIXEL_FORMAT = "Mono8"
_GVCP_PORT = 3956
_READREG, _ANSWERED = 0x0080, bytes((0, 0, 0, 0x81, 0, 4))
_CONTROL = 0x0A00  # the control channel privilege register: zero when nobody holds the camera

log = structlog.get_logger()


class GigeDevice:
    """One camera by its serial number."""

    def __init__(self, camera: GigeCamera, *, at: str, begins_at_one: bool = True) -> None:
        """`begins_at_one`: what is missing before the first block of a stream was lost, not sent to somebody else."""
        self._facts, self._at, self._begins_at_one = camera, at, begins_at_one

    def check(self) -> None:
        """Serial, position, features, size and pixel format; a camera that is absent may still be booting."""
        until_s = time.monotonic() + self._facts.wait_s
        while True:
            try:
                camera, info = self._connect()
                break
            except _Absent as error:
                if time.monotonic() >= until_s:
                    raise CameraError(str(error)) from error
                time.sleep(RETRY_S)
        with camera:
            if problems := [f"{self._at}.{key}: {text}" for key, text in self._problems(camera)]:
                raise CameraError("\n".join(problems))
            model, firmware = _text(camera, "DeviceModelName"), _text(camera, "DeviceFirmwareVersion")
            log.info("camera.found", serial=self._facts.serial, address=info.ip, model=model, firmware=firmware)

    def open(self) -> "GigeLink":
        camera, info = self._connect()
        with contextlib.suppress(genicam.GenicamError):
            camera.acquisition_stop()  # one that never noticed our absence would go on numbering, and we count twice
        try:
            frames = camera.stream(
                iface=self._facts.interface,
                packet_size=self._facts.packet_size,
                resend=self._facts.resend,
                deliver_incomplete=True,
            )
            camera.acquisition_start()
        except genicam.GenicamError as error:
            camera.close()
            raise CameraError(f"{self._at}: {info.ip} does not stream: {error}") from error
        return GigeLink(
            camera,
            frames,
            Pings(info.ip),
            silent_ms=self._facts.silent_ms,
            begins_at_one=self._begins_at_one,
        )

    def _connect(self) -> tuple[genicam.Camera, genicam.GigeDeviceInfo]:
        """The camera of this serial number, under our control."""
        given, interface = self._facts.address, self._facts.interface
        found: list[str] = []
        wrong = False  # it is there, and not what it should be: waiting mends nothing
        try:
            for info in genicam.discover(timeout_ms=DISCOVER_MS, iface=interface, all=interface is None):
                if given in (None, info.ip):
                    with genicam.connect_gige(info, monitor=True) as camera:
                        serial, user_id = _text(camera, "DeviceSerialNumber", "DeviceID"), _text(camera, "DeviceUserID")
                    ours = serial == self._facts.serial
                    if ours and self._facts.user_id in (None, user_id):
                        return genicam.connect_gige(info), info
                    found.append(f"{serial!r} with user id {user_id!r} at {info.ip}")
                    wrong = wrong or ours or given is not None
        except genicam.ParseError as error:  # no such interface on this host
            raise CameraError(f"{self._at}.interface: {' '.join(str(error).split())}") from error
        except genicam.GenicamError as error:
            raise _Absent(f"{self._at}: cannot be opened: {error}") from error
        wanted = f"serial {self._facts.serial!r}" + (f" and user id {user!r}" if (user := self._facts.user_id) else "")
        place = f" at {given}" if given else ""
        text = f"{self._at}.serial: no camera with {wanted}{place}; found {', '.join(found) or 'none'}"
        raise CameraError(text) if wrong else _Absent(text)

    def _problems(self, camera: genicam.Camera) -> Iterator[tuple[str, str]]:
        """(key, what is wrong) of a camera that is the right one."""
        width, height = camera.get_integer("Width"), camera.get_integer("Height")
        if not fits(self._facts, width=width, height=height):
            allowed = f"width {list(self._facts.width)}, height {list(self._facts.height)}"
            key = "height" if self._facts.width[0] <= width <= self._facts.width[1] else "width"
            yield key, f"the camera sends {width} × {height}; the station has {allowed}"
        if (pixel_format := _text(camera, "PixelFormat")) != PIXEL_FORMAT:
            yield "kind", f"the camera sends {pixel_format}; only {PIXEL_FORMAT} is read"
        for name, expected in self._facts.features.items():
            text = _text(camera, name)
            if text is None or not _agree(text, expected):
                yield f"features.{name}", f"the camera has {text!r}; the station has {expected!r}"


class GigeLink:
    """A camera under our control that is sending."""

    def __init__(
        self,
        camera: genicam.Camera,
        frames: genicam.FrameStream,
        pings: "Pings",
        *,
        silent_ms: float | None,
        begins_at_one: bool,
    ) -> None:
        self._camera, self._frames, self._pings, self._silent_ms = camera, frames, pings, silent_ms
        self._begins_at_one = begins_at_one
        self._last_block = 0
        self._dropped = 0  # by the library, as we did not take them
        self._framed_s = self._answered_s = time.monotonic()

    def read(self) -> list[Seen]:
        try:
            frame = self._frames.next_frame(READ_MS)
        except genicam.GenicamError:  # also what a timeout raises
            frame = None
        if self._camera.control_state is genicam.ControlState.LOST:  # whoever has it now may set it as he likes
            raise CameraError("it gave its control away")
        if frame is None:
            self._quiet()
            return []
        at_ns = time.monotonic_ns()
        self._framed_s = self._answered_s = at_ns / 1e9
        self._pings.unanswered = 0
        return [*self._lost_before(frame.block_id, at_ns), _seen(frame, at_ns)]

    def close(self, *, lost: bool) -> None:
        with contextlib.suppress(genicam.GenicamError):
            if not lost:  # a camera that is away would take 8 s not to hear it
                self._camera.acquisition_stop()
        for each in (self._frames, self._camera, self._pings):
            with contextlib.suppress(genicam.GenicamError):
                each.close()

    def _lost_before(self, block: int, at_ns: int) -> list[Seen]:
        """A row for each block that never came."""
        begins = self._last_block == 0 and not self._begins_at_one
        lost = [] if begins else lost_between(self._last_block, block)
        if lost is None:
            log.error("blocks.uncounted", last=self._last_block, block=block)
        self._last_block = block
        if not lost:
            return []
        dropped = self._frames.stats().frames_backpressure
        unread, self._dropped = dropped - self._dropped, dropped
        return [
            Seen(
                at_ns=at_ns,
                pixels=None,
                refusal=Reason.OVERLOAD if n < unread else Reason.INCOMPLETE,
                source=f"block {each}, lost",
            )
            for n, each in enumerate(lost)
        ]

    def _quiet(self) -> None:
        """No frame: nothing was triggered, or nobody is there. Only an answer tells."""
        now_s = time.monotonic()
        control = self._pings.ask(now_s)
        if control is not None:
            self._answered_s = now_s
        if control == 0:
            raise CameraError("nobody controls it: it restarted, or has not heard of us for too long")
        if self._pings.unanswered >= UNANSWERED_MOST:
            if now_s - self._answered_s > GIVE_UP_S:
                raise CameraError(f"no answer for {GIVE_UP_S:g} s")
            raise Silent("no answer")
        if self._silent_ms is not None and 1000 * (now_s - self._framed_s) > self._silent_ms:
            raise CameraError(f"it answers, but sends no frames for {self._silent_ms:g} ms")


class Pings:
    """Asks the camera, in GVCP and without waiting, who controls it.

    The library's own reads try for 8 s before they give up on a camera that is silent (measured: 8.5 to 8.7 s).
    """

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect((address, _GVCP_PORT))
        self._asked_s = 0.0
        self._request = 0
        self.unanswered = 0  # questions since the last answer, the one that is under way among them

    def ask(self, now_s: float) -> int | None:
        """The register, where an answer has come; asks again when that is due."""
        value: int | None = None
        with contextlib.suppress(OSError):  # nothing has come, or nobody is there to refuse it
            while packet := self._socket.recv(64):
                if len(packet) >= 12 and packet[:6] == _ANSWERED:
                    value = int.from_bytes(packet[8:12])
        if value is not None:
            self.unanswered = 0
        if now_s - self._asked_s >= PING_S:
            self._request = self._request % 0xFFFF + 1  # zero is no id
            self._asked_s = now_s
            self.unanswered += 1
            with contextlib.suppress(OSError):
                self._socket.send(struct.pack(">BBHHHI", 0x42, 0x01, _READREG, 4, self._request, _CONTROL))
        return value

    def close(self) -> None:
        self._socket.close()


class _Absent(CameraError):
    """Nobody answered to this serial number; it may yet."""


def _seen(frame: genicam.Frame, at_ns: int) -> Seen:
    """What this block is worth: whole, in the right format, or a trigger that nobody can inspect."""
    source = f"block {frame.block_id}"
    if not frame.is_complete:
        missing = f"{frame.missing_packets} packets missing" if frame.missing_packets else str(frame.status.value)
        return Seen(
            at_ns=at_ns,
            pixels=None,
            refusal=Reason.INCOMPLETE,
            width=frame.width,
            height=frame.height,
            source=f"{source}, {missing}",
        )
    if frame.pixel_format != PIXEL_FORMAT:
        return Seen(
            at_ns=at_ns,
            pixels=None,
            refusal=Reason.WRONG_FORMAT,
            width=frame.width,
            height=frame.height,
            source=f"{source}, {frame.pixel_format}",
        )
    return Seen(at_ns=at_ns, pixels=frame.to_numpy().astype(np.uint8, copy=False), source=source)


def _text(camera: genicam.Camera, *names: str) -> str | None:
    """The first of these features that the camera has, as text."""
    for name in names:
        with contextlib.suppress(genicam.GenApiError):
            return camera.get(name)
    return None


def _agree(found: str, expected: str | float | bool) -> bool:
    """Whether the text of a feature is the value a station file gives."""
    if isinstance(expected, bool):
        return found.lower() in (("true", "1") if expected else ("false", "0"))
    if isinstance(expected, str):
        return found == expected
    try:
        return math.isclose(float(found), expected, rel_tol=1e-6)
    except ValueError:
        return False
