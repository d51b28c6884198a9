"""A camera above the digital twin's belt: exposures come from the plant, and are lost while nobody listens."""

import numpy as np

from config.cameras import TwinCamera
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import End, Subscriber
from monitor.cameras import Exposed, Note
from monitor.messages import Counter, Exposure

LENS_HWM = 16  # a camera's own buffer: exposures that wait while capture is busy


class TwinStream:
    """The plant triggers; this only listens."""

    def __init__(self, station: Station, camera: TwinCamera) -> None:
        self._lens = Subscriber(Endpoints(station).lens(camera.name), hwm=LENS_HWM)
        self.ends: tuple[End, ...] = (self._lens,)

    def go(self, frames: int | None) -> None:
        """The plant has been told."""

    def stop(self) -> None:
        """The plant has been told."""

    def take(self, *, room: int) -> list[Exposed]:
        """Every exposure, whether there is room or not: a belt does not wait."""
        del room
        exposed = []
        for message, payload in self._lens.messages():
            pixels = payload.get("pixels")
            if isinstance(message, Exposure) and isinstance(pixels, np.ndarray):
                exposed.append(
                    Exposed(
                        slot=message.slot,
                        trigger_count=message.trigger_count,
                        at_count=message.at_count,
                        at_ns=message.at_ns,
                        pixels=pixels,
                    )
                )
        return exposed

    def counter(self) -> Counter | None:
        """The plant's own counter counts."""
        return None

    def notes(self) -> list[Note]:
        """A lens that is silent is the plant's, and the supervisor says so."""
        return []

    def close(self) -> None:
        self._lens.close()
