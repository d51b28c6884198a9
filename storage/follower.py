"""The thread that keeps one store up with the journal, through its absences and its losses."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from monitor.rules.stores import StoreLag
from storage.breaker import Breaker
from storage.lag import LagClock
from storage.projection import Projection, StoreForeign, StoreLost, begin
from storage.reader import PAGE_ROWS, JournalReader

IDLE_S = 2.0  # nothing came for so long: the store is asked whether it still has what it had
log = structlog.get_logger()

Opens = Callable[[JournalReader], Projection]
"""Makes a store; called in the store's thread, with that thread's view of the journal."""


class Follower(threading.Thread):
    """Of one store; whoever asks it how far it is never waits for the store."""

    def __init__(self, name: str, folder: Path, opens: Opens) -> None:
        super().__init__(name=f"follow-{name}", daemon=True)
        self._store, self._folder, self._opens = name, folder, opens
        self._breaker, self._clock = Breaker(), LagClock()
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._last = 0  # of the journal
        self._lost: tuple[float, str] | None = None  # since when it is away, and what it answered
        self._asked_s: float | None = time.monotonic()  # since when its answer is waited for; None: we do not wait
        self._known = False  # it has said how far it is
        self.taken = 0  # up to here the store has everything
        self.failure: BaseException | None = None

    def follow(self, last: int) -> None:
        """Says how long the journal is; raises what ended this follower."""
        if self.failure is not None:
            raise self.failure
        self._clock.saw(last, time.monotonic())
        if last > self._last:
            self._last = last
            self._news.set()

    def behind(self) -> int:
        """Rows that the store has not yet."""
        return max(0, self._last - self.taken)

    def lag(self) -> StoreLag:
        """For people: also while the store hangs, which is then all that is known of it."""
        now_s, lost, asked_s = time.monotonic(), self._lost, self._asked_s
        seconds = self._clock.seconds(self.taken, now_s) if self._known else 0.0
        since = [at_s for at_s in (lost[0] if lost else None, asked_s) if at_s is not None]
        return StoreLag(
            store=self._store,
            rows=self.behind() if self._known else None,
            seconds=round(max([seconds, *(now_s - at_s for at_s in since)]), 1),
            why=lost[1][:500] if lost else "",
        )

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
        store: Projection | None = None
        while not self._stopping.is_set():
            try:
                self._asked_s = time.monotonic()
                if store is None:
                    store = self._opens(journal)
                    self.taken = begin(store, self._store, journal)
                    self._known = True
                elif not self._news.is_set():
                    self._look(store)
                self._news.clear()
                while not self._stopping.is_set() and (rows := journal.rows(self.taken, PAGE_ROWS)):
                    self._asked_s = time.monotonic()
                    store.project(rows)
                    self.taken = rows[-1].seq
                    self._back()
                self._back()
                self._asked_s = None
                self._news.wait(IDLE_S)
            except (StoreLost, StoreForeign) as error:
                self._away(error)
                if store is not None:
                    store.close()
                    store = None
                self._stopping.wait(self._breaker.wait_s(time.monotonic()))
        if store is not None:
            store.close()

    def _look(self, store: Projection) -> None:
        """Whether the store is there, and where we left it: one that was emptied must not wait for the next row."""
        cursor = store.cursor()
        at = 0 if cursor is None else cursor.seq
        if at != self.taken:
            raise StoreLost(f"{self._store}: the store stands at row {at}, and had taken in {self.taken}")

    def _away(self, error: Exception) -> None:
        now_s = time.monotonic()
        self._breaker.failed(now_s)
        self._asked_s = None
        if self._lost is None:
            log.warning("store.lost", store=self._store, error=str(error), lag=self.behind())
        self._lost = (self._lost[0] if self._lost else now_s, str(error))

    def _back(self) -> None:
        self._breaker.answered()
        if self._lost is not None:
            away_s = time.monotonic() - self._lost[0]
            self._lost = None
            log.info("store.back", store=self._store, away_s=round(away_s, 1), lag=self.behind())
