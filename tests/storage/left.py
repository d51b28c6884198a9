"""What must hold of a state folder that a crash has left, and of a start from there; `said` is what was promised.

Each function is for the scenario of tests/storage/writer.py of its name, and fails at the first thing lost.
"""

import hashlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import inspect

from monitor.cameras.count import TriggerCount
from monitor.capture import _next_epoch
from monitor.rows import Kind, VerdictBody, pictures, read_body
from storage.aside import set_aside_damaged
from storage.audit import AuditStore
from storage.chain import GENESIS, first_fault
from storage.damage import opened
from storage.images import ImageStore
from storage.journal import journal_files, open_journal
from storage.migrate import newest_revision, revision
from storage.projection import stands_in
from storage.proof.check import check_proof, read_beside, read_copy
from storage.proof.checkpoints import CheckpointFile, copy_proof
from storage.proof.keys import KeyFolder
from storage.proof.sealing import BEGINNING, seal, signed_to
from storage.questions import Question
from storage.reader import JournalReader, parse_line
from storage.report_questions import Period
from tests.storage.builders import a_verdict
from tests.storage.test_migrate import connected, differences
from tests.storage.traces import promised
from tests.storage.writer import ROWS_PER_FILE, pictures_of

VERDICTS_OF_VERSION_1 = 35  # in the dump


def check_journal(place: Path, said: tuple[str, ...]) -> None:
    folder = place / "rail-03"
    seen = sound_rows(folder, said)
    pruned = promised(said, "pruning")
    with JournalReader(folder) as reader:
        for slot in range(pruned + 1, promised(said, "row") + 1):
            for png in pictures_of(slot):
                assert reader.attachment(hashlib.sha256(png).hexdigest()) == png, f"a picture of slot {slot}"
    with open_journal(folder, rows_per_file=ROWS_PER_FILE) as journal:
        assert journal.head()[0] == seen
        assert journal.append([a_verdict(900)]) == [seen + 1]
    assert sound_rows(folder, ()) == seen + 1


def check_images(place: Path, said: tuple[str, ...]) -> None:
    folder = place / "rail-03"
    sound_rows(folder, said)
    lying = ImageStore(folder)
    for sha256 in lying.names():
        assert hashlib.sha256(lying.get(sha256) or b"").hexdigest() == sha256, f"{sha256} is not whole"
    with JournalReader(folder) as reader:
        store = ImageStore(folder, reader.attachment)
        cursor = store.cursor()
        at = 0 if cursor is None else cursor.seq
        assert promised(said, "kept") <= at
        assert cursor is None or stands_in(cursor, reader)
        _pictures_lie(folder, reader, kept_to=at)
        store.open()
        store.project(reader.rows(at))
        assert list((folder / "images" / "incoming").iterdir()) == []
        _pictures_lie(folder, reader, kept_to=2**62)


