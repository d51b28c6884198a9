"""Signed lines: files that only grow, one statement a line, and their copies elsewhere.

    {"station":"rail-03", …} 3f09…\\n     JSON, a space, and in hex the Ed25519 signature over what stands before it

What is signed is the purpose, a line feed, and the statement's bytes as they lie there: nothing is made canonical.
A line without its end was torn by a crash, and is none yet.
"""

import os
from pathlib import Path
from typing import NamedTuple

import structlog

from monitor.output import sync_folder

TAIL_BYTES = 1 << 16  # many lines; a whole one is under 2 KiB
COPY_BYTES = 1 << 20  # at a time
log = structlog.get_logger()


class CopyForeign(Exception):
    """The copy says something else than what it should be a copy of: nothing is added to it."""


class SignedLine(NamedTuple):
    """One line, nothing believed."""

    statement: bytes
    signature: bytes


def split(line: bytes) -> SignedLine:
    """The parts of a line without its end; ValueError where it has another form."""
    statement, space, signature = line.rpartition(b" ")
    if not space:
        raise ValueError("no signature behind the statement")
    return SignedLine(statement, bytes.fromhex(signature.decode("ascii")))


def join(signed: SignedLine) -> bytes:
    """The line, without its end."""
    return signed.statement + b" " + signed.signature.hex().encode()


def read_lines(path: Path) -> list[bytes]:
    """Every whole line; none where there is no file. OSError where it cannot be read."""
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []


def last_line(path: Path) -> bytes | None:
    """The last whole line; None where there is none. Reads the file's end only."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = file.read().split(b"\n")
    return lines[-2] if len(lines) > 1 else None


def append(path: Path, line: bytes) -> None:
    """Makes one more line durable; what an earlier writer tore off is cut away first."""
    is_new = not path.exists()
    with path.open("ab+") as file:
        if torn := _torn(file.fileno()):
            file.truncate(os.fstat(file.fileno()).st_size - torn)
            log.warning("proof.line_torn", file=path.name, bytes=torn, answer="cut away; the line is written again")
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def mirror(source: Path, target: Path) -> int:
    """Adds to the copy what it lacks, whole lines in their order; the bytes added.

    The copy is the source's beginning, byte for byte, so what was written twice cannot be there twice, and a copy torn
    in a line goes on inside it. CopyForeign where it is no beginning of the source, OSError where it is away.
    """
    whole = _whole_bytes(source)
    is_new = not target.exists()
    there = 0 if is_new else target.stat().st_size
    if there > whole:
        raise CopyForeign(f"{target}: has {there} bytes, {source} {whole}: the station's folder was put back to before")
    if there == whole:
        return 0
    with source.open("rb") as ours, target.open("ab+") as theirs:
        begin = max(0, there - TAIL_BYTES)
        ours.seek(begin)
        theirs.seek(begin)
        if ours.read(there - begin) != theirs.read(there - begin):
            raise CopyForeign(f"{target}: is no copy of {source}: the two were written by different hands")
        left = whole - there
        while left and (piece := ours.read(min(left, COPY_BYTES))):
            theirs.write(piece)
            left -= len(piece)
        theirs.flush()
        os.fsync(theirs.fileno())
    if is_new:
        sync_folder(target.parent)
    return whole - there


def _torn(file: int) -> int:
    """Bytes behind the last line's end."""
    size = os.fstat(file).st_size
    tail = os.pread(file, TAIL_BYTES, max(0, size - TAIL_BYTES))
    return len(tail) - (tail.rfind(b"\n") + 1)


def _whole_bytes(path: Path) -> int:
    """How far the whole lines go."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size - _torn(file.fileno())
