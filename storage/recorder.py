"""Process: the journal in; images, SQL, Redis and signed checkpoints out.

Each store has its own thread, cursor and view of the journal, so one that is away delays no other:

    journal ──▶ images ──▶ Projected (decision may drop its copies)
            ──▶ SQL audit store
            ──▶ Redis
            ──▶ checkpoints, beside the journal and in the second place
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from config.loader import state_folder
from config.station import Station
from monitor.lifeline import Drain, Lifeline
from monitor.rows import Row
from storage.audit import AuditStore
from storage.counts import write_live_counts
from storage.database import audit_url
from storage.images import ImageStore
from storage.live import LiveStore
from storage.projection import Projection, StoreForeign, StoreLost, before_break, stands_in
from storage.proof.checkpoints import second_place
from storage.proof.signer import CheckpointSigner
from storage.reader import PAGE_ROWS, JournalReader
from storage.retention_keeper import RetentionKeeper

POLL_S = 0.2  # rows that came together are written together
DRAIN_S = 3.0
BACKOFF_S = (0.2, 2.0)  # after the first failure, and at most
log = structlog.get_logger()

Opens = Callable[[JournalReader], Projection]
"""Makes a store; called in the store's thread, with that thread's view of the journal."""


def run_recorder(
    lifeline: Lifeline, station: Station, *, live_url: str | None, projected: Callable[[int], object]
) -> None:
    """Projects until it is told to drain; `projected` is told how far the pictures are safe."""
    folder = state_folder(station)
    stores = _stores(station, folder, live_url)
    followers = {name: Follower(name, folder, opens) for name, opens in stores.items()}
    signer = CheckpointSigner(station.name, folder, station.proof, second_place(station))
    keeper = RetentionKeeper(station, folder)
    threads: list[Follower | CheckpointSigner | RetentionKeeper] = [*followers.values(), signer, keeper]
    told = 0
    with JournalReader(folder) as journal:
        for thread in threads:
            thread.start()
        lifeline.ready()
        deadline_s: float | None = None  # once we drain
        while not lifeline.cut:
            if Drain() in lifeline.wait(POLL_S):
                deadline_s = deadline_s or time.monotonic() + DRAIN_S
                signer.drain()
            last = journal.last_seq()
            for thread in threads:
                thread.follow(last)
            told = _tell(followers["images"], told, projected)
            done = not any(thread.behind() for thread in threads)
            if deadline_s is not None and (done or time.monotonic() > deadline_s):
                break
    if "live" in followers:
        _note_live_counts(folder, station, live_url or "")
    for name, follower in followers.items():
        if lag := follower.behind():
            log.warning("store.left_behind", store=name, lag=lag, answer="the next start brings it up to date")
        follower.stop()
    signer.stop()
    keeper.stop()


class Follower(threading.Thread):
    """Keeps one store up with the journal, through its absences."""

    def __init__(self, name: str, folder: Path, opens: Opens) -> None:
        super().__init__(name=f"follow-{name}", daemon=True)
        self._store, self._folder, self._opens = name, folder, opens
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._last = 0  # of the journal
        self._lost_s: float | None = None  # since when it is away
        self.taken = 0  # up to here the store has everything
        self.failure: BaseException | None = None

    def follow(self, last: int) -> None:
        """Says how long the journal is; raises what ended this follower."""
        if self.failure is not None:
            raise self.failure
        if last > self._last:
            self._last = last
            self._news.set()

    def behind(self) -> int:
        """Rows that the store has not yet."""
        return max(0, self._last - self.taken)

    def stop(self) -> None:
        """Asks it to end, and gives it a moment; what it cannot finish it does again at the next start."""
        self._stopping.set()
        self._news.set()
        self.join(0.5)

    def run(self) -> None:
        try:
            with JournalReader(self._folder) as journal:
                self._keep_up(journal)
        except BaseException as error:
            self.failure = error

    def _keep_up(self, journal: JournalReader) -> None:
        pause_s = BACKOFF_S[0]
        store: Projection | None = None
        while not self._stopping.is_set():
            try:
                if store is None:
                    store = self._opens(journal)
                    self.taken = self._begin(store, journal)
                while not self._stopping.is_set() and (rows := journal.rows(self.taken, PAGE_ROWS)):
                    store.project(rows)
                    self.taken = rows[-1].seq
                    self._back()
                pause_s = BACKOFF_S[0]
                self._back()
                self._news.wait()
                self._news.clear()
            except (StoreLost, StoreForeign) as error:
                self._lost(error)
                if store is not None:
                    store.close()
                    store = None
                self._stopping.wait(pause_s)
                pause_s = min(2 * pause_s, BACKOFF_S[1])
        if store is not None:
            store.close()

    def _begin(self, store: Projection, journal: JournalReader) -> int:
        """Where the store stands in this journal; one that stands in another begins anew.

        So does one that has taken in rows since set aside, but for one that would lose something: it goes on.
        """
        cursor = store.cursor()
        if cursor is not None and not stands_in(cursor, journal):
            log.warning("store.foreign", store=self._store, seq=cursor.seq, journal=journal.last_seq())
            try:
                store.restart()
            except StoreForeign:
                if not before_break(cursor, journal):
                    raise
            else:
                cursor = None
        return 0 if cursor is None else cursor.seq

    def _lost(self, error: Exception) -> None:
        if self._lost_s is None:
            self._lost_s = time.monotonic()
            log.warning("store.lost", store=self._store, error=str(error), lag=self.behind())

    def _back(self) -> None:
        if self._lost_s is not None:
            away_s = time.monotonic() - self._lost_s
            self._lost_s = None
            log.info("store.back", store=self._store, away_s=round(away_s, 1), lag=self.behind())


def _stores(station: Station, folder: Path, live_url: str | None) -> dict[str, Opens]:
    """The stores of this station; Redis only where there is one."""

    def images(journal: JournalReader) -> Projection:
        store = ImageStore(folder, journal.attachment)
        store.open()
        return store

    def audit(_: JournalReader) -> Projection:
        return AuditStore(audit_url(folder), station.name, station.shifts)

    def live(journal: JournalReader) -> Projection:
        pictures = ImageStore(folder)

        def row(seq: int) -> Row | None:
            found = journal.rows(seq - 1, 1)
            return found[0] if found else None

        def picture(sha256: str) -> bytes | None:
            return journal.attachment(sha256) or pictures.get(sha256)

        return LiveStore(live_url or "", station.name, station.live, row=row, picture=picture)

    stores: dict[str, Opens] = {"images": images, "audit": audit}
    if live_url is not None:
        stores["live"] = live
    return stores


def _tell(images: Follower, told: int, projected: Callable[[int], object]) -> int:
    """Says how far the pictures are safe, where that has changed."""
    if images.taken > told:
        projected(images.taken)
    return images.taken


def _note_live_counts(folder: Path, station: Station, live_url: str) -> None:
    """What Redis has taken in of each run: our own server stops with the line, and the summary comes after it."""
    store = LiveStore(live_url, station.name, station.live, row=lambda _: None, picture=lambda _: None)
    try:
        write_live_counts(folder, store.runs())
    except StoreLost as error:
        log.warning("live.uncounted", error=str(error))
    finally:
        store.close()