def check_audit(place: Path, said: tuple[str, ...]) -> None:
    folder = place / "rail-03"
    with (
        JournalReader(folder) as reader,
        closing(AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")) as audit,
    ):
        cursor = audit.cursor()
        at = 0 if cursor is None else cursor.seq
        assert cursor is None or stands_in(cursor, reader)
        verdicts = [row.seq for row in map(parse_line, reader.all_lines()) if row.kind is Kind.VERDICT]
        assert [kept.seq for kept in audit.kept(0)] == [seq for seq in verdicts if seq <= at]
        while rows := reader.rows(at, 3):
            audit.project(rows)
            at = rows[-1].seq
        assert [found.seq for found in audit.history(Question(oldest_first=True))] == verdicts
        assert sum(count.verdicts for count in audit.reports.quality(Period(0, 2**62))) == len(verdicts)


def check_checkpoints(place: Path, said: tuple[str, ...]) -> None:
    folder, proof = place / "rail-03", place / "proof"
    rows = sound_rows(folder, said)
    open_journal(folder).close()
    file, keys = CheckpointFile(folder, "rail-03"), KeyFolder(folder, "rail-03")
    at = signed_to(file)
    assert promised(said, "signed") <= (0 if at is None else at.seq) <= rows
    copied = read_copy(proof, "rail-03")
    assert promised(said, "copied") <= max((each.size for each in copied.checkpoints), default=0)
    with JournalReader(folder) as reader:
        seal(reader, file, keys, at or BEGINNING)
        copy_proof(folder, "rail-03", proof / "rail-03")
        found = check_proof(read_beside(folder, "rail-03"), read_copy(proof, "rail-03"), reader, rows)
        assert list(found) == []
    ours = [path.read_bytes() for path in keys.public_files()]
    assert all(pem.startswith(b"-----BEGIN PUBLIC KEY-----") for pem in ours)
    assert ours == [path.read_bytes() for path in sorted((proof / "rail-03").glob("*.pub"))]


def check_migration(place: Path, said: tuple[str, ...]) -> None:
    """The tables are those of before, whole, or those of now; a start has those of now. When is not promised."""
    url = f"sqlite:///{place / 'rail-03' / 'audit.sqlite'}"
    with connected(url) as connection:
        found = revision(connection)
        tables = set(inspect(connection).get_table_names())
    assert ("verdict_rollup" in tables) == ("label" in tables) == (found == newest_revision())
    assert found in ("0001", newest_revision())
    with closing(AuditStore(url, "rail-03")) as audit:
        assert len(list(audit.history(Question()))) == VERDICTS_OF_VERSION_1
        assert sum(count.verdicts for count in audit.reports.quality(Period(0, 2**62))) == VERDICTS_OF_VERSION_1
    with connected(url) as connection:
        assert differences(connection) == []


def check_aside(place: Path, said: tuple[str, ...]) -> None:
    """Whenever it was broken off: one folder has all that was damaged, and one row says so, behind the sound ones."""
    folder = place / "rail-03"
    assert set_aside_damaged(folder) is None or not promised(said, "aside")
    (moved,) = folder.glob("journal-damaged-*")
    assert [path.name for path in journal_files(moved)] == ["000002.sqlite", "000003.sqlite"]
    with opened(moved / "000003.sqlite") as newest:
        assert newest.execute("SELECT count(*) FROM journal").fetchone()[0] == ROWS_PER_FILE
    with JournalReader(folder) as reader:
        lines = list(reader.all_lines())
    assert first_fault(lines, after=0, previous=GENESIS) is None
    assert [line.seq for line in lines if line.kind == Kind.VERDICT][:ROWS_PER_FILE] == list(
        range(1, ROWS_PER_FILE + 1)
    )
    assert [line.kind for line in lines].count(Kind.ALARM) == 1
    with open_journal(folder) as journal:
        assert journal.append([a_verdict(900)])[0] > 1_000_000


def check_counts(place: Path, said: tuple[str, ...]) -> None:
    folder = place / "rail-03"
    assert _next_epoch(folder / "epoch-head") > promised(said, "epoch")
    count = TriggerCount("head", run="run-2", log_path=folder / "source-head.jsonl")
    assert count.slot >= promised(said, "slot")
    count.close()


def sound_rows(folder: Path, said: tuple[str, ...]) -> int:
    """How many rows there are: chained, each trigger once, and none that was acknowledged is missing."""
    with JournalReader(folder) as reader:
        lines = list(reader.all_lines())
    assert first_fault(lines, after=0, previous=GENESIS) is None
    assert len(lines) >= promised(said, "row")
    slots = [line.slot for line in lines if line.kind == Kind.VERDICT]
    assert len(slots) == len(set(slots))
    return len(lines)


def _pictures_lie(folder: Path, reader: JournalReader, *, kept_to: int) -> None:
    """Of each row up to `kept_to` in the image store, of those behind at least in the journal."""
    store = ImageStore(folder)
    for line in reader.all_lines():
        body = read_body(parse_line(line))
        for sha256 in pictures(body) if isinstance(body, VerdictBody) else ():
            png = store.get(sha256) if line.seq <= kept_to else store.get(sha256) or reader.attachment(sha256)
            assert png is not None, f"row {line.seq}: picture {sha256} is gone"
            assert hashlib.sha256(png).hexdigest() == sha256


CHECKS: dict[str, Callable[[Path, tuple[str, ...]], None]] = {
    "journal": check_journal,
    "images": check_images,
    "audit": check_audit,
    "checkpoints": check_checkpoints,
    "aside": check_aside,
    "counts": check_counts,
    "migration": check_migration,
}
