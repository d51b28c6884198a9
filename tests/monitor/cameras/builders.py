"""Cameras of every kind to test against: stations, video files, a live video server, and what a reader says."""

import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from config.loader import load_station, parse_station
from config.station import Station
from monitor.cameras import CameraStream, Exposed, open_camera
from tests.monitor.cameras.fake_gige import HIGH, SERIAL, WIDE

PASSWORD = "swordfish"
GIGE: dict[str, Any] = {"kind": "gige", "serial": SERIAL, "interface": "127.0.0.1", "wait_s": 0.0}


def a_picture(n: int, *, wide: int = WIDE, high: int = HIGH) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(n).integers(0, 255, (high, wide), dtype=np.uint8)


def a_station(**camera: Any) -> Station:
    """A station without a belt and with this camera, which is named `head`."""
    facts = {"name": "head", "width": [WIDE, WIDE], "height": [HIGH, HIGH]} | camera
    table = {
        "name": "field-01",
        "actuator": {"kind": "log"},
        "model": {"weights": "workers/weights/rail-03.safetensors"},
        "policy": {"min_region_px": 1.0, "reject_region_px": 2.0, "reject_total_px": 3.0},
        "cameras": [facts],
    }
    return parse_station(table, at="field-01") if facts.get("kind") != "twin" else load_station("rail-03")


def a_stream(state: Path, *, run: str = "run", **camera: Any) -> CameraStream:
    station = a_station(**camera)
    return open_camera(station, station.cameras[0], run=run, state=state, epoch=1)


def a_video(path: Path, *, frames: int, code: str = "FFV1", coloured: bool = False) -> Path:
    """Frame n shows `a_picture(n)`, without loss where it is grey."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), 20, (WIDE, HIGH), coloured)
    assert writer.isOpened()
    for n in range(1, frames + 1):
        picture = a_picture(n)
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if coloured else picture)
    writer.release()
    return path


def taken(stream: CameraStream, *, until: Callable[[list[Exposed]], object], timeout_s: float = 15.0) -> list[Exposed]:
    """What the stream exposes until that is enough."""
    exposed: list[Exposed] = []
    until_s = time.monotonic() + timeout_s
    while not until(exposed):
        assert time.monotonic() < until_s, f"{len(exposed)} exposed in {timeout_s:g} s: {exposed[-3:]}"
        exposed += stream.take(room=1)
        time.sleep(0.01)
    return exposed


def drained(stream: CameraStream) -> list[Exposed]:
    """What it exposes until it says that it has ended."""
    return taken(stream, until=lambda _: (counter := stream.counter()) is not None and counter.ended)


@dataclass
class Remembers:
    """A log that remembers, with the moment of each event."""

    said: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def info(self, event: str, **facts: Any) -> None:
        self.said.append((time.monotonic(), event, facts))

    warning = error = info

    def at(self, event: str) -> list[float]:
        return [at_s for at_s, each, _ in self.said if each == event]

    def facts(self, event: str) -> list[dict[str, Any]]:
        return [facts for _, each, facts in self.said if each == event]


class LiveServer:
    """An MJPEG camera on loopback, behind a password; it can be unplugged and come back at the same address."""

    def __init__(self, *, fps: int = 20, coloured: bool = False) -> None:
        self.fps: float = fps
        self.coloured = coloured
        self.port = 0
        self._server: ThreadingHTTPServer | None = None
        self._going = threading.Event()

    def plug_in(self) -> None:
        live, going = self, threading.Event()
        wanted = "Basic " + base64.b64encode(f"viewer:{PASSWORD}".encode()).decode()

        class Viewer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.headers["Authorization"] != wanted:
                    self.send_response(401)
                    self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                n = 0
                while going.is_set():
                    n += 1
                    try:
                        self.wfile.write(live.part(n))
                    except OSError:
                        return  # the viewer left
                    time.sleep(1 / live.fps)

            def log_message(self, *_: Any) -> None:
                """Not on stderr."""

        self._going = going
        going.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Viewer)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def unplug(self) -> None:
        self._going.clear()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._server = None

    def part(self, n: int) -> bytes:
        picture = a_picture(n)
        _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR) if self.coloured else picture)
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        return head.encode() + jpeg.tobytes() + b"\r\n"

    @property
    def source(self) -> str:
        """As a station file has it: the password is a variable of the environment."""
        return f"http://viewer:$CAMERA_PASSWORD@127.0.0.1:{self.port}/live"


@contextmanager
def a_live_server(**facts: Any) -> Iterator[LiveServer]:
    server = LiveServer(**facts)
    server.plug_in()
    try:
        yield server
    finally:
        server.unplug()
