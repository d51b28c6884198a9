"""Where an MQTT broker is and how the line proves who it is; a broker off this host is never spoken to in the clear."""

import ipaddress
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import Field

from config.base import Table

CREDENTIALS_BYTES = 4096
WHY_PROVEN = "who may order a gate about, or hear of it, must be proven, and what is said enciphered"


class Broker(Table):
    """A broker; off this host only with TLS and credentials."""

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=1883, ge=1, le=65_535)  # 8883 by custom where `ca` is given
    credentials: str = ""  # a file of mode 0600: the user in its first line, the password in its second
    ca: str = ""  # PEM file of who vouches for the broker; given, all goes by TLS


class SecretError(Exception):
    """A file of secrets that is missing, open to others, or has another form."""


def is_this_host(host: str) -> bool:
    """Whether what is said to it stays on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_secret(path: Path) -> str:
    """What the file holds; SecretError unless it is its owner's alone."""
    try:
        # opened once: what is checked is what is read
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise SecretError(f"{path}: is no file")
            if found.st_mode & 0o077:
                raise SecretError(f"{path}: has mode {stat.S_IMODE(found.st_mode):04o}, and must be 0600: chmod 600")
            text = file.read(CREDENTIALS_BYTES + 1)
    except OSError as error:
        raise SecretError(f"{path}: cannot be read: {error.strerror}") from error
    if len(text) > CREDENTIALS_BYTES:
        raise SecretError(f"{path}: has more than {CREDENTIALS_BYTES} bytes")
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise SecretError(f"{path}: is no UTF-8: {error}") from error


def read_credentials(path: Path) -> tuple[str, str]:
    """User and password; SecretError where the file is not two lines of its owner's alone."""
    lines = read_secret(path).splitlines()
    if len(lines) != 2 or not all(lines):
        raise SecretError(f"{path}: has {len(lines)} lines; it must have two: user, then password")
    return lines[0], lines[1]


def broker_problems(broker: Broker, located: Callable[[str], Path]) -> Iterable[tuple[str, str]]:
    """(key, what is wrong) of a broker; `located` finds a file that the station names."""
    if not is_this_host(broker.host):
        for key in ("credentials", "ca"):
            if not getattr(broker, key):
                yield key, f"is missing, but the broker {broker.host} is not on this host: {WHY_PROVEN}"
    if broker.credentials:
        try:
            read_credentials(located(broker.credentials))
        except SecretError as error:
            yield "credentials", str(error)
    if broker.ca and not located(broker.ca).is_file():
        yield "ca", f"{located(broker.ca)}: no such file"
