"""Everything that the journal says of one part, and the chain from there to the head, read in one go."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from monitor.rows import Body, Row, RunBody, VerdictBody, read_body
from storage.chain import GENESIS, Line, faults, hash_of
from storage.images import ImageStore
from storage.journal_errors import JournalError
from storage.projection import Cursor
from storage.reader import JournalReader, parse_line

BEGINNING = Cursor(0, GENESIS)
LINKS_MOST = 1000  # hashes that are kept of rows which are not of the part
PROOF_ROWS = 1_000_000  # further the chain is not followed: ten seconds


@dataclass
class PartRows:
    """A part in the journal, up to a row."""

    rows: list[tuple[Row, Body]] = field(default_factory=list)  # of the part
    lines: list[tuple[bytes, Line]] = field(default_factory=list)  # the same as they lie there, with the hash before
    links: list[tuple[int, bytes]] = field(default_factory=list)  # seq and hash of rows between, the first of them
    runs: dict[str, RunBody] = field(default_factory=dict)
    before: Cursor = BEGINNING  # the row before the first of the part
    end: Cursor = BEGINNING  # the last row that was looked at
    looked_at: int = 0  # rows; numbers jump where some were set aside
    fault: str = ""  # where the chain does not hold

    @property
    def verdicts(self) -> list[tuple[Row, VerdictBody]]:
        return [(row, body) for row, body in self.rows if isinstance(body, VerdictBody)]


def read_part(reader: JournalReader, slot: int, *, first: int, head: Cursor) -> PartRows:
    """The rows of this slot from its first on, up to the head; each hash on the way is worked out again."""
    found = PartRows()
    if first > 1:
        line = next(iter(reader.lines(first - 2, 1)), None)
        found.before = found.end = Cursor(first - 1, hash_of(line) if line and line.seq == first - 1 else b"")
    try:
        broken = next(
            faults(_taken(reader, found, slot, head.seq), after=found.before.seq, previous=found.before.hash), None
        )
        if broken is not None:
            found.fault = f"{broken.fault} at row {broken.seq}: {broken.found}, not {broken.expected}"
        elif found.end != head and (found.end.seq == head.seq or found.looked_at < PROOF_ROWS):
            found.fault = (
                f"the journal ends with row {found.end.seq}, and the audit store has taken in row {head.seq} of another"
            )
    except JournalError as error:
        found.fault = str(error)
    runs = {body.run for _, body in found.verdicts}
    found.runs = {body.run: body for _, body in reader.runs() if body.run in runs}
    return found


def picture(folder: Path, reader: JournalReader, sha256: str) -> bytes | None:
    """From the image store, or from the journal while that has it; None: it has expired, or was never kept."""
    return ImageStore(folder).get(sha256) or reader.attachment(sha256)


def _taken(reader: JournalReader, found: PartRows, slot: int, last: int) -> Iterator[Line]:
    """Each line up to `last`, as far as the chain is followed, noted on its way there."""
    for line in reader.all_lines(found.before.seq):
        if line.seq > last or found.looked_at == PROOF_ROWS:
            return
        if line.slot == slot:
            row = parse_line(line)
            found.rows.append((row, read_body(row)))
            found.lines.append((found.end.hash, line))
        elif len(found.links) < LINKS_MOST:
            found.links.append((line.seq, hash_of(line)))
        found.end = Cursor(line.seq, hash_of(line))
        found.looked_at += 1
        yield line
