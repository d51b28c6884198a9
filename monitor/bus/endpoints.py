"""Where the processes of a station meet: a private folder of sockets, or loopback ports."""

import hashlib
import os
import tempfile
from pathlib import Path

from config.loader import state_folder
from config.station import Ipc, Station, Tcp

IPC_PATH_BYTES = 107  # sun_path, less the closing zero


class EndpointError(Exception):
    """A place where no socket can be bound."""


class Endpoints:
    """Addresses by role. Who binds stands beside each: one binds, the others connect."""

    def __init__(self, station: Station) -> None:
        self._station = station
        names = ["decision", "actuation", "plant", "redis"]
        for camera in station.cameras:
            names += [f"{role}-{camera.name}" for role in ("leases", "closed", "frames", "lens")]
        self._names = names

    @property
    def decision(self) -> str:
        """PULL, bound by decision."""
        return self._address("decision")

    @property
    def actuation(self) -> str:
        """PULL, bound by actuation."""
        return self._address("actuation")

    @property
    def plant(self) -> str:
        """ROUTER, bound by the plant: its slot table and counter."""
        return self._address("plant")

    def leases(self, camera: str) -> str:
        """ROUTER, bound by the camera's capture; workers are its DEALERs."""
        return self._address(f"leases-{camera}")

    def closed(self, camera: str) -> str:
        """PULL, bound by the camera's capture; decision answers here."""
        return self._address(f"closed-{camera}")

    def frames(self, camera: str) -> str:
        """PUB, bound by the camera's capture: every frame for whoever watches, with loss."""
        return self._address(f"frames-{camera}")

    def lens(self, camera: str) -> str:
        """PUB, bound by the plant: what this camera sees."""
        return self._address(f"lens-{camera}")

    @property
    def redis(self) -> Path:
        """The unix socket of the station's own Redis-compatible server."""
        return runtime_folder(self._station) / "redis"

    def _address(self, name: str) -> str:
        match self._station.bus:
            case Ipc():
                path = runtime_folder(self._station) / name
                if len(os.fsencode(path)) > IPC_PATH_BYTES:
                    raise EndpointError(
                        f"{path}: {len(os.fsencode(path))} bytes, a socket path has at most {IPC_PATH_BYTES}; "
                        f"set XDG_RUNTIME_DIR to a shorter one"
                    )
                return f"ipc://{path}"
            case Tcp(host=host, port=port):
                bracketed = f"[{host}]" if ":" in host else host
                return f"tcp://{bracketed}:{port + self._names.index(name)}"


def runtime_folder(station: Station) -> Path:
    """A folder of this user's alone, the same for every process of the station with this state folder."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"line-{os.getuid()}"
    # two states of one station (a test, and the line itself) must not meet: the state folder is part of the name
    folder = base / hashlib.sha256(os.fsencode(state_folder(station))).hexdigest()[:12]
    for each in (base, folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = each.stat()
        if owner.st_uid != os.getuid() or owner.st_mode & 0o077:
            raise EndpointError(
                f"{each}: belongs to uid {owner.st_uid} with mode {owner.st_mode & 0o777:o}; it must be ours, mode 700"
            )
    return folder
