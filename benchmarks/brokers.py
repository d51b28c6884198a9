"""An MQTT broker of one's own, on this host: mosquitto where it is installed, else amqtt from its wheel."""

import base64
import hashlib
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
from dataclasses import dataclass
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
"""
_AMQTT_OPEN = """
plugins:
  amqtt.plugins.authentication.AnonymousAuthPlugin:
    allow_anonymous: true
"""
_AMQTT_SECURED = """
    ssl: true
    certfile: {certificate}
    keyfile: {key}
plugins:
  amqtt.plugins.authentication.FileAuthPlugin:
    password_file: {passwords}
"""
_MOSQUITTO_SECURED = """
certfile {certificate}
keyfile {key}
password_file {passwords}
user root
"""
_SALT, _ROUNDS = b"0123456789ab", 101


@dataclass(frozen=True, kw_only=True)
class Secured:
    """TLS with this certificate, for this user alone."""

    certificate: Path
    key: Path
    user: str
    password: str


class NoBroker(Exception):
    """Neither mosquitto nor amqtt is here, or the one that is does not come up."""


@contextmanager
def a_broker(
    port: int, *, named: str | None = None, secured: Secured | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Serves on 127.0.0.1 until the block ends; without `secured` it lets everyone in."""
    if not BROKERS:
        raise NoBroker("install mosquitto, or python -m pip install amqtt")
    with tempfile.TemporaryDirectory() as folder:
        command = _command(named or BROKERS[0], Path(folder), port, secured)
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


def _command(named: str, folder: Path, port: int, secured: Secured | None) -> list[str]:
    config, passwords = folder / "config", folder / "passwords"
    facts = {} if secured is None else {"certificate": secured.certificate, "key": secured.key, "passwords": passwords}
    if named == "mosquitto" and MOSQUITTO:
        if secured is not None:
            passwords.write_text(f"{secured.user}:{_mosquitto_hash(secured.password)}\n")
        rest = "allow_anonymous true\n" if secured is None else _MOSQUITTO_SECURED.format(**facts)
        config.write_text(f"listener {port} 127.0.0.1\npersistence false\n{rest}")
        return [MOSQUITTO, "-c", str(config)]
    if secured is not None:
        passwords.write_text(f"{secured.user}:{_amqtt_hash(secured.password)}\n")
    rest = _AMQTT_OPEN if secured is None else _AMQTT_SECURED.format(**facts)
    config.write_text(_AMQTT_CONFIG.format(port=port).rstrip() + rest)
    return [sys.executable, "-m", "amqtt.scripts.broker_script", "-c", str(config)]


def _mosquitto_hash(password: str) -> str:
    """As mosquitto_passwd writes it: PBKDF2 of SHA-512."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), _SALT, _ROUNDS, 64)
    return f"$7${_ROUNDS}${base64.b64encode(_SALT).decode()}${base64.b64encode(digest).decode()}"


def _amqtt_hash(password: str) -> str:
    from pwdlib.hashers.argon2 import Argon2Hasher  # comes with amqtt

    return Argon2Hasher().hash(password)


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        asked.settimeout(1.0)
        return asked.connect_ex(("127.0.0.1", port)) == 0
