"""Everything that travels between processes, and the picture of how.

    camera ─ capture ══Frame══▶ inference ──Segmentation──▶ decision ──Disposition──▶ actuation ─ gate
                │  ◀═Credit, Done═   │                       │   ▲                        │
                │──────────Captured, Counted────────────────▶│   └──Actuated, Counter─────┘
                ◀──────────Closed, Paired────────────────────│
                                                         journal (durable) ─ recorder ─ images, SQL, Redis
                                                             ▲                  │
                                                             └────Projected─────┘

`══` is leased (monitor/bus/leases.py); `──` is a pipe, said again until answered where that is stated.
A header is msgpack; pixels and pictures travel as ZeroMQ parts of their own (monitor/bus/codec.py).
Times that end in `_ns` are monotonic, of this host; `_at` is wall time, ns since 1970, for people only.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from config.alarms import Level
from monitor.labels import Saying
from monitor.outcomes import Gate as Gate
from monitor.outcomes import Outcome as Outcome
from monitor.outcomes import Reason as Reason
from monitor.quantities import Count as Count
from monitor.quantities import FrameId as FrameId
from monitor.quantities import Nanoseconds, Pixels, Word
from monitor.quantities import Sha256 as Sha256
from monitor.quantities import Slot as Slot
from monitor.retention import HoldChange, Purging

REGIONS_MOST = 4096  # more regions than this is noise, not a mask; the worker says so instead


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What the next ZeroMQ part of a message holds; checked before it is used."""

    name: Word  # "pixels", "frame", "crop-0", "mask-0"
    dtype: Word  # "uint8", or "png": an encoded picture
    shape: Annotated[tuple[Pixels, ...], Meta(max_length=3)]
    crc32: Annotated[int, Meta(ge=0, lt=2**32)]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A header; `parts` describe what follows it."""

    parts: Annotated[tuple[Part, ...], Meta(max_length=2 * REGIONS_MOST)] = ()


class Exposure(Message, frozen=True, kw_only=True):
    """plant → capture: the trigger fired, and this is what the camera saw (part `pixels`, (H, W) uint8)."""

    slot: Slot
    trigger_count: Slot
    at_count: Count
    at_ns: Nanoseconds


class Frame(Message, frozen=True, kw_only=True):
    """capture → inference, leased; capture → viewers, published. Part `pixels`: (H, W) uint8."""

    frame: FrameId
    slot: Slot
    attempt: Annotated[int, Meta(ge=1, le=2)]
    due_ns: Nanoseconds  # when an answer is worthless


class Credit(Message, frozen=True, kw_only=True):
    """inference → capture: I hold no frame of yours. Renewed every 100 ms until one comes."""

    worker: Word
    p99_ms: Annotated[float, Meta(ge=0)]  # for one frame, lately
    serves: Annotated[int, Meta(ge=1)]  # cameras


class Done(Message, frozen=True, kw_only=True):
    """inference → capture: this attempt is over, its Segmentation sent before this."""

    frame: FrameId
    attempt: Annotated[int, Meta(ge=1, le=2)]
    worker: Word


class Captured(Message, frozen=True, kw_only=True):
    """capture → decision: this frame exists. Said until `Closed(frame)`; a later one may add a refusal.

    With a refusal, part `frame` (png) is the picture where one could be read.
    """

    frame: FrameId
    slot: Slot
    trigger_count: Slot
    at_count: Count | None  # of the encoder at the trigger; None without a belt
    captured_ns: Nanoseconds
    captured_at: Nanoseconds
    width: Pixels
    height: Pixels
    source: Annotated[str, Meta(max_length=4096)] = ""  # the file, where there is one
    refusal: Reason | None = None
    measures: dict[Word, float] = {}  # health, as capture measured it  # msgspec copies it


class Region(msgspec.Struct, frozen=True, kw_only=True):
    """One 8-connected region of a mask, in the frame's own pixels."""

    x: Pixels
    y: Pixels
    width: Pixels
    height: Pixels
    area_px: Pixels
    area_mm2: float | None  # None without calibration
    score: float  # the largest probability inside
    zones: Annotated[tuple[Word, ...], Meta(max_length=16)] = ("",)  # that judge it, "": the station; none: ignored


class Segmentation(Message, frozen=True, kw_only=True):
    """inference → decision: what the net saw. Whichever of this and `Captured` comes first opens the entry.

    Parts, where anything was found: `crop-N` and `mask-N` (png) of each region, `frame` (png).
    """

    frame: FrameId
    slot: Slot
    attempt: Annotated[int, Meta(ge=1, le=2)]
    worker: Word
    model_sha256: Sha256
    refusal: Reason | None = None  # model_nan, model_refused, wrong_format, corrupt
    score: float = 0.0  # the largest probability of the frame
    regions: Annotated[tuple[Region, ...], Meta(max_length=REGIONS_MOST)] = ()
    mask_rle: bytes = b""  # monitor/rules/regions.py says how
    crops_px: Annotated[tuple[tuple[Pixels, Pixels, Pixels, Pixels], ...], Meta(max_length=REGIONS_MOST)] = ()
    started_ns: Nanoseconds = 0  # of the net
    ended_ns: Nanoseconds = 0


