"""A GigE Vision camera in a process of its own, to be started, unplugged and killed; it speaks real GVCP and GVSP.

Run as a script it is the camera: facts as JSON in argv, `up` on stdout, one question a line on stdin.
"""

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self

import pytest

SERIAL = "VIVA-FAKE-001"  # of every fake
WIDE, HIGH, FPS = 160, 200, 20
PACKETS = 40  # more than a block of this size has, leader and trailer among them


class FakeGige:
    """One at a time on a host: discovery looks for it on one fixed port."""

    def __init__(self, **facts: Any) -> None:
        if find_spec("viva_genicam") is None:
            pytest.skip("viva-genicam is not installed: pip install 'line-monitor[gige]'")
        self.facts = {"width": WIDE, "height": HIGH, "fps": FPS, "bind_ip": "127.0.0.1"} | facts
        self._lock = (Path(tempfile.gettempdir()) / f"fake-gige-{os.getuid()}.lock").open("w")
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.plug_in()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._lock.close()

    def plug_in(self, **facts: Any) -> None:
        """Starts it, with other facts if given; one that was only unplugged goes on where it was."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            return
        self.facts |= facts
        command = [sys.executable, __file__, json.dumps(self.facts)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._out.readline() == "up\n"

    def unplug(self) -> None:
        """It falls silent: no frame, no answer, and nothing that refuses a packet either."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """Its power fails."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def blocks_sent(self) -> int:
        return int(self._ask("blocks_sent"))

    def miss_heartbeats(self) -> None:
        """It gives up whoever controls it, as a camera does after seconds without word; a fake only now."""
        self._ask("revoke_control")

    def _ask(self, question: str) -> str:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()
        return self._out.readline()

    @property
    def _out(self) -> IO[str]:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout


def whole(blocks: Iterable[int]) -> list[tuple[int, int]]:
    """Every packet of these blocks: nothing of them reaches us."""
    return [(block, packet) for block in blocks for packet in range(PACKETS)]


def lossy(share: float, *, blocks: int, seed: int = 5) -> list[tuple[int, int]]:
    """This share of all packets."""
    luck = random.Random(seed)
    return [pair for pair in whole(range(1, blocks + 1)) if luck.random() < share]


def be_camera(facts: dict[str, Any]) -> None:
    import viva_genicam
    from viva_genicam.testing import FakeGigeCamera

    user_id = facts.pop("user_id", None)
    facts["drop_packets"] = [(block, packet) for block, packet in facts.get("drop_packets", [])]
    with FakeGigeCamera(**facts) as camera:
        if user_id is not None:
            with viva_genicam.connect_gige(camera.device_info()) as control:
                control.set("DeviceUserID", user_id)
        sys.stdout.write("up\n")
        sys.stdout.flush()
        for question in sys.stdin:
            sys.stdout.write(f"{getattr(camera, question.strip())()}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    be_camera(json.loads(sys.argv[1]))
