"""A process that writes one of the stores, says what it promises, and may lack a guard: `writer.py SCENARIO FOLDER
[TWIN]`. What it says is a promise from then on: `row 7` (acknowledged), `kept 7` (the pictures of rows up to 7 are in
the image store, so the journal may drop its own), `pruning 7`, `signed 7`, `slot 7` (a trigger's number was used).
"""

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec

from monitor.cameras.count import TriggerCount
from monitor.capture import _next_epoch
from monitor.messages import Outcome
from monitor.output import sync_folder
from monitor.rows import Entry, Row
from storage import aside, images, journal
from storage.audit import AuditStore
from storage.images import ImageStore
from storage.journal import SqliteJournal, open_journal
from storage.reader import JournalReader
from tests.storage.builders import a_png, a_region, a_verdict, an_actuated, sha256_of

ROWS = 12
ROWS_PER_FILE = 6


def say(what: str, number: int) -> None:
    os.write(1, f"{what} {number}\n".encode())


def swap(owner: object, name: str, guard: object) -> None:
    """Puts something else in the place of a guard."""
    setattr(owner, name, guard)


def pictures_of(slot: int) -> list[bytes]:
    """A crop that is the slot's own, a mask that every third shares, and a whole frame of several pages."""
    return [a_png(slot), a_png(slot % 3 + 100), a_png(slot + 200, side=64) + bytes(slot) * 500]


def a_row(slot: int) -> tuple[Entry, dict[str, bytes]]:
    """A reject, with its pictures by SHA-256."""
    crop, mask, whole = pictures_of(slot)
    row = a_verdict(slot, Outcome.REJECT, area_mm2=60.0, regions=(a_region(60.0, crop, mask),), picture=whole)
    return row, {sha256_of(png): png for png in (crop, mask, whole)}


def write_journal(folder: Path, twin: str) -> None:
    """A row at a time and its pictures, over two files; pictures pruned and the log truncated in between."""
    if twin == "normal":
        journal.SYNCHRONOUS = "NORMAL"
    if twin == "no-folder-sync":
        swap(journal, "sync_folder", lambda _: None)
    journal.WAL_WORTH, journal.PRUNED_AT_ONCE = 0, 2
    opened = open_journal(folder, rows_per_file=ROWS_PER_FILE)
    for slot in range(1, ROWS + 1):
        row, pictures = a_row(slot)
        say("row", opened.append([row], pictures)[-1])
        if slot % 4 == 0:
            say("pruning", slot - 2)
            opened.prune(slot - 2)
            opened.checkpoint()


def write_images(folder: Path, twin: str) -> None:
    """Rows, their pictures out of the journal into the image store, and out of the journal then."""
    if twin == "no-folder-sync":
        swap(images, "sync_folder", lambda _: None)
    store = ImageStore
    if twin == "no-fsync":
        swap(ImageStore, "_write", _write_unsynced)
    if twin == "cursor-first":
        store = CursorFirst
    journal.PRUNED_AT_ONCE = 1000
    with JournalReader(folder) as reader:
        opened = open_journal(folder, rows_per_file=ROWS_PER_FILE)
        pictures = store(folder, reader.attachment)
        pictures.open()
        for slot in range(1, ROWS + 1):
            _append_and_keep(opened, pictures, reader, slot)


def write_audit(folder: Path, twin: str) -> None:
    """Rows of a journal that is there into SQL, a few at a time."""
    if twin == "cursor-first":
        swap(AuditStore, "project", _cursor_first)
    store = AuditStore(f"sqlite:///{folder / 'audit.sqlite'}", "rail-03")
    with JournalReader(folder) as reader:
        at = 0
        while rows := reader.rows(at, 3):
            store.project(rows)
            at = rows[-1].seq
            say("taken", at)
    store.close()


