"""An MQTT broker of one's own, on this host: mosquitto where it is installed, else amqtt from its wheel."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UP_S = 15.0
MOSQUITTO = shutil.which(
    "mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
)
HAS_AMQTT = importlib.util.find_spec("amqtt") is not None
BROKERS = (("mosquitto",) if MOSQUITTO else ()) + (("amqtt",) if HAS_AMQTT else ())  # the first is taken
BROKERED = {"mqtt"}  # protocols with a broker between line and PLC: the port is the broker's
_AMQTT_CONFIG = """
listeners:
  default:
    type: tcp
    bind: 127.0.0.1:{port}
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""


class NoBroker(Exception):
    """Neither mosquitto nor amqtt is here, or the one that is does not come up."""


@contextmanager
def a_broker(port: int, *, named: str | None = None, more: str = "") -> Iterator["subprocess.Popen[bytes]"]:
    """Serves on 127.0.0.1 until the block ends; `more` are lines of mosquitto's configuration."""
    if not BROKERS:
        raise NoBroker("install mosquitto, or python -m pip install amqtt")
    with tempfile.TemporaryDirectory() as folder:
        command = _command(named or BROKERS[0], Path(folder), port, more)
        with (Path(folder) / "log").open("w+b") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                until_s = time.monotonic() + UP_S
                while not _answers(port):
                    if process.poll() is not None or time.monotonic() > until_s:
                        log.seek(0)
                        raise NoBroker(f"{command[0]} is not up: {log.read()[-1000:].decode(errors='replace')}")
                    time.sleep(0.02)
                yield process
            finally:
                process.kill()


def _command(named: str, folder: Path, port: int, more: str) -> list[str]:
    config = folder / "config"
    if named == "mosquitto" and MOSQUITTO:
        allows = "" if "allow_anonymous" in more else "allow_anonymous true\n"
        config.write_text(f"listener {port} 127.0.0.1\n{allows}persistence false\n{more}\n")
        return [MOSQUITTO, "-c", str(config)]
    config.write_text(_AMQTT_CONFIG.format(port=port))
    return [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(config)]


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        asked.settimeout(1.0)
        return asked.connect_ex(("127.0.0.1", port)) == 0
