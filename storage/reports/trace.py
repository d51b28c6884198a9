"""Traceability of one part: every frame, crop, verdict, correction, word of the gate and label, what each rests on, and
the proof that nobody has changed it since.

The proof is the chain of the journal: the hash of a row is SHA-256(hash before ‖ canonical row), so a change of any row
changes the head. Each hash from the part's first row to the head is worked out again when the page is made.
"""

from collections.abc import Iterator, Sequence

import msgspec

from monitor.messages import Outcome
from monitor.rows import ActuatedBody, CorrectionBody, PersonBody, VerdictBody
from monitor.rules.disk import Level
from storage.label_questions import Seen
from storage.reader import JournalReader
from storage.report_questions import Period
from storage.reports.asked import Asked
from storage.reports.evidence import Named, photos
from storage.reports.page import Cell, Column, Fact, Gap, Page, Part, Table, Text
from storage.reports.part_rows import PROOF_ROWS, PartRows, read_part
from storage.reports.sealed import seal_fact, seal_of, seal_parts

TITLE = "Traceability of a part"
PHOTOS_MOST = 60
PROOF = (
    "The hash of a row is SHA-256 over the hash of the row before and the row as a JSON list of seq, kind, frame, "
    "slot, outcome, reason and body, as UTF-8 without spaces. JSON of this page has each row of the part so, with the "
    "hash before: whoever keeps the head of the chain elsewhere can hold the journal against it (linectl verify)."
)


def trace(asked: Asked) -> Page:
    """Of the part that `--part` names, by its slot or by one of its frames."""
    named = asked.options.part or ""
    seen = _frames(asked, named)
    if not seen or asked.snapshot.head is None:
        return _missing(asked, named)
    slot = seen[0].slot
    with JournalReader(asked.folder) as reader:
        found = read_part(reader, slot, first=seen[0].seq, head=asked.snapshot.head)
        photos = list(_photos(asked, reader, found))
        seal = seal_of(asked, reader, found)
    captured = [body.captured_at for _, body in found.verdicts] or [seen[0].captured_at]
    return asked.page(
        "trace",
        f"{TITLE}: slot {slot}",
        Period(min(captured), max(captured) + 1),
        facts=[*_facts(slot, seen, found), seal_fact(seal)],
        parts=[*_tables(asked, found), *photos, *_proof(found), *seal_parts(seal)],
        rows=[*_rows(found)],
        row_count=len(seen),
        query={"part": named},
    )


def _frames(asked: Asked, named: str) -> list[Seen]:
    """Every frame of the part, in the order of the journal."""
    labels = asked.snapshot.labels
    if named.isascii() and named.isdecimal() and len(named) <= 16:
        return labels.look_up([], [int(named)])
    return labels.look_up([], {each.slot for each in labels.look_up([named], [])})


def _missing(asked: Asked, named: str) -> Page:
    head = asked.snapshot.head
    gap = Gap(
        title="No such part",
        missing=f"{named!r} is no slot and no frame with a verdict up to row {0 if head is None else head.seq}."
        if named
        else "No part was named.",
        remedy=f"Give --part SLOT or --part FRAME; linectl history --station {asked.station.name} lists what there is.",
    )
    return asked.page("trace", TITLE, Period(0, 0), parts=[gap], row_count=0, query={"part": named})


def _facts(slot: int, seen: Sequence[Seen], found: PartRows) -> list[Fact]:
    gates = [body for _, body in found.rows if isinstance(body, ActuatedBody)]
    outcomes = {each.outcome for each in seen}
    worst = next(str(each) for each in (Outcome.REJECT, Outcome.NOT_INSPECTED, Outcome.PASS) if each in outcomes)
    return [
        Fact(key="slot", title="Part", value=slot, digits=0),
        Fact(key="outcome", title="Outcome in force", value=worst, note="the worst of its frames"),
        Fact(key="frames", title="Frames", value=len(seen)),
        Fact(
            key="gate",
            title="At the gate",
            value=str(gates[-1].gate) if gates else None,
            note="" if gates else "the gate has not said what it did",
        ),
        Fact(key="labels", title="Labels", value=sum(isinstance(body, PersonBody) for _, body in found.rows)),
        Fact(
            key="chain_holds",
            title="Chain holds",
            value=not found.fault,
            note=found.fault or f"rows {found.before.seq + 1} to {found.end.seq}, each hash worked out again",
        ),
    ]


