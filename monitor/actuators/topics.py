"""The topics and JSON payloads of line and PLC over MQTT; from them docs/plc-mqtt.md is made; pure.

    <prefix>/<station>/plc/status    PLC → line   the PLC's state, at least every 50 ms
    <prefix>/<station>/plc/acted     PLC → line   parts that met the gate, as they do, and again when asked for
    <prefix>/<station>/plc/state     PLC → all    `online`; `offline` is its last will. Retained
    <prefix>/<station>/line/status   line → PLC   the line's heartbeat, after each status of the PLC
    <prefix>/<station>/line/results  line → PLC   a batch of orders, until it is acknowledged
    <prefix>/<station>/line/acted    line → PLC   from which part at the gate on it has heard nothing
    <prefix>/<station>/line/state    line → all   `online`; `offline` is its last will: the PLC holds. Retained

Only the two states are retained. A retained status would make a dead PLC look alive, and a retained batch would speak
to a PLC that starts anew; what else comes retained is therefore dropped, and a batch names the session it is for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from monitor.messages import Gate, Outcome, Slot
from monitor.rules.handshake import ACTED_KEPT, MAP_VERSION, RESULTS_MOST, Acted, LineStatus, Mailbox, PlcStatus, Result

PAYLOAD_MOST = 64 * 1024  # bytes; looked at before anything is decoded
ENTRIES_MOST = 32  # parts at the gate in one message
ONLINE, OFFLINE = b"online", b"offline"
Word = Annotated[int, Meta(ge=0, lt=1 << 16)]
Session = Annotated[int, Meta(ge=1, lt=1 << 16)]
Speed = Annotated[int, Meta(gt=-(2**31), lt=2**31)]
_T = TypeVar("_T")


class TopicError(Exception):
    """A payload that no such PLC, and no such line, says."""


@dataclass(frozen=True)
class Topics:
    """Those of one station."""

    prefix: str
    station: str

    def plc(self, name: str) -> str:
        return f"{self.prefix}/{self.station}/plc/{name}"

    def line(self, name: str) -> str:
        return f"{self.prefix}/{self.station}/line/{name}"


class _Version(msgspec.Struct, frozen=True):
    map_version: int


class _PlcStatus(PlcStatus, frozen=True, kw_only=True, forbid_unknown_fields=True):
    session: Session
    heartbeat: Word
    fault: Word
    part_type: Word
    counts_per_s: Speed
    line_heartbeat: Word
    result_ack: Word


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    n: Annotated[int, Meta(ge=1, lt=2**53)]
    slot: Slot
    ordered: Outcome | None
    gate: Gate
    seen: bool | None
    at_count: Annotated[int, Meta(gt=-(2**53), lt=2**53)]
    late_ms: Annotated[float, Meta(ge=0, le=1e9)]


class _ActedSaid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    session: Session
    entries: Annotated[tuple[_Entry, ...], Meta(min_length=1, max_length=ACTED_KEPT)]


class _LineStatus(LineStatus, frozen=True, kw_only=True, forbid_unknown_fields=True):
    heartbeat: Word
    hold_code: Word


class _Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slot: Slot
    outcome: Outcome
    reason_code: Word


class _ResultsSaid(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    session: Session
    batch: Session
    results: Annotated[tuple[_Result, ...], Meta(min_length=1, max_length=RESULTS_MOST)]


class _ActedWanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    session: Session
    first: Annotated[int, Meta(ge=1, lt=2**53)]


def status_payload(status: PlcStatus) -> bytes:
    return msgspec.json.encode(status)


def read_status(payload: bytes) -> PlcStatus:
    """The PLC's state; TopicError where it is of another map."""
    version = _read(payload, _Version).map_version
    if version != MAP_VERSION:
        raise TopicError(f"map_version is {version}, not {MAP_VERSION}: is the PLC's program the right one?")
    return PlcStatus(**msgspec.structs.asdict(_read(payload, _PlcStatus)))


def acted_payload(session: int, entries: Sequence[Acted]) -> bytes:
    return msgspec.json.encode({"session": session, "entries": entries})


def read_acted(payload: bytes) -> tuple[int, list[Acted]]:
    """The PLC's session, and what met the gate in it."""
    said = _read(payload, _ActedSaid)
    return said.session, [Acted(**msgspec.structs.asdict(entry)) for entry in said.entries]


def line_payload(line: LineStatus) -> bytes:
    return msgspec.json.encode(line)


def read_line(payload: bytes) -> LineStatus:
    return LineStatus(**msgspec.structs.asdict(_read(payload, _LineStatus)))


def results_payload(session: int, mailbox: Mailbox) -> bytes:
    return msgspec.json.encode({"session": session, "batch": mailbox.batch, "results": mailbox.results})


def read_results(payload: bytes) -> tuple[int, Mailbox]:
    """The session that the batch was made for, and the batch."""
    said = _read(payload, _ResultsSaid)
    results = tuple(Result(**msgspec.structs.asdict(result)) for result in said.results)
    return said.session, Mailbox(batch=said.batch, results=results)


def wanted_payload(session: int, first: int) -> bytes:
    return msgspec.json.encode({"session": session, "first": first})


def read_wanted(payload: bytes) -> tuple[int, int]:
    """Of which session, and from which part at the gate on."""
    said = _read(payload, _ActedWanted)
    return said.session, said.first


def _read(payload: bytes, kind: type[_T]) -> _T:
    if len(payload) > PAYLOAD_MOST:
        raise TopicError(f"{len(payload)} bytes; a payload has at most {PAYLOAD_MOST}")
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TopicError(f"{error}; it begins with {payload[:60]!r}") from error
