"""What `linectl verify` says of a damaged part that was set aside: that rows are lost, and whether it is still there.

An honest break is told apart from a cut by this: the damaged files lie where the journal says, and whatever of them can
be read is what was signed.
"""

from collections.abc import Iterator
from pathlib import Path

from monitor.rows import SetAside
from storage.chain import Line, hash_of
from storage.damage import SELECT, opened
from storage.faults import Fault, Finding
from storage.journal import journal_files
from storage.journal_errors import JournalError
from storage.proof.check import Place
from storage.proof.checkpoints import Checkpoint


def check_aside(folder: Path, breaks: list[tuple[int, SetAside]], places: list[Place]) -> Iterator[Finding]:
    """Every break of the journal in this state folder, by the row that says so."""
    for seq, said in breaks:
        signed = {
            (each.size, each.head): each
            for place in places
            for each in place.checkpoints
            if said.last_seq < each.size < seq
        }
        lost = max((size for size, _ in signed), default=0)
        found = f"row {seq} follows row {said.last_seq}" + (f"; rows to {lost} were signed" if lost else "")
        expected = f"one chain; what can still be read lies in {said.folder}"
        yield _finding(Fault.JOURNAL_SET_ASIDE, "journal", found, expected)
        files = journal_files(folder / said.folder)
        if signed and not files:
            yield _finding(Fault.SET_ASIDE_MISSING, "aside", f"no file in {said.folder}", "the damaged files, whole")
        yield from _of_signed(files, list(signed.values()))


def _of_signed(files: list[Path], signed: list[Checkpoint]) -> Iterator[Finding]:
    for checkpoint in signed:
        line = _read(files, checkpoint.size)
        if line is not None and hash_of(line).hex() != checkpoint.head:
            found = f"{files[0].parent.name}: another hash at row {checkpoint.size}"
            expected = f"{checkpoint.head}, signed as checkpoint {checkpoint.number}"
            yield _finding(Fault.HISTORY_REWRITTEN, "aside", found, expected)


def _read(files: list[Path], seq: int) -> Line | None:
    """A row of the damaged files; None where it cannot be read."""
    for path in files:
        try:
            with opened(path) as connection:
                for cells in connection.execute(f"{SELECT} WHERE seq = ?", (seq,)):
                    return Line(*cells)
        except JournalError:
            continue
    return None


def _finding(fault: Fault, store: str, found: str, expected: str) -> Finding:
    return Finding(fault=fault, store=store, frame=None, found=found, expected=expected)
