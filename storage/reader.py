"""Reads a journal while it is written: pages of at most 1,000 rows, each a short read of its own.

Archived files are read like the others (journal_files.py); what a start of the line asks, it finds without unpacking.
An open read transaction would keep the writer's log from being truncated, so none outlives its page.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from monitor.messages import Outcome, Reason
from monitor.rows import AlarmBody, Kind, PersonBody, Row, RunBody, read_body
from storage.chain import GENESIS, Line, hash_of
from storage.journal import COLUMNS
from storage.journal_errors import JournalError
from storage.journal_files import JournalFiles, Segment

PAGE_ROWS = 1000
RECENT_ROWS = 50_000  # further back nothing is open: a verdict comes within the way to the gate or `answer_ms`


class JournalReader:
    """Read-only, over all files of the journal in a state folder; empty where there is none yet."""

    def __init__(self, folder: Path) -> None:
        self._station, self._files = folder.name, JournalFiles(folder / "journal")

    def lines(self, after: int, limit: int = PAGE_ROWS) -> list[Line]:
        """Up to `limit` rows behind `after`, as they lie there."""
        found: list[Line] = []
        for segment in self._files_behind(after):
            found += self._ask(
                segment,
                f"SELECT {COLUMNS} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - a constant
                (found[-1].seq if found else after, min(limit, PAGE_ROWS) - len(found)),
            )
            if len(found) >= min(limit, PAGE_ROWS):
                break
        return found

    def rows(self, after: int, limit: int = PAGE_ROWS) -> list[Row]:
        """Up to `limit` rows behind `after`; fewer only at the end."""
        return [parse_line(line) for line in self.lines(after, limit)]

    def all_lines(self, after: int = 0) -> Iterator[Line]:
        """Every row behind `after`, page by page, as they lie there."""
        while page := self.lines(after):
            yield from page
            after = page[-1].seq

    def last_seq(self) -> int:
        return self.head()[0]

    def head(self) -> tuple[int, bytes]:
        """The last row's seq and hash; 0 and the chain's beginning where there is none."""
        for segment in reversed(self._files.all()):
            if found := self._ask(segment, f"SELECT {COLUMNS} FROM journal ORDER BY seq DESC LIMIT 1"):  # noqa: S608
                return found[0].seq, hash_of(found[0])
        return 0, GENESIS

    def attachment(self, sha256: str) -> bytes | None:
        """A picture that lies in the journal still; None once the image store has it."""
        for segment in reversed(self._files.all()):
            if segment.plain is None:
                continue  # nothing is archived that has pictures left
            for (png,) in self._files.ask(segment, "SELECT png FROM attachment WHERE sha256 = ?", (sha256,)):
                return bytes(png)
        return None

    def verdict(self, frame: str) -> Row | None:
        """The verdict of this frame."""
        select = f"SELECT {COLUMNS} FROM journal WHERE kind = 'verdict' AND frame = ?"  # noqa: S608 - a constant
        for segment in reversed(self._files.all()):
            for line in self._ask(segment, select, (frame,)) if self._files.may_have(segment, frame) else ():
                return parse_line(line)
        return None

    def shown_from(self, upto: int, number: int) -> int:
        """The row from which on, up to a row, so many verdicts and corrections lie; 1 where there are fewer."""
        chosen = "FROM journal WHERE seq <= ? AND kind IN ('verdict', 'correction')"
        for segment in reversed(self._files.all()):
            select = f"SELECT seq {chosen} ORDER BY seq DESC LIMIT 1 OFFSET ?"
            if found := self._files.ask(segment, select, (upto, number - 1)):
                return int(found[0][0])
            number -= self._files.ask(segment, f"SELECT count(*) {chosen}", (upto,))[0][0]
        return 1

    def runs(self) -> list[tuple[Row, RunBody]]:
        """Every start of the line, oldest first."""
        rows = self._facts("kind = 'run'")
        return [(row, body) for row in rows if isinstance(body := read_body(row), RunBody)]

    def alarms_and_people(self) -> list[tuple[Row, AlarmBody | PersonBody]]:
        """What called a person, and what people did but label, oldest first."""
        rows = self._facts(
            "kind IN ('alarm', 'person') AND slot IS NULL"
        )  # a start of the line must not wait for years of labels
        return [(row, body) for row in rows if isinstance(body := read_body(row), AlarmBody | PersonBody)]

    def labels(self) -> list[tuple[Row, PersonBody]]:
        """What people said of frames and parts, oldest first; each body has its label."""
        rows = self._facts("kind IN ('alarm', 'person') AND slot IS NOT NULL")
        return [(row, body) for row in rows if isinstance(body := read_body(row), PersonBody) and body.label]

    def last_slots(self, cameras: Sequence[str] = ()) -> dict[str, int]:
        """The highest slot with a verdict: of each camera seen lately, and of `cameras` however long ago."""
        last: dict[str, int] = {}
        for _, kind, frame, slot, _ in self._recent():
            if kind == Kind.VERDICT and frame and slot is not None:
                last[camera_of(frame)] = max(slot, last.get(camera_of(frame), slot))
        for camera in set(cameras) - set(last):
            if (slot := self._last_slot(camera)) is not None:
                last[camera] = slot
        return last

    def missing_slots(self) -> dict[str, list[int]]:
        """Slots without a verdict below each camera's highest: they were open when decision died."""
        recent = self._recent()
        known: dict[str, set[int]] = defaultdict(set)
        floor: dict[str, int] = {}
        for index, (_, kind, frame, slot, _) in enumerate(recent):
            if kind == Kind.VERDICT and frame and slot is not None:
                known[camera_of(frame)].add(slot)
                if index < RECENT_ROWS // 2:  # a slot near the edge of what is read may have its verdict before it
                    floor[camera_of(frame)] = max(slot, floor.get(camera_of(frame), slot))
        if len(recent) < RECENT_ROWS:  # that is all there is: count from the first slot of the first run
            first = self.runs()[0][1].first_slots if self.runs() else {}
            floor = {camera: first.get(camera, min(slots)) for camera, slots in known.items()}
        return {
            camera: [slot for slot in range(floor.get(camera, min(slots)), max(slots)) if slot not in slots]
            for camera, slots in known.items()
        }

    def open_parts(self) -> dict[int, list[tuple[Row, Outcome]]]:
        """Verdicts, and the outcomes in force, of parts of which no `actuated` row tells; by slot."""
        recent = self._recent()
        settled = {slot for _, kind, _, slot, _ in recent if kind == Kind.ACTUATED}
        parts: dict[int, dict[str, tuple[int, str]]] = defaultdict(dict)  # slot → frame → seq of the verdict, outcome
        for seq, kind, frame, slot, outcome in recent:
            if slot is None or frame is None or slot in settled:
                continue
            if kind == Kind.VERDICT:
                parts[slot][frame] = seq, outcome or ""
            elif kind == Kind.CORRECTION and frame in parts[slot]:
                parts[slot][frame] = parts[slot][frame][0], outcome or ""
        return {
            slot: [(row, Outcome(outcome)) for seq, outcome in verdicts.values() for row in self.rows(seq - 1, 1)]
            for slot, verdicts in sorted(parts.items())
        }

    def close(self) -> None:
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _facts(self, condition: str) -> list[Row]:
        """Rows of kinds run, alarm or person, as an index of each file has them."""
        select = f"SELECT {COLUMNS} FROM journal WHERE {condition} ORDER BY seq"  # noqa: S608 - constants
        found = (self._files.ask_facts(segment, select) for segment in self._files.all())
        return [parse_line(Line(*cells)) for page in found for cells in page]

    def _files_behind(self, after: int) -> list[Segment]:
        """The files that hold rows behind `after`."""
        files = self._files.all()
        keep = 0
        for index, segment in enumerate(files[1:], start=1):
            first = self._files.first(segment)
            if first is None:
                break
            if first <= after + 1:
                keep = index
        return files[keep:]

    def _recent(self) -> list[tuple[int, str, str | None, int | None, str | None]]:
        """(seq, kind, frame, slot, outcome) of the last rows, oldest first."""
        found: list[tuple[int, str, str | None, int | None, str | None]] = []
        select = "SELECT seq, kind, frame, slot, outcome FROM journal WHERE seq < ? ORDER BY seq DESC LIMIT ?"
        before = 2**62
        for segment in reversed(self._files.all()):
            while len(found) < RECENT_ROWS and (page := self._files.ask(segment, select, (before, PAGE_ROWS))):
                found += page
                before = page[-1][0]
        return found[::-1]

    def _last_slot(self, camera: str) -> int | None:
        prefix = f"{self._station}/{camera}/"
        select = "SELECT max(slot) FROM journal WHERE kind = 'verdict' AND frame >= ? AND frame < ?"
        for segment in reversed(self._files.all()):
            if (ranges := self._files.slots(segment)) is not None:
                slot = ranges.get(camera, (None, None))[1]
            else:
                slot = self._files.ask(segment, select, (prefix, prefix[:-1] + "0"))[0][0]  # "0" follows "/"
            if slot is not None:
                return int(slot)
        return None

    def _ask(self, segment: Segment, select: str, arguments: tuple[object, ...] = ()) -> list[Line]:
        return [Line(*cells) for cells in self._files.ask(segment, select, arguments)]


def parse_line(line: Line) -> Row:
    """The row, its words checked."""
    if not isinstance(line.body, str):
        raise JournalError(f"row {line.seq}: its body is no text but {type(line.body).__name__}")
    frame: object = line.frame
    slot: object = line.slot
    if not isinstance(frame, str | None) or not isinstance(slot, int | None):
        raise JournalError(f"row {line.seq}: frame {frame!r} and slot {slot!r} are not text and number")
    try:
        (line.frame or "").encode()  # an edit may have left no UTF-8
        return Row(
            seq=line.seq,
            kind=Kind(line.kind),
            frame=line.frame,
            slot=line.slot,
            outcome=None if line.outcome is None else Outcome(line.outcome),
            reason=None if line.reason is None else Reason(line.reason),
            body=line.body.encode(),
            hash=hash_of(line),
        )
    except ValueError as error:
        raise JournalError(f"row {line.seq}: {error}") from error


def camera_of(frame: str) -> str:
    """The camera in `rail-03/head/7/000123`."""
    return frame.split("/")[1]
