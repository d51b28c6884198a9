"""Makes a store anew from the journal, for whoever holds the station's lock. The journal alone is the authority.

Killed half-way, a store is behind or has no cursor: the next rebuild begins again, and a start of the line would
catch up just as well. Nothing comes twice: rows, counts and cursor move together, pictures go by their names.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from config.loader import state_folder
from config.shifts import Shifts
from config.station import Station
from monitor.rows import Kind, Row, RunBody, read_body
from storage.audit import AuditStore
from storage.database import audit_url
from storage.journal import PLAN
from storage.journal_errors import JournalError
from storage.live import PATIENT_S
from storage.live_seed import make_live, seed_live
from storage.live_server import given_url, open_own_server
from storage.projection import StoreForeign, stands_in
from storage.reader import JournalReader
from storage.rebuild_crops import Lost, rebuild_crops

Progress = Callable[[int, int], None]
"""Told how many rows of the journal were read, of how many."""


class Store(StrEnum):
    """What can be made anew."""

    SQL = "sql"
    REDIS = "redis"
    CROPS = "crops"


class NothingToRebuild(Exception):
    """There is no journal."""


class Rebuilt(msgspec.Struct, kw_only=True):
    """What was done."""

    journal_rows: int
    removed: int = 0  # rows of SQL, keys of Redis, pictures that no row names
    restored: int = 0  # pictures that were not there, or not whole, and lay in the journal still
    kept: int = 0  # pictures that were there, and are what their names say
    lost: list[Lost] = []  # pictures that a row names and nobody has  # msgspec copies it


def rebuild(station: Station, store: Store, progress: Progress, *, replace_foreign: bool = False) -> Rebuilt:
    """Empties the store of this station, and takes the journal in. Raises `StoreLost`, `JournalError`, `ConfigError`.

    Raises `StoreForeign` where SQL holds rows of another journal, unless `replace_foreign`: they would be gone.
    """
    folder = state_folder(station)
    if (plan := folder / "journal" / PLAN).exists():  # half of the journal may be elsewhere
        raise JournalError(f"{plan}: a damaged part is being set aside: start the line, which ends that")
    with JournalReader(folder) as journal:
        if not (last := journal.last_seq()):
            raise NothingToRebuild(f"{folder / 'journal'}: there is no journal to make it from")
        match store:
            case Store.SQL:
                removed = _rebuild_sql(station, folder, journal, progress, replace_foreign=replace_foreign)
                return Rebuilt(journal_rows=last, removed=removed)
            case Store.REDIS:
                return Rebuilt(journal_rows=last, removed=_rebuild_redis(station, folder, journal, progress))
            case Store.CROPS:
                found = rebuild_crops(folder, journal, progress)
                return Rebuilt(
                    journal_rows=last,
                    removed=found.swept,
                    restored=found.restored,
                    kept=found.kept,
                    lost=found.lost,
                )


def _rebuild_sql(
    station: Station, folder: Path, journal: JournalReader, progress: Progress, *, replace_foreign: bool
) -> int:
    with closing(AuditStore(audit_url(folder), station.name, station.shifts)) as audit:
        cursor = audit.cursor()
        if cursor is not None and not stands_in(cursor, journal) and not replace_foreign:
            raise StoreForeign(
                f"SQL holds station {station.name!r} up to row {cursor.seq} of another journal: those rows would be "
                "gone; --replace-foreign says that they may"
            )
        removed = audit.empty()
        for rows, shifts in _by_shifts(_pages(journal, 0, progress)):
            audit.count_in(shifts or station.shifts)
            audit.project(rows)
        return removed


def _rebuild_redis(station: Station, folder: Path, journal: JournalReader, progress: Progress) -> int:
    with ExitStack() as stack:
        url = given_url() or stack.enter_context(open_own_server(station))
        live = stack.enter_context(closing(make_live(url, station, folder, journal, timeout_s=PATIENT_S)))
        removed = live.wipe()
        seed = seed_live(live, station, folder, journal)
        for rows in _pages(journal, seed.cursor.seq if seed else 0, progress):
            live.project(rows)
        return removed


def _pages(journal: JournalReader, after: int, progress: Progress) -> Iterator[list[Row]]:
    last = journal.last_seq()
    progress(after, last)
    while rows := journal.rows(after):
        yield rows
        after = rows[-1].seq
        progress(after, last)


def _by_shifts(pages: Iterator[list[Row]]) -> Iterator[tuple[list[Row], Shifts | None]]:
    """Pages cut where the line was started, each with the shifts of its run: rows count in the shifts of their day."""
    shifts: Shifts | None = None
    for page in pages:
        first = 0
        for at, row in enumerate(page):
            if row.kind is Kind.RUN:
                if at > first:
                    yield page[first:at], shifts
                first, shifts = at, _shifts_of(row) or shifts
        yield page[first:], shifts


def _shifts_of(row: Row) -> Shifts | None:
    """Those in the settings that a run stated; None where it says nothing of them, as before there were any."""
    try:
        body = read_body(row)
        stated: Any = msgspec.json.decode(body.config) if isinstance(body, RunBody) else {}
        return Shifts.model_validate_json(msgspec.json.encode(stated["shifts"]))
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
        return None
