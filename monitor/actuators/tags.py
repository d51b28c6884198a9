"""The tags of line and PLC over OPC UA: the one table from which code, twin and `docs/plc.md` are made; pure.

The PLC is the server, and all tags lie in one of its namespaces. What each field says is what it says in Modbus'
`monitor/actuators/registers.py`; here each has a tag of its own, so that people can watch it.

A server copies an array in one go from one end to the other, and that is all one can count on: neither the order of the
tags in one Write nor a Write that falls between two scans. So the mailbox is one array with everything in it, and the
batch's number at both ends: where they differ, a write is half done, and the PLC waits for the next scan.
The ring needs nothing of the kind: an entry is complete before `PlcActedCount` counts it, and its number names it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from monitor.actuators.registers import GATES, LATE_MOST_MS, OUTCOMES, SEEN
from monitor.rules.handshake import (
    ACTED_KEPT,
    MAP_VERSION,
    RESULTS_MOST,
    Acted,
    LineStatus,
    Mailbox,
    PlcStatus,
    Result,
)

_T = TypeVar("_T")
Kind = Literal["Boolean", "UInt16", "UInt32", "Int32"]  # of OPC UA; BOOL, UINT, UDINT and DINT of IEC 61131-3
Value = int | Sequence[int]
RESULT_WORDS = 3  # slot, outcome, reason
MAILBOX_WORDS = 2 + RESULTS_MOST * RESULT_WORDS + 1  # batch, count, results, batch again
_MASKS: dict[Kind, int] = {"Boolean": 1, "UInt16": 0xFFFF, "UInt32": 0xFFFF_FFFF, "Int32": 0xFFFF_FFFF}


class TagError(Exception):
    """Values that no PLC or line with these tags writes."""


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One tag; its name is what stands for `{tag}` in the station's `node`."""

    name: str
    field: str  # of PlcStatus, Acted or LineStatus
    kind: Kind
    size: int  # of the array; 0: a single value
    says: str


def _named(prefix: str, size: int, entries: Sequence[tuple[str, Kind, str]]) -> tuple[Tag, ...]:
    return tuple(
        Tag(name=prefix + field.title().replace("_", ""), field=field, kind=kind, size=size, says=says)
        for field, kind, says in entries
    )


PLC_TAGS = _named(
    "Plc",
    0,
    [
        ("map_version", "UInt16", f"{MAP_VERSION}; the line refuses another"),
        ("session", "UInt16", "another number, and never 0, after each start of the PLC's program"),
        ("heartbeat", "UInt16", "counts up in each scan, or at least twice a second"),
        ("ready", "Boolean", "the PLC counts triggers and moves the gate"),
        ("held", "Boolean", "the belt is held"),
        ("fault", "UInt16", "the PLC's own code, for people; 0: none"),
        ("part_type", "UInt16", "what is on the belt; 0 where there is one type only"),
        ("trigger_count", "UInt32", "triggers since ever: the number of the last slot. Retentive"),
        ("encoder_count", "Int32", "of the belt's encoder, now"),
        ("counts_per_s", "Int32", "speed of the belt; negative while it runs back"),
        ("line_heartbeat", "UInt16", "the line's heartbeat, as last seen"),
        ("result_ack", "UInt16", "number of the last batch that is in the slot table"),
        ("acted_count", "UInt32", "parts that met the gate in this session: the number of the last one in the ring"),
    ],
)
ACTED_TAGS = _named(
    "Acted",
    ACTED_KEPT,
    [
        ("n", "UInt32", f"number in this session; entry n lies at place (n - 1) mod {ACTED_KEPT}. Zeroed at start"),
        ("slot", "UInt32", "of the part"),
        ("ordered", "UInt16", "what the gate went by: 0 nothing, 1 PASS, 2 REJECT, 3 NOT_INSPECTED"),
        ("gate", "UInt16", "what it did: 1 released, 2 rejected"),
        ("seen", "UInt16", "verify sensor: 0 there is none, 1 clear, 2 a part was seen behind the gate"),
        ("late_ms", "UInt16", "of an order that came after its part; 0 otherwise, 65535 for more"),
        ("at_count", "Int32", "of the encoder at the gate"),
    ],
)
LINE_TAGS = _named(
    "Line",
    0,
    [
        ("heartbeat", "UInt16", "counts up with each cycle; when it stands still the PLC rejects and holds"),
        ("ready", "Boolean", "the line takes triggers; without it the PLC feeds none"),
        ("busy", "Boolean", "orders are on their way"),
        ("hold", "Boolean", "stop the belt until a person has looked"),
        ("fault", "Boolean", "an alarm stands that a person must acknowledge"),
        ("hold_code", "UInt16", "why: the code of a reason, 0 for another cause"),
        ("last_slot", "UInt32", "the highest slot that the line knows; a PLC that lost its counter goes on from here"),
    ],
)
MAILBOX = Tag(
    name="LineMailbox",
    field="mailbox",
    kind="UInt32",
    size=MAILBOX_WORDS,
    says=f"[0] batch, 0 before the first; [1] count, up to {RESULTS_MOST}; from [2] on slot, outcome, reason of each "
    f"(as {RESULT_WORDS} words; the PLC rejects whatever outcome is not 1); [{MAILBOX_WORDS - 1}] batch again: "
    "take nothing in while it differs from [0]. Zeroed at start",
)
SESSION = next(tag for tag in PLC_TAGS if tag.field == "session")


def plc_values(status: PlcStatus) -> dict[str, Value]:
    """The PLC's tags by name."""
    return {tag.name: fitted(tag, getattr(status, tag.field)) for tag in PLC_TAGS}