def _tables(asked: Asked, found: PartRows) -> Iterator[Part]:
    yield _turned("Verdicts", [*_verdicts(asked, found)], note="As they were said; corrections stand below.")
    yield _turned("What they rest on", [*_provenance(found)])
    yield _table(
        "Regions", [*_regions(found)], note="In px of the frame; a region that is ignored lies in a masked zone."
    )
    yield _table("Corrections", [*_corrections(asked, found)])
    yield _table("Commands to the gate, and what it did", [*_gates(asked, found)])
    yield _table("Labels", [*_labels(asked, found)])


def _table(title: str, rows: list[dict[str, Cell]], *, note: str = "") -> Part:
    """The keys of the rows say what they are, with their units."""
    if not rows:
        return Text(title=title, text="None.")
    columns = tuple(Column(key=key, title=key.replace("_", " ")) for key in rows[0])
    return Table(title=title, columns=columns, rows=tuple(rows), note=note)


def _turned(title: str, rows: list[dict[str, Cell]], *, note: str = "") -> Part:
    """A fact a line, and a column for each frame: there are more facts than a sheet is wide."""
    if not rows:
        return Text(title=title, text="None.")
    frames = [f"frame_{number}" for number, _ in enumerate(rows, start=1)]
    return Table(
        title=title,
        columns=(Column(key="fact", title="Fact"), *(Column(key=f, title=f.replace("_", " ")) for f in frames)),
        rows=tuple(
            {"fact": key.replace("_", " "), **{f: row[key] for f, row in zip(frames, rows, strict=True)}}
            for key in rows[0]
        ),
        note=note,
    )


def _grouped(sha256: str | None) -> str | None:
    """In groups, so that it wraps; JSON has it whole."""
    return None if sha256 is None else " ".join(sha256[at : at + 16] for at in range(0, len(sha256), 16))


def _verdicts(asked: Asked, found: PartRows) -> Iterator[dict[str, Cell]]:
    for row, body in found.verdicts:
        yield {
            "row": row.seq,
            "frame": row.frame,
            "outcome": str(row.outcome),
            "reason": None if row.reason is None else str(row.reason),
            "captured": asked.clock(body.captured_at),
            "decided": asked.clock(body.decided_at),
            "score": body.score,
            "severity": body.severity,
            "grey": body.grey,
            "area_mm2": body.area_mm2,
            "zone": body.zone,
            "latency_ms": body.latency_ms,
            "worker": body.worker,
            "attempt": body.attempt,
            "source": body.source,
            "disk": Level(body.disk_level).said,  # which pictures there was room for
        }


def _provenance(found: PartRows) -> Iterator[dict[str, Cell]]:
    for row, body in found.verdicts:
        run = found.runs.get(body.run)
        yield {
            "frame": row.frame,
            "run": body.run,
            "software": body.software,
            "model": run.model_name if run else None,
            "model_sha256": _grouped(body.model_sha256),
            "engine": run.engine if run else None,
            "config_sha256": _grouped(body.config_sha256),
            "policy": ", ".join(f"{key} {limit:g}" for key, limit in body.policy.items() if limit is not None),
            "calibration_sha256": _grouped(run.calibrations.get(body.camera)) if run else None,
            "baseline_sha256": _grouped(run.baselines.get(body.camera)) if run else None,
        }


def _regions(found: PartRows) -> Iterator[dict[str, Cell]]:
    for row, body in found.verdicts:
        for number, region in enumerate(body.regions, start=1):
            yield {
                "frame": row.frame,
                "region": number,
                "x_px": region.x,
                "y_px": region.y,
                "width_px": region.width,
                "height_px": region.height,
                "area_px": region.area_px,
                "area_mm2": region.area_mm2,
                "score": region.score,
                "zone": region.zone,
                "ignored": region.ignored,
            }


