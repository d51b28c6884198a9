"""What `linectl verify` asks of the archive: every file is there, and is what its manifest says.

That its rows are those that were written, the hash chain and the signed checkpoints say, as of every other file.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from storage.archive import Archived, ArchiveDamaged, archived_files, sha256_of_file
from storage.chain import Line, hash_of
from storage.faults import Fault, Finding
from storage.journal import COLUMNS
from storage.journal_errors import JournalError
from storage.journal_files import JournalFiles, Segment


def check_archive(journal: Path) -> Iterator[Finding]:
    """Names each file that is missing or changed; nothing to say of a journal without an archive."""
    if not archived_files(journal):
        return
    with closing(JournalFiles(journal)) as files:
        segments = files.all()
        here = {segment.number for segment in segments}
        for number in sorted(set(range(1, max(here) + 1)) - here):
            found = f"file {number} is neither here nor archived"
            yield _finding(Fault.ARCHIVE_MISSING, found, f"{number:06d}.json, and what it names")
        for segment in segments:
            if segment.archived is None or segment.plain is not None:
                continue
            wrong = list(_of_file(segment.archived))
            yield from wrong or _of_rows(files, segment)


def _of_file(archived: Archived) -> Iterator[Finding]:
    """Whether what the manifest names is there, byte for byte."""
    try:
        manifest = archived.manifest
    except ArchiveDamaged as error:
        yield _finding(Fault.ARCHIVE_CHANGED, str(error), "a manifest")
        return
    for path, wanted in ((archived.packed, manifest.packed_sha256), (archived.facts, manifest.facts_sha256)):
        try:
            found = sha256_of_file(path)
        except OSError as error:
            yield _finding(Fault.ARCHIVE_MISSING, str(error), f"{path.name}, SHA-256 {wanted}")
            continue
        if found != wanted:
            yield _finding(Fault.ARCHIVE_CHANGED, f"{path.name}: SHA-256 {found}", wanted)


def _of_rows(files: JournalFiles, segment: Segment) -> Iterator[Finding]:
    """Whether rows and facts say the same, and the manifest too: a start of the line goes by these alone."""
    if segment.archived is None:
        return
    name, manifest = f"{segment.number:06d}", segment.archived.manifest
    select = f"SELECT {COLUMNS} FROM journal"  # noqa: S608 - a constant
    facts = "kind IN ('run', 'alarm', 'person')"
    slots = "SELECT min(seq), max(seq) FROM journal"
    try:
        wanted = files.ask(segment, f"{select} WHERE {facts} ORDER BY seq")
        found = files.ask_facts(segment, f"{select} ORDER BY seq")
        first, last = files.ask(segment, slots)[0]
        head = Line(*files.ask(segment, f"{select} WHERE seq = ?", (last,))[0])
    except JournalError as error:
        yield _finding(Fault.ARCHIVE_CHANGED, str(error), "what the manifest says")
        return
    if found != wanted:
        differ = sorted({cells[0] for cells in set(found) ^ set(wanted)})
        yield _finding(Fault.ARCHIVE_CHANGED, f"{name}.facts.sqlite: other at rows {differ[:10]}", "the archive's rows")
    stated = (manifest.first, manifest.last, manifest.head)
    if stated != (first, last, hash_of(head).hex()):
        yield _finding(Fault.ARCHIVE_CHANGED, f"{name}.json: {stated}", str((first, last, hash_of(head).hex())))


def _finding(fault: Fault, found: str, expected: str) -> Finding:
    return Finding(fault=fault, store="archive", frame=None, found=found, expected=expected)
