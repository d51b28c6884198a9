"""The stores against the journal: each up to its own cursor; when nothing runs, SQL and images must be at the end."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.station import Station
from monitor.labels import Label
from monitor.messages import Outcome
from monitor.rows import Kind
from storage.audit import AuditStore, open_audit
from storage.evidence import Evidence, Verdict
from storage.faults import Fault, Finding
from storage.images import ImageStore
from storage.keeping import Tombstone, tombstones
from storage.live import PATIENT_S, LiveStore, Snapshot
from storage.projection import Cursor, StoreForeign, StoreLost, before_break, stands_in
from storage.questions import Kept
from storage.reader import JournalReader

LAST_ENTRIES = 1000  # of the stream
BY_COMMAND = frozenset({Kind.PERSON, Kind.PURGE})


@dataclass
class StoreCase:
    """The stores, their cursors as they were before the journal was read, and the journal."""

    reader: JournalReader
    audit: AuditStore | None
    images: ImageStore
    live: Snapshot | None
    cursors: dict[str, Cursor | None]
    faults: list[Finding]
    checked: dict[str, int | str]
    evidence: Evidence = field(default_factory=Evidence)
    running: bool = False


@contextmanager
def open_stores(station: Station, folder: Path, reader: JournalReader, live_url: str | None) -> Iterator[StoreCase]:
    """Opens what there is, and notes how far each store had read."""
    images = ImageStore(folder)
    case = StoreCase(
        reader=reader, audit=None, images=images, live=None, cursors={"images": images.cursor()}, faults=[], checked={}
    )
    try:
        case.audit = open_audit(folder, station.name)
        case.cursors["audit"] = case.audit.cursor() if case.audit else None
    except (StoreLost, StoreForeign) as error:
        case.faults.append(_finding(Fault.STORE_LOST, "audit", None, str(error), "an answer"))
    if live_url is None:
        case.checked["live"] = "not running"
    else:
        limits = station.live
        live = LiveStore(
            live_url, station.name, limits, row=lambda _: None, picture=lambda _: None, timeout_s=PATIENT_S
        )
        try:
            case.live = live.snapshot(LAST_ENTRIES)
            case.checked["live"] = len(case.live.entries)
        except StoreLost as error:
            case.checked["live"] = f"away: {error}"
        finally:
            live.close()
    try:
        yield case
    finally:
        if case.audit is not None:
            case.audit.close()


def check_audit(case: StoreCase) -> Iterator[Finding]:
    """Every verdict and gate in SQL is the journal's, as it stood at the store's cursor."""
    yield from case.faults
    if case.faults:
        return
    cursor = case.cursors["audit"]
    yield from _cursor_faults(case, "audit", cursor)
    if case.audit is None or cursor is None or not stands_in(cursor, case.reader):
        return
    seen: set[int] = set()
    after = 0
    while page := case.audit.kept(after):
        after = page[-1].seq
        for kept in page:
            if kept.seq <= cursor.seq:
                seen.add(kept.seq)
                yield from _differences(kept, case.evidence.verdicts.get(kept.seq), cursor.seq)
                expired = case.evidence.keeping.expired_of(kept.seq, cursor.seq)
                if kept.expired < expired or (kept.expired > expired and not case.running):  # else it has come since
                    found = f"row {kept.seq}: {kept.expired} pictures expired"
                    yield _finding(Fault.ROW_DIFFERS, "audit", kept.frame, found, f"{expired}")
    for verdict in case.evidence.verdicts.values():
        if verdict.seq <= cursor.seq and verdict.seq not in seen:
            yield _finding(Fault.ROW_MISSING, "audit", verdict.frame, "nothing", f"row {verdict.seq}")
    yield from _gate_faults(case, case.audit, cursor)
    yield from _label_faults(case, case.audit, cursor)
    case.checked["audit"] = len(seen)


def check_images(case: StoreCase) -> Iterator[Finding]:
    """Every picture that a row names lies in the store whole, or in the journal still; what has expired is gone."""
    cursor = case.cursors["images"]
    yield from _cursor_faults(case, "images", cursor)
    keeping = case.evidence.keeping
    newly: dict[str, Tombstone] | None = None  # what has expired while we looked
    for sha256, namings in keeping.named.items():
        png = case.images.get(sha256)
        if png is None:
            if case.reader.attachment(sha256) is None and case.images.get(sha256) is None:  # moved while we looked
                newly = tombstones(case.reader, case.evidence.head.seq) if newly is None else newly
                if sha256 not in newly:
                    said = f"{sha256}, named by row {namings[0].seq}, and purged by none"
                    yield _finding(Fault.IMAGE_MISSING, "images", namings[0].frame, "nothing", said)
        elif (found := hashlib.sha256(png).hexdigest()) != sha256:
            yield _finding(Fault.IMAGE_CORRUPT, "images", namings[0].frame, found, sha256)
    for sha256, tombstone in keeping.expired.items():
        if cursor is None or case.running:  # a part that came since may show the same again
            break
        if tombstone.seq <= cursor.seq and case.images.path(sha256).exists():
            expected = f"nothing: it was purged by row {tombstone.seq}"
            yield _finding(Fault.IMAGE_UNPURGED, "images", None, sha256, expected)
    counts = {"expired": len(keeping.expired), "holds": len(keeping.holds)}
    case.checked |= {"images": len(keeping.named)} | {name: number for name, number in counts.items() if number}


def check_live(case: StoreCase) -> Iterator[Finding]:
    """The newest entries and the totals in Redis are the journal's, as it stood at the cursor."""
    live = case.live
    if live is None or live.cursor is None:
        return
    if not stands_in(live.cursor, case.reader):
        yield _foreign("live", live.cursor)
        return
    for seq, entry in live.entries:
        row = next(iter(case.reader.rows(seq - 1, 1)), None)
        if row is None or row.seq != seq:
            yield _finding(Fault.ROW_UNKNOWN, "live", entry.frame, f"entry {seq}-0", "no such row")
        elif (entry.frame, entry.outcome, entry.reason) != (row.frame, str(row.outcome or ""), str(row.reason or "")):
            found = f"{entry.frame} {entry.outcome} {entry.reason}"
            yield _finding(Fault.ROW_DIFFERS, "live", row.frame, found, f"{row.frame} {row.outcome} {row.reason or ''}")
    expected = _totals(case.evidence, live.cursor.seq)
    for key in sorted(expected.keys() | live.counters.keys()):
        if live.counters.get(key, 0) != expected.get(key, 0):
            found = f"{key}: {live.counters.get(key, 0)}"
            yield _finding(Fault.COUNT_DIFFERS, "live", None, found, f"{expected.get(key, 0)} at row {live.cursor.seq}")


