"""What a journal row becomes in the live view: an entry of the stream, and a move of the counters; pure."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from monitor.messages import Outcome
from monitor.rows import Body, CorrectionBody, Row, VerdictBody


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the stream, as text; empty where there is nothing to say."""

    kind: str  # verdict, or correction
    frame: str
    slot: str
    outcome: str
    reason: str = ""
    camera: str = ""
    area_mm2: str = ""
    captured_at: str = ""
    latency_ms: str = ""
    crops: str = ""  # SHA-256 of the crops of its regions, separated by commas
    corrects: str = ""  # seq of the verdict that a correction is of


def entries(rows: list[tuple[Row, Body]]) -> Iterator[tuple[Row, dict[str, str]]]:
    """The fields of each row that is shown, without those that are empty."""
    for row, body in rows:
        match body:
            case VerdictBody():
                shown = msgspec.structs.replace(
                    _entry(row),
                    camera=body.camera,
                    area_mm2="" if body.area_mm2 is None else f"{body.area_mm2:.3f}",
                    captured_at=str(body.captured_at),
                    latency_ms="" if body.latency_ms is None else f"{body.latency_ms:.3f}",
                    crops=",".join(region.crop_sha256 for region in body.regions if region.crop_sha256),
                )
            case CorrectionBody():
                shown = msgspec.structs.replace(_entry(row), corrects=str(body.corrects))
            case _:
                continue
        yield row, {key: text for key, text in msgspec.structs.asdict(shown).items() if text}


def totals(rows: list[tuple[Row, Body]], corrected: dict[int, str]) -> Counter[str]:
    """How these rows move the counters; a correction takes back what its verdict counted as."""
    moved: Counter[str] = Counter()
    ended = dict(corrected)
    for row, body in rows:
        match body:
            case VerdictBody():
                moved["triggers"] += 1
                moved.update(keys_of(ending(row)))
            case CorrectionBody():
                moved.subtract(keys_of(ended[body.corrects]))
                moved.update(keys_of(ending(row)))
                ended[body.corrects] = ending(row)
            case _:
                pass
    return Counter({key: number for key, number in moved.items() if number})


def keys_of(ended: str) -> list[str]:
    """The counters that a verdict of this ending counts in."""
    outcome, _, reason = ended.partition(":")
    match outcome:
        case Outcome.PASS:
            return ["passed"]
        case Outcome.REJECT:
            return ["rejected"]
        case Outcome.NOT_INSPECTED:
            return ["not_inspected", f"not_inspected:{reason}"]
        case _:
            return []


def ending(row: Row) -> str:
    """`OUTCOME:reason`."""
    return f"{row.outcome or ''}:{row.reason or ''}"


def _entry(row: Row) -> Entry:
    return Entry(
        kind=str(row.kind),
        frame=row.frame or "",
        slot="" if row.slot is None else str(row.slot),
        outcome=str(row.outcome or ""),
        reason=str(row.reason or ""),
    )
