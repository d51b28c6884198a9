"""A journal found damaged at a start: from the first damaged file on it is moved aside whole, and a new file begins.

    <state folder>/journal-damaged-<UTC>/000003.sqlite …    what was moved, as it was found; nothing of it is deleted
    <state folder>/journal/000003.sqlite                    the sound rows of that file, and the row that says so
    <state folder>/journal/set-aside.json                   the plan, while that is under way

Numbers of rows are never used twice: the row that says so takes one behind all that the lost rows can have had, and
its hash follows the last sound row's. docs/damaged.md says what a person finds then, and does.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog

from monitor.output import sync_folder, write_durably
from monitor.rows import AlarmBody, Entry, Kind, SetAside
from storage.chain import line_of
from storage.damage import SELECT, Damage, find_damage, opened
from storage.images import ImageStore
from storage.journal import ATTACH, INSERT, PLAN, ROWS_PER_FILE, journal_files, lock_writer, make_file
from storage.journal_errors import JournalDamaged, JournalError, refusals
from storage.packing import finish
from storage.projection import StoreLost
from storage.proof.checkpoints import signed_before

ALARM = "journal.damaged"
BESIDE = ("-wal", "-shm", "")  # a file's own comes last: where it is, the others are
PICTURES = "SELECT seq, sha256, png FROM attachment ORDER BY seq"
WHY = "why.json"  # in the folder that was moved, for people
log = structlog.get_logger()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is done: decided once, and then done however often the power fails."""

    damage: Damage
    folder: str
    seq: int  # of the row that says so
    at: int  # wall, ns


def set_aside_damaged(folder: Path) -> SetAside | None:
    """Moves aside what is damaged of the journal in this state folder, for who holds the station's lock.

    None where it is sound. JournalHeld where somebody writes it still, JournalError where nobody can say, OSError where
    nothing can be written.
    """
    journal = folder / "journal"
    if not journal.is_dir():
        return None
    lock = lock_writer(journal)
    try:
        plan = _under_way(journal)
        if plan is None:
            finish(journal)  # a plain file whose archive counts already would seem not to follow it
            damage = find_damage(folder)
            if damage is None:
                return None
            plan = _plan(folder, damage)
            write_durably(journal / PLAN, msgspec.json.encode(plan))
        _carry_out(folder, plan)
    finally:
        os.close(lock)
    log.error("journal.set_aside", folder=plan.folder, why=plan.damage.why, last_sound_row=plan.damage.last.seq)
    return _said(plan)


def _under_way(journal: Path) -> Plan | None:
    path = journal / PLAN
    return msgspec.json.decode(path.read_bytes(), type=Plan) if path.exists() else None


def _plan(folder: Path, damage: Damage) -> Plan:
    at = time.time_ns()
    stem = f"journal-damaged-{datetime.fromtimestamp(at / 1e9, UTC):%Y%m%dT%H%M%SZ}"
    names = [stem, *(f"{stem}-{n}" for n in range(2, 1000))]
    name = next(name for name in names if not (folder / name).exists())
    return Plan(damage=damage, folder=name, seq=_unused(folder, damage), at=at)


def _unused(folder: Path, damage: Damage) -> int:
    """A number behind all that a row, a cursor or a checkpoint can have had: whole files of them may be unreadable."""
    moved = _from(folder / "journal", damage.file)
    known = [damage.last.seq, *(cursor.seq for cursor in signed_before(folder))]
    for path in moved:
        with suppress(JournalDamaged), opened(path) as connection:
            known.append(connection.execute("SELECT max(seq) FROM journal").fetchone()[0] or 0)
    with suppress(StoreLost):
        if cursor := ImageStore(folder).cursor():
            known.append(cursor.seq)
    return (max(known) // ROWS_PER_FILE + len(moved) + 1) * ROWS_PER_FILE + 1


def _carry_out(folder: Path, plan: Plan) -> None:
    """Each step may have been done before, up to any point."""
    journal, aside = folder / "journal", folder / plan.folder
    first = journal / plan.damage.file
    aside.mkdir(exist_ok=True)
    sync_folder(folder)
    write_durably(aside / WHY, msgspec.json.encode(plan.damage))
    if not _begins_anew(first, plan):
        for path in reversed(_from(journal, plan.damage.file)):
            _move(path, aside)
        sync_folder(aside)
        sync_folder(journal)
        with refusals(first):  # a full disk, say: the next start goes on from here
            make_file(first, lambda connection: _fill(connection, aside / first.name, plan))
    (journal / PLAN).unlink()
    sync_folder(journal)


def _move(path: Path, aside: Path) -> None:
    for beside in BESIDE:
        here, there = path.with_name(path.name + beside), aside / (path.name + beside)
        if not there.exists() and here.exists():
            here.rename(there)
        here.unlink(missing_ok=True)  # a crash between the syncs of two folders may leave both names


def _begins_anew(path: Path, plan: Plan) -> bool:
    """Whether this file is the new one already."""
    with suppress(JournalDamaged):
        if path.exists():
            with opened(path) as connection:
                return connection.execute("SELECT 1 FROM journal WHERE seq = ?", (plan.seq,)).fetchone() is not None
    return False


def _fill(connection: sqlite3.Connection, damaged: Path, plan: Plan) -> None:
    """The rows up to the last sound one, with the pictures that can be read; then the row that says so."""
    last = plan.damage.last
    if damaged.exists():
        connection.executemany(INSERT, _sound(damaged, f"{SELECT} ORDER BY seq", last.seq))
        pictures = _sound(damaged, PICTURES, last.seq)
        connection.executemany(ATTACH, ((sha256, seq, png) for seq, sha256, png in pictures))
    copied = connection.execute("SELECT max(seq) FROM journal").fetchone()[0]
    if copied not in (None, last.seq):
        raise JournalError(f"{damaged}: row {last.seq} was read before, and now row {copied} is the last that can be")
    connection.execute(INSERT, line_of(_entry(plan), plan.seq, last.hash))


def _sound(damaged: Path, select: str, last: int) -> Iterator[tuple[Any, ...]]:
    """The rows up to this number, or up to where the file can be read."""
    try:
        with opened(damaged) as old:
            for cells in old.execute(select):
                if cells[0] > last:
                    break
                yield cells
    except JournalDamaged as error:
        log.warning("journal.unreadable", error=str(error), answer="what lies behind it stays where it was moved to")


def _entry(plan: Plan) -> Entry:
    damage = plan.damage
    text = (
        f"{damage.why}. Row {damage.last.seq} was the last sound one. Everything from {damage.file} on lies as it was "
        f"found in {plan.folder}; parts that only it knew of are closed as not inspected, and legal holds placed since "
        "that row are not in force any more: place them again"
    )
    body = AlarmBody(
        run="",
        key=f"{ALARM}/{plan.folder}"[:64],
        name=ALARM,
        about=plan.folder,
        text=text,
        raised_at=plan.at,
        level="hold",
        set_aside=_said(plan),
    )
    return Entry(kind=Kind.ALARM, frame=None, slot=None, outcome=None, reason=None, body=body)


def _said(plan: Plan) -> SetAside:
    last = plan.damage.last
    return SetAside(folder=plan.folder, last_seq=last.seq, last_hash=last.hash.hex())


def _from(journal: Path, name: str) -> list[Path]:
    return [path for path in journal_files(journal) if path.name >= name]
