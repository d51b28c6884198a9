"""Who is told what actuation sees, and has no say in it: nobody, or those who connect to the line's OPC UA server."""

from typing import Protocol

from config.station import Station
from monitor.lifeline import Go, Stop
from monitor.messages import Actuated, Disposition, Hold

News = Go | Stop | Disposition | Actuated | Hold


class Onlooker(Protocol):
    """Nothing here blocks, whoever is slow or gone."""

    def tell(self, news: News) -> None:
        """Said twice, it has the effect of once."""
        ...

    def close(self) -> None:
        """Lets go, within a second."""
        ...


class Nobody:
    """No one looks on."""

    def tell(self, news: News) -> None:
        """There is no one to tell."""

    def close(self) -> None:
        """There is no one to let go."""


def open_onlooker(station: Station) -> Onlooker:
    """As the station says."""
    if station.opcua_server is None:
        return Nobody()
    from monitor.actuators import vision

    return vision.VisionServer(station, station.opcua_server)