def _cursor_faults(case: StoreCase, store: str, cursor: Cursor | None) -> Iterator[Finding]:
    head = case.evidence.head.seq
    at = 0 if cursor is None else cursor.seq
    if cursor is not None and not stands_in(cursor, case.reader):
        if before_break(cursor, case.reader):  # the next start of the line sees to it
            yield _finding(Fault.STORE_BEHIND, store, None, f"row {at}, which was set aside since", f"row {head}")
        else:
            yield _foreign(store, cursor)
    elif at < head and not case.running and any(line.kind not in BY_COMMAND for line in case.reader.all_lines(at)):
        # what commands wrote while the line stood, the stores get at its next start
        yield _finding(Fault.STORE_BEHIND, store, None, f"row {at}", f"row {head}, as nothing runs")


def _differences(kept: Kept, verdict: Verdict | None, cursor: int) -> Iterator[Finding]:
    if verdict is None:
        yield _finding(Fault.ROW_UNKNOWN, "audit", kept.frame, f"row {kept.seq}", "no such verdict")
        return
    # a correction behind the cursor we read may have come since: then the row is held against that one
    corrected_by, effective = verdict.ending_at(max(cursor, kept.corrected_by or 0))
    expected = (verdict.frame, verdict.slot, verdict.original, effective, corrected_by, verdict.defects, verdict.crops)
    found = (kept.frame, kept.slot, kept.original, kept.effective, kept.corrected_by, kept.defects, kept.crops)
    if found != expected:
        yield _finding(Fault.ROW_DIFFERS, "audit", verdict.frame, str(found), str(expected))


def _gate_faults(case: StoreCase, audit: AuditStore, cursor: Cursor) -> Iterator[Finding]:
    kept: dict[int, tuple[int, str]] = {}
    after = 0
    while page := audit.gates(after):
        after = page[-1][0]
        kept |= {seq: (slot, gate) for seq, slot, gate in page if seq <= cursor.seq}
    gates = {seq: gate for seq, gate in case.evidence.gates.items() if seq <= cursor.seq}
    for seq in sorted(kept.keys() | gates.keys()):
        if kept.get(seq) != gates.get(seq):
            fault = (
                Fault.ROW_DIFFERS
                if seq in kept and seq in gates
                else (Fault.ROW_MISSING if seq in gates else Fault.ROW_UNKNOWN)
            )
            yield _finding(fault, "audit", None, f"gate of row {seq}: {kept.get(seq)}", str(gates.get(seq)))


def _label_faults(case: StoreCase, audit: AuditStore, cursor: Cursor) -> Iterator[Finding]:
    """Every label in SQL is the journal's, once."""
    here: dict[int, tuple[str | None, Label]] = {}
    after = 0
    while page := audit.labels.behind(after):
        after = page[-1].seq
        here |= {said.seq: (said.frame, said.label) for said in page if said.seq <= cursor.seq}
    stated = {seq: (frame, label) for seq, frame, label in case.evidence.labels.values() if seq <= cursor.seq}
    for seq in sorted(here.keys() | stated.keys()):
        if here.get(seq) != stated.get(seq):
            missing, unknown = seq not in here, seq not in stated
            fault = Fault.ROW_MISSING if missing else Fault.ROW_UNKNOWN if unknown else Fault.ROW_DIFFERS
            frame = stated.get(seq, here.get(seq, (None, None)))[0]
            yield _finding(fault, "audit", frame, f"label of row {seq}: {_said(here, seq)}", _said(stated, seq))
    if here:
        case.checked["labels"] = len(here)


def _said(labels: dict[int, tuple[str | None, Label]], seq: int) -> str:
    if seq not in labels:
        return "none"
    label = labels[seq][1]
    return f"{label.state} by {label.reviewer}: {label.label!r}"


def _totals(evidence: Evidence, seq: int) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for verdict in evidence.verdicts.values():
        if verdict.seq > seq:
            continue
        totals["triggers"] += 1
        outcome, reason = verdict.ending_at(seq)[1]
        match outcome:
            case Outcome.PASS:
                totals["passed"] += 1
            case Outcome.REJECT:
                totals["rejected"] += 1
            case _:
                totals.update(["not_inspected", f"not_inspected:{reason}"])
    return dict(totals)


def _foreign(store: str, cursor: Cursor) -> Finding:
    found = f"row {cursor.seq} with hash {cursor.hash.hex()}"
    return _finding(Fault.STORE_FOREIGN, store, None, found, "a row of this journal")


def _finding(fault: Fault, store: str, frame: str | None, found: str, expected: str) -> Finding:
    return Finding(fault=fault, store=store, frame=frame, found=found, expected=expected)