def _corrections(asked: Asked, found: PartRows) -> Iterator[dict[str, Cell]]:
    for row, body in found.rows:
        if isinstance(body, CorrectionBody):
            yield {
                "row": row.seq,
                "frame": row.frame,
                "corrects_row": body.corrects,
                "outcome": str(row.outcome),
                "reason": None if row.reason is None else str(row.reason),
                "decided": asked.clock(body.decided_at),
            }


def _gates(asked: Asked, found: PartRows) -> Iterator[dict[str, Cell]]:
    for row, body in found.rows:
        if isinstance(body, ActuatedBody):
            yield {
                "row": row.seq,
                "commanded": None if body.commanded is None else str(body.commanded),
                "gate": str(body.gate),
                "seen_behind": body.seen,
                "at_count": body.at_count,
                "late_ms": body.late_ms,
                "at": asked.clock(body.at),
            }


def _labels(asked: Asked, found: PartRows) -> Iterator[dict[str, Cell]]:
    for row, body in found.rows:
        if isinstance(body, PersonBody) and body.label:
            yield {
                "row": row.seq,
                "frame": row.frame,
                "region": body.label.region,
                "state": str(body.label.state),
                "reviewer": body.label.reviewer,
                "label": body.label.label,
                "size_mm": body.label.size_mm,
                "blind": body.label.blind,
                "brought_by": body.who,
                "why": body.why,
                "at": asked.clock(body.at),
            }


def _photos(asked: Asked, reader: JournalReader, found: PartRows) -> Iterator[Part]:
    """The full frame, and crop and mask of each region, where they are kept."""
    named = [Named(title, row.seq, sha) for row, body in found.verdicts for title, sha in _named(row.frame or "", body)]
    yield from photos(asked, reader, named[:PHOTOS_MOST])
    if len(named) > PHOTOS_MOST:
        yield Text(title="More pictures", text=f"{len(named) - PHOTOS_MOST} more are named by the rows, and not shown.")


def _named(frame: str, body: VerdictBody) -> Iterator[tuple[str, str]]:
    if body.frame_sha256:
        yield f"{frame}, full frame", body.frame_sha256
    for number, region in enumerate(body.regions, start=1):
        for kind, sha256 in (("crop", region.crop_sha256), ("mask", region.mask_sha256)):
            if sha256:
                yield f"{frame}, region {number}, {kind}", sha256


def _proof(found: PartRows) -> Iterator[Part]:
    rows: list[dict[str, Cell]] = [
        {"row": line.seq, "kind": line.kind, "hash_before": _grouped(before.hex()), "hash": _grouped(row.hash.hex())}
        for (before, line), (row, _) in zip(found.lines, found.rows, strict=True)
    ]
    rows.append({"row": found.end.seq, "kind": "head", "hash_before": None, "hash": _grouped(found.end.hash.hex())})
    yield _table("Proof", rows, note=PROOF)
    if found.fault:
        yield Gap(title="The chain does not hold", missing=found.fault, remedy="linectl verify names every fault.")
    if found.looked_at >= PROOF_ROWS:
        yield Gap(
            title="The proof ends before the head",
            missing=f"The chain was followed over {PROOF_ROWS} rows, to row {found.end.seq}; a label may be behind.",
            remedy="linectl verify follows it to its end.",
        )


def _rows(found: PartRows) -> Iterator[dict[str, Cell]]:
    """The rows of the part as they are hashed, then the hashes between and the head."""
    for (before, line), (row, _) in zip(found.lines, found.rows, strict=True):
        yield {
            "seq": line.seq,
            "kind": line.kind,
            "frame": line.frame,
            "slot": line.slot,
            "outcome": line.outcome,
            "reason": line.reason,
            "body": row.body.decode(),
            "canonical": msgspec.json.encode(line[:7]).decode(),
            "hash_before": before.hex(),
            "hash": row.hash.hex(),
        }
    for seq, hashed in found.links:
        yield {"seq": seq, "kind": "link", "hash": hashed.hex()}
    yield {"seq": found.end.seq, "kind": "head", "hash": found.end.hash.hex()}
