"""How a message becomes bytes: a msgpack header, then each array or picture as a part of its own.

Nothing is allocated from what a header claims: shape × dtype must equal the bytes that came, and their CRC must fit.
"""

import math
import zlib
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.messages import AnyMessage, Part

HEADER_BYTES = 4 << 20  # a mask of runs for a very noisy frame; more is refused

Pixels = npt.NDArray[np.uint8]
Payload = Mapping[str, "Pixels | bytes"]

_DECODER: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage)
_ENCODER = msgspec.msgpack.Encoder()


class CodecError(ValueError):
    """A message that is not what it says it is."""


def encode(message: AnyMessage, payload: Payload | None = None) -> list[bytes | memoryview]:
    """The ZeroMQ parts of a message; `payload` maps names to (H, W) uint8 pixels, or to PNG bytes."""
    if not payload:
        return [_ENCODER.encode(message)]
    parts, buffers = [], []
    for name, content in payload.items():
        if isinstance(content, bytes):
            dtype, shape, buffer = "png", (len(content),), memoryview(content)
        else:
            dtype, shape, buffer = "uint8", content.shape, np.ascontiguousarray(content).data.cast("B")
        parts.append(Part(name=name, dtype=dtype, shape=shape, crc32=zlib.crc32(buffer)))
        buffers.append(buffer)
    return [_ENCODER.encode(msgspec.structs.replace(message, parts=tuple(parts))), *buffers]


def decode(frames: Sequence[bytes | memoryview]) -> tuple[AnyMessage, dict[str, "Pixels | bytes"]]:
    """The message in these ZeroMQ parts, and what followed its header; CodecError says what does not fit."""
    if not frames:
        raise CodecError("no header")
    if len(frames[0]) > HEADER_BYTES:
        raise CodecError(f"a header of {len(frames[0])} bytes; at most {HEADER_BYTES}")
    try:
        message = _DECODER.decode(frames[0])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # a bad word is not a DecodeError
        raise CodecError(f"header: {error}") from error
    if len(message.parts) != len(frames) - 1:
        raise CodecError(f"the header names {len(message.parts)} parts, {len(frames) - 1} came")
    return message, {part.name: _content(part, frame) for part, frame in zip(message.parts, frames[1:], strict=True)}


def _content(part: Part, frame: bytes | memoryview) -> "Pixels | bytes":
    if part.dtype not in ("uint8", "png"):
        raise CodecError(f"part {part.name!r}: dtype {part.dtype!r} is not one of ['png', 'uint8']")
    if math.prod(part.shape) != len(frame):
        raise CodecError(f"part {part.name!r}: shape {part.shape} of {part.dtype} does not fill {len(frame)} bytes")
    if zlib.crc32(frame) != part.crc32:
        raise CodecError(f"part {part.name!r}: CRC {zlib.crc32(frame):08x}, the header says {part.crc32:08x}")
    if part.dtype == "png":
        return bytes(frame)
    return np.frombuffer(frame, dtype=np.uint8).reshape(part.shape)
