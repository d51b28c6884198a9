"""Every message survives the wire, and one that lies about itself is refused before it costs anything."""

import contextlib
import random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.bus.codec import CodecError, decode, encode
from monitor.labels import Label, Saying, State
from monitor.messages import (
    Acknowledge,
    Actuated,
    Alarm,
    AlarmNoted,
    AnyMessage,
    Ask,
    Closed,
    Command,
    Counted,
    Credit,
    Disposition,
    Done,
    Exposure,
    Frame,
    Gate,
    Gated,
    Hold,
    Labelled,
    Outcome,
    Paired,
    Part,
    Projected,
    Reason,
    Resume,
    Retained,
    Standing,
)
from monitor.retention import HoldChange, LegalHold
from tests.monitor.builders import MODEL, a_captured, a_counter, a_frame, a_region, a_segmentation

SQUAT = Label(
    id="0" * 32, state=State.CONFIRMED, reviewer="kim", label="squat", region=1, size_mm=3.5, blind=True, trial=1
)
ONE_OF_EACH: list[AnyMessage] = [
    Exposure(slot=1, trigger_count=1, at_count=-5, at_ns=1),
    Frame(frame=a_frame(), slot=1, attempt=2, due_ns=3),
    Credit(worker="inference-0.1", p99_ms=70.5, serves=2),
    Done(frame=a_frame(), attempt=1, worker="inference-0.1"),
    a_captured(3, refusal=Reason.FROZEN),
    a_segmentation(3, a_region(), model=MODEL),
    Closed(frame=a_frame()),
    Disposition(slot=1, outcome=Outcome.PASS, reason=None, due_count=60_000),
    Actuated(slot=1, outcome=None, gate=Gate.REJECTED, at_count=3, late_ms=1.5),
    a_counter(3),
    Hold(reason="dark"),
    Resume(last_slot=7),
    AlarmNoted(key="k"),
    Acknowledge(id="1", key="", who="kim", why="bin emptied", said_at=3),
    Alarm(key="k", name="process.lost", about="decision", text="pid 3", raised_at=1),
    Projected(seq=7),
    Counted(camera="head", epoch=2, count=7, base=-3, at_ns=9, arrivals_ns=(1, 5)),
    Paired(camera="head", epoch=2, base=-3),
    Standing(paused=True, needs_person=False),
    Labelled(saying=Saying(frame=None, slot=3, label=SQUAT, who="kim", why="", old="", at=3)),
    Retained(said=HoldChange(hold=LegalHold(id="0" * 32, slot=3), lifts=False, who="kim", why="claim", at=3)),
    Command(slot=1, outcome=Outcome.REJECT, reason_code=3),
    Ask(hold=True),
    Gated(slot=1, outcome=Outcome.PASS, gate=Gate.RELEASED, at_count=60_000, late_ms=0.0),
]


def test_there_is_one_of_each() -> None:
    assert {type(message) for message in ONE_OF_EACH} == set(AnyMessage.__args__)


@pytest.mark.parametrize("message", ONE_OF_EACH, ids=lambda message: type(message).__name__)
def test_a_message_survives_the_wire(message: AnyMessage) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)

    again, payload = decode([bytes(part) for part in encode(message, {"pixels": pixels, "crop-0": b"png"})])

    assert msgspec.structs.replace(again, parts=()) == message
    assert np.array_equal(payload["pixels"], pixels)
    assert payload["crop-0"] == b"png"


def a_lie(**changes: object) -> list[bytes]:
    """A frame of 3 × 4 pixels whose header says something else."""
    frames = [bytes(part) for part in encode(ONE_OF_EACH[1], {"pixels": np.zeros((3, 4), np.uint8)})]
    message, _ = decode(frames)
    part = msgspec.structs.replace(message.parts[0], **changes)
    return [msgspec.msgpack.encode(msgspec.structs.replace(message, parts=(part,))), *frames[1:]]


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        pytest.param([], "no header", id="empty"),
        pytest.param([b"\xc1"], "header", id="no-msgpack"),
        pytest.param([b"\x80"], "header", id="no-type"),
        pytest.param([b"x" * (5 << 20)], "at most", id="huge-header"),
        pytest.param(a_lie(shape=(3, 5)), "does not fill 12 bytes", id="shape-too-large"),
        pytest.param(a_lie(shape=(2**31, 2**31, 2**31)), "does not fill", id="shape-of-2-to-93"),
        pytest.param(a_lie(shape=(3, 4, 1, 1)), "header", id="four-axes"),
        pytest.param(a_lie(dtype="float64"), "dtype", id="dtype"),
        pytest.param(a_lie(crc32=1), "CRC", id="crc"),
        pytest.param(a_lie()[:1], "the header names 1 parts, 0 came", id="truncated"),
        pytest.param([*a_lie(), b"more"], "the header names 1 parts, 2 came", id="more-than-said"),
    ],
)
def test_a_message_that_lies_is_refused(frames: list[bytes], why: str) -> None:
    with pytest.raises(CodecError, match=why):
        decode(frames)


def test_a_flipped_bit_in_the_pixels_is_seen() -> None:
    frames = a_lie()
    flipped = bytearray(frames[1])
    flipped[5] ^= 0x10

    with pytest.raises(CodecError, match="CRC"):
        decode([frames[0], bytes(flipped)])


@given(st.binary(max_size=200), st.lists(st.binary(max_size=50), max_size=3))
def test_no_bytes_do_more_than_be_refused(header: bytes, parts: list[bytes]) -> None:
    with contextlib.suppress(CodecError):
        decode([header, *parts])


def test_no_mutation_of_a_real_message_does_more_than_be_refused() -> None:
    luck = random.Random(7)
    original = a_lie()
    for _ in range(3000):
        header = bytearray(original[0])
        header[luck.randrange(len(header))] = luck.randrange(256)
        with contextlib.suppress(CodecError):
            decode([bytes(header), original[1]])


def test_a_part_is_typed() -> None:
    assert Part(name="pixels", dtype="uint8", shape=(1, 2), crc32=0).shape == (1, 2)