def read_status(values: Mapping[str, Value]) -> PlcStatus:
    """The PLC's tags; TagError where they are of another map."""
    by_field = {tag.field: _single(values, tag) for tag in PLC_TAGS}
    if by_field["map_version"] != MAP_VERSION:
        raise TagError(f"PlcMapVersion is {by_field['map_version']}, not {MAP_VERSION}: is the PLC's program of now?")
    ready, held = (bool(by_field.pop(field)) for field in ("ready", "held"))
    return PlcStatus(ready=ready, held=held, **by_field)


def acted_values(entries: Sequence[Acted]) -> dict[str, Value]:
    """The ring with these entries in their places, and nothing in the others."""
    ring = {tag.name: [0] * ACTED_KEPT for tag in ACTED_TAGS}
    for entry in entries:
        coded = {
            "n": entry.n,
            "slot": entry.slot,
            "ordered": OUTCOMES.index(entry.ordered),
            "gate": GATES.index(entry.gate),
            "seen": SEEN.index(entry.seen),
            "late_ms": min(LATE_MOST_MS, -(-int(entry.late_ms * 1000) // 1000)),
            "at_count": entry.at_count,
        }
        for tag in ACTED_TAGS:
            ring[tag.name][place(entry.n)] = fitted(tag, coded[tag.field])
    return dict(ring)


def place(n: int) -> int:
    """Where the n-th `Acted` of a session lies in the ring."""
    return (n - 1) % ACTED_KEPT


def read_acted(wanted: range, values: Mapping[str, Value]) -> list[Acted]:
    """These entries; TagError where another one lies in their place."""
    arrays = {tag.field: _array(values, tag) for tag in ACTED_TAGS}
    entries = []
    for n in wanted:
        found = {field: array[place(n)] for field, array in arrays.items()}
        if found["n"] != n & 0xFFFF_FFFF:
            raise TagError(f"ActedN[{place(n)}] is {found['n']}, not {n}: the PLC started again, or skipped an entry")
        entries.append(
            Acted(
                n=n,
                slot=found["slot"],
                ordered=_coded(OUTCOMES, found["ordered"], "ActedOrdered"),
                gate=_coded(GATES, found["gate"], "ActedGate"),
                seen=_coded(SEEN, found["seen"], "ActedSeen"),
                at_count=found["at_count"],
                late_ms=float(found["late_ms"]),
            )
        )
    return entries


def line_values(line: LineStatus, mailbox: Mailbox | None) -> dict[str, Value]:
    """The line's tags by name; the mailbox only where there is a batch to be written."""
    values: dict[str, Value] = {tag.name: fitted(tag, getattr(line, tag.field)) for tag in LINE_TAGS}
    if mailbox is not None:
        values[MAILBOX.name] = mailbox_words(mailbox)
    return values


def mailbox_words(mailbox: Mailbox) -> list[int]:
    words = [mailbox.batch, len(mailbox.results)]
    for result in mailbox.results:
        words += [result.slot & 0xFFFF_FFFF, OUTCOMES.index(result.outcome), result.reason_code]
    return [*words, *[0] * (MAILBOX_WORDS - 1 - len(words)), mailbox.batch]


def read_line(values: Mapping[str, Value]) -> LineStatus:
    """The line's tags as the PLC finds them."""
    found = {tag.field: _single(values, tag) for tag in LINE_TAGS}
    flags = {tag.field: bool(found.pop(tag.field)) for tag in LINE_TAGS if tag.kind == "Boolean"}
    return LineStatus(
        heartbeat=found["heartbeat"],
        ready=flags["ready"],
        busy=flags["busy"],
        hold=flags["hold"],
        fault=flags["fault"],
        hold_code=found["hold_code"],
        last_slot=found["last_slot"],
    )


def read_mailbox(values: Mapping[str, Value]) -> Mailbox | None:
    """The batch as the PLC finds it; None while it is half written, TagError where no line writes such a thing."""
    words = _array(values, MAILBOX)
    batch, count = words[0], words[1]
    if words[-1] != batch:
        return None
    if count > RESULTS_MOST:
        raise TagError(f"count is {count}; a batch has at most {RESULTS_MOST}")
    results = []
    for at in range(2, 2 + count * RESULT_WORDS, RESULT_WORDS):
        slot, code, reason = words[at : at + RESULT_WORDS]
        outcome = _coded(OUTCOMES, code, "outcome")
        if outcome is None:
            raise TagError(f"outcome of slot {slot} is 0; it must be 1, 2 or 3")
        results.append(Result(slot=slot, outcome=outcome, reason_code=reason))
    return Mailbox(batch=batch, results=tuple(results))


def fitted(tag: Tag, value: int) -> int:
    """The value as this kind of tag holds it: counters begin again where it ends."""
    value = int(value) & _MASKS[tag.kind]
    return value - (1 << 32) if tag.kind == "Int32" and value >= 1 << 31 else value


def _single(values: Mapping[str, Value], tag: Tag) -> int:
    value = values[tag.name]
    if not isinstance(value, int):
        raise TagError(f"{tag.name} is an array; it must be one {tag.kind}")
    return value


def _array(values: Mapping[str, Value], tag: Tag) -> Sequence[int]:
    value = values[tag.name]
    if isinstance(value, int) or len(value) != tag.size:
        found = "one value" if isinstance(value, int) else f"{len(value)} values"
        raise TagError(f"{tag.name} has {found}; it must have {tag.size}")
    return value


def _coded(codes: Sequence[_T], code: int, name: str) -> _T:
    if code >= len(codes):
        raise TagError(f"{name} is {code}; there are codes 0 to {len(codes) - 1}")
    return codes[code]
