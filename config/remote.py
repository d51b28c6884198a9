"""What a connection that leaves this host must bring: a login or certificates, their secrets readable by us alone."""

import ipaddress
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from config.base import Table

OTHERS = stat.S_IRWXG | stat.S_IRWXO
SECRET_BYTES = 1 << 16  # no password or key comes near

Resolve = Callable[[str], Path]  # of a path as a station file writes it


class SecretError(Exception):
    """A file of secrets that must not be used; says why."""


class Login(Table):
    """A user and the file with the password, whose mode is 0600."""

    user: str = Field(min_length=1, max_length=64)
    password_file: str = Field(min_length=1, max_length=4096)


class Certificates(Table):
    """Both ends prove who they are, and what they say is signed and encrypted."""

    certificate: str = Field(min_length=1, max_length=4096)  # ours, PEM or DER; its URI is our application's
    private_key: str = Field(min_length=1, max_length=4096)  # of ours, PEM, mode 0600
    peer: str = Field(min_length=1, max_length=4096)  # the other end's certificate: any other one is refused
    policy: Literal["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"] = "Basic256Sha256"


def leaves_host(host: str) -> bool:
    """Whether this name or address is another host's. A name that is not `localhost` may be anyone's."""
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host != "localhost"


def read_secret(path: Path) -> bytes:
    """The file's bytes; SecretError where others may read it, or it cannot be a secret."""
    try:
        facts = path.stat()
        if facts.st_mode & OTHERS:
            raise SecretError(f"{path}: mode {stat.S_IMODE(facts.st_mode):04o} lets others in; say chmod 600")
        if not 0 < facts.st_size <= SECRET_BYTES:
            raise SecretError(f"{path}: {facts.st_size} bytes; a password or key has 1 to {SECRET_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise SecretError(f"{path}: cannot be read: {error.strerror}") from error


def remote_problems(
    host: str, login: Login | None, certificates: Certificates | None, resolve: Resolve
) -> Iterator[tuple[str, str]]:
    """(key, what is wrong) of a table with this `host`, [login] and [certificates]."""
    if leaves_host(host) and login is None and certificates is None:
        yield (
            "login",
            f"is missing, as is [certificates], but {host!r} is another host, to which we must prove who we are",
        )
    for key, text in _secrets(login, certificates):
        try:
            read_secret(resolve(text))
        except SecretError as error:
            yield key, str(error)
    if certificates is not None:
        for key in ("certificate", "peer"):
            if not resolve(getattr(certificates, key)).is_file():
                yield f"certificates.{key}", f"{resolve(getattr(certificates, key))}: no such file"


def _secrets(login: Login | None, certificates: Certificates | None) -> Iterator[tuple[str, str]]:
    if login is not None:
        yield "login.password_file", login.password_file
    if certificates is not None:
        yield "certificates.private_key", certificates.private_key