def write_checkpoints(folder: Path, twin: str) -> None:
    """A key, and after every few rows a checkpoint here and in the second place."""
    from storage.proof import signed_lines
    from storage.proof.checkpoints import CheckpointFile, copy_proof
    from storage.proof.keys import KeyFolder
    from storage.proof.sealing import BEGINNING, seal

    if twin == "no-fsync":
        swap(signed_lines, "os", Unsynced())
    keys, file, at = KeyFolder(folder, "rail-03"), CheckpointFile(folder, "rail-03"), BEGINNING
    opened = open_journal(folder)
    with JournalReader(folder) as reader:
        for slot in range(1, ROWS + 1):
            say("row", opened.append([a_verdict(slot)])[-1])
            if slot % 4 == 0:
                at = seal(reader, file, keys, at)
                say("signed", at.seq)
                copy_proof(folder, "rail-03", folder.parent / "proof" / "rail-03")
                say("copied", at.seq)


def write_migration(folder: Path, twin: str) -> None:
    """Tables of the first version become those of now."""
    from sqlalchemy import create_engine

    from storage import migrate
    from storage.database import open_engine

    url = f"sqlite:///{folder / 'audit.sqlite'}"
    if twin == "no-transaction":
        swap(migrate, "_wait_for_others", lambda _: None)
        migrate.migrate(create_engine(url, isolation_level="AUTOCOMMIT"))
    else:
        migrate.migrate(open_engine(url, writes=True))
    say("migrated", 1)


def write_aside(folder: Path, twin: str) -> None:
    """A journal that is damaged is moved aside."""
    if twin == "no-plan":
        swap(aside, "_under_way", lambda _: None)
        swap(aside, "write_durably", lambda path, _: path.touch())
    assert aside.set_aside_damaged(folder) is not None
    say("aside", 1)


def write_counts(folder: Path, twin: str) -> None:
    """The numbers that are never used twice: of a capture's starts, and of triggers."""
    for _ in range(3):
        say("epoch", _next_epoch(folder / "epoch-head"))
    count = TriggerCount("head", run="run-1", log_path=folder / "source-head.jsonl")
    for _ in range(4):
        count.next(source="a.png")
        if twin != "no-fsync":
            count.sync()
        say("slot", count.slot)


class CursorFirst(ImageStore):
    """The twin: says how far it is before it is there."""

    def project(self, rows: list[Row]) -> None:
        cursor = {"seq": rows[-1].seq, "hash": rows[-1].hash}
        self._write(self._cursor_file, msgspec.json.encode(cursor))
        sync_folder(self._images)
        super().project(rows)


class Unsynced:
    """`os`, but for fsync."""

    def __getattr__(self, name: str) -> object:
        return (lambda _: None) if name in {"fsync", "fdatasync"} else getattr(os, name)


def _write_unsynced(self: ImageStore, path: Path, content: bytes) -> None:
    incoming = self._incoming / path.name
    incoming.write_bytes(content)
    incoming.rename(path)


def _cursor_first(self: AuditStore, rows: list[Row]) -> None:
    """The rows' transaction comes after that of the cursor."""
    with self._session() as session:
        self._intake._move_cursor(session, rows)
    swap(self._intake, "_move_cursor", lambda _, rows: rows)
    with self._session() as session:
        self._intake.take_in(session, rows)
    del self._intake._move_cursor


def _append_and_keep(opened: SqliteJournal, pictures: ImageStore, reader: JournalReader, slot: int) -> None:
    row, named = a_row(slot)
    say("row", opened.append([row], named)[-1])
    opened.append([an_actuated(slot)])
    if slot % 3 == 0:
        cursor = pictures.cursor()
        rows = reader.rows(0 if cursor is None else cursor.seq)
        pictures.project(rows)
        say("kept", rows[-1].seq)
        say("pruning", rows[-1].seq)
        opened.prune(rows[-1].seq)


SCENARIOS: dict[str, Callable[[Path, str], None]] = {
    "journal": write_journal,
    "images": write_images,
    "audit": write_audit,
    "checkpoints": write_checkpoints,
    "migration": write_migration,
    "aside": write_aside,
    "counts": write_counts,
}


def main(scenario: str, folder: Path, twin: str = "", ended: str = "") -> None:
    try:
        SCENARIOS[scenario](folder, twin)
    except Exception:
        traceback.print_exc()
        os._exit(1)  # as every process of the line: nothing is tidied up
    if ended:
        Path(ended).touch()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
