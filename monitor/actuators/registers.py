"""The register map of line and PLC: the one table from which code, twin and `docs/plc.md` are made; pure.

Registers are 16-bit words, those of a longer number in big-endian order (the high word first). The PLC is the server:
the line reads its block and writes the line's block, both holding registers, at offsets from the station's `base`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from monitor.messages import Gate, Outcome
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
Kind = Literal["u16", "u32", "i32"]
WORDS: dict[Kind, int] = {"u16": 1, "u32": 2, "i32": 2}
OUTCOMES = (None, Outcome.PASS, Outcome.REJECT, Outcome.NOT_INSPECTED)  # by code
GATES = (Gate.NONE, Gate.RELEASED, Gate.REJECTED)
SEEN = (None, False, True)  # by the verify sensor
LATE_MOST_MS = 65_535
READY, HELD, FAULT = 1, 2, 4  # bits of the PLC's status
LINE_READY, LINE_BUSY, LINE_HOLD, LINE_FAULT = 1, 2, 4, 8


class RegisterError(Exception):
    """Registers that no PLC with this map holds."""


@dataclass(frozen=True, kw_only=True)
class Register:
    """One entry of the map."""

    name: str
    kind: Kind
    offset: int
    says: str


def _laid_out(first: int, entries: Sequence[tuple[str, Kind, str]]) -> tuple[Register, ...]:
    laid = []
    for name, kind, says in entries:
        laid.append(Register(name=name, kind=kind, offset=first, says=says))
        first += WORDS[kind]
    return tuple(laid)


PLC_BLOCK = _laid_out(
    0,
    [
        ("map_version", "u16", f"{MAP_VERSION}; the line refuses another"),
        ("session", "u16", "another number, and never 0, after each start of the PLC's program"),
        ("heartbeat", "u16", "counts up in each scan, or at least twice a second"),
        ("status", "u16", "bit 0 Ready, bit 1 Hold (the belt is held), bit 2 Fault"),
        ("fault", "u16", "the PLC's own code, for people"),
        ("part_type", "u16", "what is on the belt; 0 where there is one type only"),
        ("trigger_count", "u32", "triggers since ever: the number of the last slot. Retentive"),
        ("encoder_count", "i32", "of the belt's encoder, now"),
        ("counts_per_s", "i32", "speed of the belt; negative while it runs back"),
        ("line_heartbeat", "u16", "the line's heartbeat, as last seen"),
        ("result_ack", "u16", "Ack: number of the last batch that is in the slot table"),
        ("acted_count", "u32", "parts that met the gate in this session: the number of the last `Acted`"),
    ],
)
ACTED_ENTRY = _laid_out(
    0,
    [
        ("slot", "u32", "of the part"),
        ("ordered", "u16", "what the gate went by: 0 nothing, 1 PASS, 2 REJECT, 3 NOT_INSPECTED"),
        ("gate", "u16", "what it did: 1 released, 2 rejected"),
        ("seen", "u16", "verify sensor: 0 there is none, 1 clear, 2 a part was seen behind the gate"),
        ("late_ms", "u16", "of an order that came after its part; 0 otherwise, 65535 for more"),
        ("at_count", "i32", "of the encoder at the gate"),
    ],
)
LINE_BLOCK = _laid_out(
    0,
    [
        ("heartbeat", "u16", "counts up with each cycle; when it stands still the PLC rejects and holds"),
        ("status", "u16", "bit 0 Ready, bit 1 Busy, bit 2 Hold (stop the belt), bit 3 Fault (a person must look)"),
        ("hold_code", "u16", "why: the code of a reason, 0 for another cause"),
        ("last_slot", "u32", "the highest slot that the line knows; a PLC that lost its counter goes on from here"),
        ("batch", "u16", "ResultValid: a new number says that there are new results; 0 before the first"),
        ("count", "u16", f"results in the batch, up to {RESULTS_MOST}"),
    ],
)
RESULT_ENTRY = _laid_out(
    0,
    [
        ("slot", "u32", "of the part"),
        ("outcome", "u16", "1 PASS, 2 REJECT, 3 NOT_INSPECTED; the PLC rejects whatever is not 1"),
        ("reason", "u16", "0, or the code of the reason of NOT_INSPECTED"),
    ],
)


def words_of(entries: Sequence[Register]) -> int:
    return sum(WORDS[entry.kind] for entry in entries)


PLC_WORDS, ACTED_WORDS = words_of(PLC_BLOCK), words_of(ACTED_ENTRY)
LINE_WORDS, RESULT_WORDS = words_of(LINE_BLOCK), words_of(RESULT_ENTRY)
ACTED_AT = 32  # the ring; entry n of the session lies at place (n - 1) mod ACTED_KEPT
LINE_AT = ACTED_AT + ACTED_KEPT * ACTED_WORDS
RESULTS_AT = LINE_AT + LINE_WORDS
ALL_WORDS = RESULTS_AT + RESULTS_MOST * RESULT_WORDS


def pack(entries: Sequence[Register], values: dict[str, int]) -> list[int]:
    """The words of these values, in the map's order."""
    words = []
    for entry in entries:
        value = values[entry.name]
        if WORDS[entry.kind] == 1:
            words.append(value & 0xFFFF)
        else:
            words += [(value >> 16) & 0xFFFF, value & 0xFFFF]
    return words