class Closed(Message, frozen=True, kw_only=True):
    """decision → capture: this frame has its verdict; no need to say it again."""

    frame: FrameId


class Disposition(Message, frozen=True, kw_only=True):
    """decision → actuation: what becomes of a part. Said until `Actuated(slot)`."""

    slot: Slot
    outcome: Outcome
    reason: Reason | None
    due_count: Count | None  # encoder count at which the piece is in front of the gate; None without a belt
    area_mm2: float | None = None  # of the defects that the deciding camera counted; None where there is no such figure


class Actuated(Message, frozen=True, kw_only=True):
    """actuation → decision: the gate has acted on this slot, or the disposition is on disk where there is no gate."""

    slot: Slot
    outcome: Outcome | None  # of the command that the gate went by; None: it had none
    gate: Gate
    at_count: Count | None
    late_ms: float  # 0 when the disposition was there before the part
    seen: bool | None = None  # by the verify sensor behind the gate; None where there is none


class Counter(Message, frozen=True, kw_only=True):
    """trigger source → decision, every 100 ms: how many triggers there were, and where the belt is."""

    cameras: tuple[Word, ...]  # whose triggers it counts
    trigger_count: Slot
    encoder_count: Count | None  # None without a belt
    counts_per_s: float
    at_ns: Nanoseconds
    asked_ns: Nanoseconds = 0  # it was read between this and `at_ns`
    steady_ns: Nanoseconds = 0  # by then the count was what it is; 0: nobody looked
    ended: bool = False  # there will be no more: a folder is at its end, or the belt was stopped and is empty


class Counted(Message, frozen=True, kw_only=True):
    """capture → decision, many times a second: how many frames a camera has sent that does not count the triggers."""

    camera: Word
    epoch: Annotated[int, Meta(ge=0, lt=2**53)]
    count: Slot  # since the epoch began
    base: Count | None  # what capture adds to it for a slot; None: it was not told yet
    at_ns: Nanoseconds  # every frame that was there by then is in `count`
    arrivals_ns: Annotated[tuple[Nanoseconds, ...], Meta(max_length=16)]  # of the last frames, oldest first


class Paired(Message, frozen=True, kw_only=True):
    """decision → capture: a frame's slot is its number in this epoch plus `base`. Said until `Counted` has it."""

    camera: Word
    epoch: Annotated[int, Meta(ge=0, lt=2**53)]
    base: Count


class Hold(Message, frozen=True, kw_only=True):
    """decision → actuation: stop the line; a person must look."""

    reason: Word


class Resume(Message, frozen=True, kw_only=True):
    """decision → actuation, twice a second: the highest slot that it knows. A source that lost its counter needs it."""

    last_slot: Slot


class Standing(Message, frozen=True, kw_only=True):
    """decision → actuation, where it changes and twice a second: what a PLC must know of the line."""

    paused: bool  # no triggers: a camera's count is not paired with the PLC's
    needs_person: bool  # an alarm stands that somebody must acknowledge


class AlarmNoted(Message, frozen=True, kw_only=True):
    """decision → actuation: this alarm is in the journal."""

    key: Word


class Alarm(Message, frozen=True, kw_only=True):
    """supervisor, actuation → decision: something a person should know, for the journal. Said until noted."""

    key: Word
    name: Word  # process.lost, line.held
    about: Word
    text: Annotated[str, Meta(max_length=1000)]
    raised_at: Nanoseconds
    level: Level = "warn"


class Acknowledge(Message, frozen=True, kw_only=True):
    """a person → decision: the alarm of this key was looked at, or all that stand. Said until its row is there."""

    id: Word
    key: Word  # empty: all that stand
    who: Word
    why: Annotated[str, Meta(max_length=1000)]
    said_at: Nanoseconds


class Labelled(Message, frozen=True, kw_only=True):
    """a person → decision: what was seen on a frame or part. Said until its row is there."""

    saying: Saying


class Retained(Message, frozen=True, kw_only=True):
    """a person, or the recorder → decision: a legal hold, its end, or what expires. Said until its row is there."""

    said: HoldChange | Purging


class Projected(Message, frozen=True, kw_only=True):
    """recorder → decision: pictures up to this row lie in the image store; the journal may drop its copies."""

    seq: Slot


class Command(Message, frozen=True, kw_only=True):
    """actuator → plant: one line of the slot table."""

    slot: Slot
    outcome: Outcome
    reason_code: Annotated[int, Meta(ge=0, le=255)]  # 0, or 1 + the position in `Reason`


class Ask(Message, frozen=True, kw_only=True):
    """actuator → plant: where are belt and counter? `hold` stops the belt's triggers for good."""

    hold: bool = False


class Gated(Message, frozen=True, kw_only=True):
    """plant → actuator: what the gate did with this slot, and what the verify sensor saw."""

    slot: Slot
    outcome: Outcome | None
    gate: Gate
    at_count: Count
    late_ms: float
    seen: bool | None = None


AnyMessage = (
    Exposure | Frame | Credit | Done | Captured | Segmentation | Closed | Disposition | Actuated | Counter | Hold
    | Resume | Alarm | AlarmNoted | Counted | Paired | Standing | Acknowledge | Labelled | Retained | Projected
    | Command | Ask | Gated
)  # fmt: skip
