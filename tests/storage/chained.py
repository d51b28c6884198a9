"""Rows as a journal would hand them out, without one."""

import hashlib

import msgspec

from monitor.rows import Entry, Row


def chained(entries: list[Entry], *, after: int = 0) -> list[Row]:
    """Numbered from behind `after`, each with a hash of its own."""
    return [
        Row(
            seq=seq,
            kind=entry.kind,
            frame=entry.frame,
            slot=entry.slot,
            outcome=entry.outcome,
            reason=entry.reason,
            body=msgspec.json.encode(entry.body),
            hash=hashlib.sha256(str(seq).encode()).digest(),
        )
        for seq, entry in enumerate(entries, start=after + 1)
    ]
