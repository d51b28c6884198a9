"""The station's signing keys: made at the first start, handed on by rotation, each vouched for by the one before.

    <state folder>/keys/signing.key    the private key in force, PEM, mode 0600
    <state folder>/keys/next.key       the one to come, while a rotation is under way
    <state folder>/keys/keys.signed    every public key, oldest first: signed by the one before, the first by itself
    <state folder>/keys/<id>.pub       the same as PEM, for people and for openssl

The id of a key is the beginning of the SHA-256 of its public half. Only this file speaks to `cryptography`.
"""

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from monitor.output import sync_folder, write_durably
from storage.proof.signed_lines import SignedLine, append, join, last_line

PURPOSE = b"line-monitor key 1\n"  # what one purpose signs is never taken for another's
ID_DIGITS = 16  # 64 bits: enough to name a station's few keys; what is trusted is the whole public key
KEYS_FILE = "keys.signed"
KEY_BYTES = 4096  # a PEM file has some 120


class KeyFault(Exception):
    """The key cannot be used: it is missing, open to others, or none."""


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One key, as the key before vouches for it."""

    station: str
    number: int  # 1 is the station's first
    key: str  # id
    public: str  # 32 bytes, hex
    by: str  # the id of the key that signed this; of the first, its own
    at: int  # wall, ns since 1970
    old_until: int  # wall, ns: until then the key before may still sign
    who: str
    why: str


class SigningKey:
    """A private key in memory."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()
        self.id = key_id(self.public)

    def sign(self, purpose: bytes, statement: bytes) -> SignedLine:
        """The statement as a line of a signed file."""
        return SignedLine(statement, self._private.sign(purpose + statement))


class KeyFolder:
    """The keys of one station, for who may sign."""

    def __init__(self, folder: Path, station: str) -> None:
        self.path, self._station = folder / "keys", station
        self.ring = self.path / KEYS_FILE

    def signing(self, *, who: str = "first start") -> SigningKey:
        """The key in force; made where the station never had one. KeyFault where it had one and lost it.

        Read anew each time: a rotation by another process is taken up with the next signature.
        """
        with self._alone():
            return self._in_force(who)

    def rotate(self, *, who: str, why: str, overlap_s: float) -> KeyRecord:
        """Hands on to a new key, vouched for by the one in force, which may sign `overlap_s` longer.

        What is on disk after each step stands: before the record the old key is in force, behind it the new one.
        KeyFault where none is in force, OSError where nothing can be written.
        """
        with self._alone():
            old = self._in_force(who)
            new = _load(self._make(self.path / "next.key"))
            number, until = self._number() + 1, time.time_ns() + int(overlap_s * 1e9)
            record = self._record(new, by=old, number=number, who=who, why=why, old_until=until)
            self._put_in_force(self.path / "next.key")
            return record

    def newest(self) -> KeyRecord | None:
        """The last key on record."""
        line = last_line(self.ring)
        try:
            return None if line is None else msgspec.json.decode(line.rpartition(b" ")[0], type=KeyRecord)
        except msgspec.MsgspecError as error:
            raise KeyFault(f"{self.ring}: its last line is none: {error}") from error

    def public_files(self) -> list[Path]:
        """The public keys, as PEM."""
        return sorted(self.path.glob("*.pub"))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The recorder that looks for its key, and the command that replaces it, take turns."""
        if not self.path.exists():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(self.path.parent)
        at = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(at, fcntl.LOCK_EX)
            yield
        finally:
            os.close(at)

    def _in_force(self, who: str) -> SigningKey:
        newest = self.newest()
        waiting = self.path / "next.key"
        if newest is not None and waiting.exists() and _load(waiting).id == newest.key:
            self._put_in_force(waiting)  # a rotation died between its two steps
        current = self.path / "signing.key"
        if not current.exists():
            if newest is not None:
                raise KeyFault(f"{current}: is missing, and {self.ring} knows of key {newest.key}")
            self._put_in_force(self._make(waiting))
        key = _load(current)
        if newest is None:
            self._record(key, by=key, number=1, who=who, why="the station's first key", old_until=0)
        elif newest.key != key.id:
            raise KeyFault(f"{current}: is key {key.id}, and the last that {self.ring} knows of is {newest.key}")
        return key

    def _number(self) -> int:
        newest = self.newest()
        return 0 if newest is None else newest.number

    def _make(self, path: Path) -> Path:
        """A new private key, durable, and its owner's alone from the first byte."""
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.unlink(missing_ok=True)
        at = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(at, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.path)
        return path

    def _put_in_force(self, path: Path) -> None:
        path.rename(self.path / "signing.key")  # the old private key is gone with this
        sync_folder(self.path)

    def _record(self, key: SigningKey, *, by: SigningKey, number: int, who: str, why: str, old_until: int) -> KeyRecord:
        record = KeyRecord(
            station=self._station,
            number=number,
            key=key.id,
            public=key.public.hex(),
            by=by.id,
            at=time.time_ns(),
            old_until=old_until,
            who=who,
            why=why,
        )
        pem = Ed25519PublicKey.from_public_bytes(key.public).public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        write_durably(self.path / f"{key.id}.pub", pem)
        append(self.ring, join(by.sign(PURPOSE, msgspec.json.encode(record))))
        return record


def key_id(public: bytes) -> str:
    """The short name of a public key of 32 bytes."""
    return hashlib.sha256(public).hexdigest()[:ID_DIGITS]


def is_signed(signed: SignedLine, purpose: bytes, public: bytes) -> bool:
    """Whether the key with this public half signed the statement for this purpose."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed.signature, purpose + signed.statement)
    except (InvalidSignature, ValueError):  # ValueError: no point of the curve, so no key
        return False
    return True


def _load(path: Path) -> SigningKey:
    """The private key in this file; KeyFault where others may read it, or it is none."""
    try:
        with path.open("rb") as file:  # opened once: what is checked is what is read
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise KeyFault(f"{path}: has mode {mode:04o}, and must be 0600: others may have it; rotate it")
            pem = file.read(KEY_BYTES)
        private = load_pem_private_key(pem, password=None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyFault(f"{path}: {error}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFault(f"{path}: is no Ed25519 key")
    return SigningKey(private)
