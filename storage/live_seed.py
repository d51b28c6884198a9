"""Opens the live view; one that has lost its state begins with totals from SQL and the last verdicts, not with row 1.

The totals are exact: counts, rows and cursor of the audit store move in one transaction, so what one snapshot of it
says is what the journal says up to the snapshot's row, corrections applied. There the live view takes over: the
stream's last verdicts up to that row come from the journal, and everything behind it is projected as ever.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import structlog

from config.station import Station
from monitor.rows import Row
from storage.audit import open_audit
from storage.images import ImageStore
from storage.live import TIMEOUT_S, LiveStore, Seed
from storage.live_entries import keys_of
from storage.projection import StoreForeign, StoreLost, stands_in
from storage.reader import PAGE_ROWS, RECENT_ROWS, JournalReader

SETTLED_ROWS = 2 * RECENT_ROWS  # further back no verdict is corrected: decision looks at RECENT_ROWS when it starts
log = structlog.get_logger()


def open_live(
    url: str, station: Station, folder: Path, journal: JournalReader, *, timeout_s: float = TIMEOUT_S
) -> LiveStore:
    """The live view of a station, for the one that fills it; what it lost, or has of another journal, begins anew.

    Raises `StoreLost`.
    """
    store = make_live(url, station, folder, journal, timeout_s=timeout_s)
    try:
        cursor = store.cursor()
        if cursor is not None and not stands_in(cursor, journal):
            log.warning("store.foreign", store="live", seq=cursor.seq, journal=journal.last_seq())
            store.restart()
            cursor = None
        if cursor is None:
            seed_live(store, station, folder, journal)
    except BaseException:
        store.close()
        raise
    return store


def make_live(url: str, station: Station, folder: Path, journal: JournalReader, *, timeout_s: float) -> LiveStore:
    """The live view as it is; asks the server nothing yet."""
    pictures = ImageStore(folder)

    def row(seq: int) -> Row | None:
        found = journal.rows(seq - 1, 1)
        return found[0] if found else None

    def picture(sha256: str) -> bytes | None:
        return journal.attachment(sha256) or pictures.get(sha256)

    return LiveStore(url, station.name, station.live, row=row, picture=picture, timeout_s=timeout_s)


def seed_live(store: LiveStore, station: Station, folder: Path, journal: JournalReader) -> Seed | None:
    """Gives an empty live view its totals; None where it is to read the journal from row 1: a short one, or no SQL."""
    most = station.live.stream_maxlen
    if journal.last_seq() <= most:
        return None
    seed = _read_seed(station.name, folder, journal)
    if seed is None:
        return None
    store.plant(seed, _pages(journal, journal.shown_from(seed.cursor.seq, most), seed.cursor.seq))
    log.info("live.seeded", row=seed.cursor.seq, triggers=seed.counters.get("triggers", 0), runs=len(seed.runs))
    return seed


def _read_seed(station: str, folder: Path, journal: JournalReader) -> Seed | None:
    """What the audit store says, all as of its cursor; None where it can say nothing of this journal."""
    try:
        audit = open_audit(folder, station)
        if audit is None:
            return None
        with closing(audit), audit.snapshot() as asked:
            if asked.head is None or not stands_in(asked.head, journal):
                return None
            endings = asked.totals.endings()
            runs, corrected = asked.totals.runs(), asked.totals.corrected(asked.head.seq - SETTLED_ROWS)
            head = asked.head
    except (StoreLost, StoreForeign) as error:
        log.warning("live.unseeded", error=str(error), answer="reads the whole journal instead")
        return None
    counters: Counter[str] = Counter(triggers=endings.total())
    for ended, number in endings.items():
        for key in keys_of(ended):
            counters[key] += number
    return Seed(head, dict(counters), runs, corrected)


def _pages(journal: JournalReader, first: int, last: int) -> Iterator[list[Row]]:
    after = first - 1
    while after < last and (rows := journal.rows(after, PAGE_ROWS)):
        yield [row for row in rows if row.seq <= last]  # numbers jump where rows were set aside: they count nothing
        after = rows[-1].seq