def unpack(entries: Sequence[Register], words: Sequence[int]) -> dict[str, int]:
    """The values of these words; RegisterError where there are too few."""
    if len(words) < words_of(entries):
        raise RegisterError(f"{len(words)} registers; {entries[0].name} … {entries[-1].name} take {words_of(entries)}")
    values = {}
    for entry in entries:
        value = words[entry.offset]
        if WORDS[entry.kind] == 2:
            value = value << 16 | words[entry.offset + 1]
            if entry.kind == "i32" and value >= 1 << 31:
                value -= 1 << 32
        values[entry.name] = value
    return values


def read_status(words: Sequence[int]) -> PlcStatus:
    """The PLC's block; RegisterError where it is of another map."""
    values = unpack(PLC_BLOCK, words)
    if values["map_version"] != MAP_VERSION:
        raise RegisterError(
            f"map_version is {values['map_version']}, not {MAP_VERSION}: is `base` right, and the PLC's program on?"
        )
    bits = values.pop("status")
    values["fault"] = values["fault"] or (1 if bits & FAULT else 0)
    return PlcStatus(ready=bool(bits & READY), held=bool(bits & HELD), **values)


def status_words(status: PlcStatus) -> list[int]:
    bits = READY * status.ready | HELD * status.held | FAULT * bool(status.fault)
    return pack(PLC_BLOCK, {name: getattr(status, name, bits) for name in (entry.name for entry in PLC_BLOCK)})


def acted_offset(n: int) -> int:
    """Where the n-th `Acted` of a session lies."""
    return ACTED_AT + (n - 1) % ACTED_KEPT * ACTED_WORDS


def read_acted(n: int, words: Sequence[int]) -> Acted:
    values = unpack(ACTED_ENTRY, words)
    return Acted(
        n=n,
        slot=values["slot"],
        ordered=_coded(OUTCOMES, values["ordered"], "ordered"),
        gate=_coded(GATES, values["gate"], "gate"),
        seen=_coded(SEEN, values["seen"], "seen"),
        at_count=values["at_count"],
        late_ms=float(values["late_ms"]),
    )


def acted_words(acted: Acted) -> list[int]:
    return pack(
        ACTED_ENTRY,
        {
            "slot": acted.slot,
            "ordered": OUTCOMES.index(acted.ordered),
            "gate": GATES.index(acted.gate),
            "seen": SEEN.index(acted.seen),
            "late_ms": min(LATE_MOST_MS, -(-int(acted.late_ms * 1000) // 1000)),
            "at_count": acted.at_count,
        },
    )


def line_words(status: LineStatus, mailbox: Mailbox | None) -> list[int]:
    """The line's block; without a mailbox, as far as the results only, which stay as they are."""
    bits = LINE_READY * status.ready | LINE_BUSY * status.busy | LINE_HOLD * status.hold | LINE_FAULT * status.fault
    values = {"heartbeat": status.heartbeat, "status": bits, "hold_code": status.hold_code}
    values |= {"last_slot": status.last_slot, "batch": 0, "count": 0}
    if mailbox is None:
        return pack(LINE_BLOCK[:-2], values)
    words = pack(LINE_BLOCK, values | {"batch": mailbox.batch, "count": len(mailbox.results)})
    for result in mailbox.results:
        outcome = OUTCOMES.index(result.outcome)
        words += pack(RESULT_ENTRY, {"slot": result.slot, "outcome": outcome, "reason": result.reason_code})
    return words


def read_line(words: Sequence[int]) -> tuple[LineStatus, Mailbox]:
    """The line's block as the PLC finds it; RegisterError where a count or code is none."""
    values = unpack(LINE_BLOCK, words)
    count, bits = values["count"], values["status"]
    if count > RESULTS_MOST:
        raise RegisterError(f"count is {count}; a batch has at most {RESULTS_MOST}")
    results = []
    for n in range(count):
        entry = unpack(RESULT_ENTRY, words[LINE_WORDS + n * RESULT_WORDS :])
        outcome = _coded(OUTCOMES, entry["outcome"], "outcome")
        if outcome is None:
            raise RegisterError(f"outcome of slot {entry['slot']} is 0; it must be 1, 2 or 3")
        results.append(Result(slot=entry["slot"], outcome=outcome, reason_code=entry["reason"]))
    status = LineStatus(
        heartbeat=values["heartbeat"],
        ready=bool(bits & LINE_READY),
        busy=bool(bits & LINE_BUSY),
        hold=bool(bits & LINE_HOLD),
        fault=bool(bits & LINE_FAULT),
        hold_code=values["hold_code"],
        last_slot=values["last_slot"],
    )
    return status, Mailbox(batch=values["batch"], results=tuple(results))


def _coded(codes: Sequence[_T], code: int, name: str) -> _T:
    if code >= len(codes):
        raise RegisterError(f"{name} is {code}; there are codes 0 to {len(codes) - 1}")
    return codes[code]
