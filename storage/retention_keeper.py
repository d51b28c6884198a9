"""The thread of the recorder that lets pictures expire: once an hour it looks what is due, and tells decision.

It goes at a calm pace, a row of pictures a second. Where anything is away, or the wall clock has jumped since it
began, nothing expires: the next hour is soon enough.
"""

import threading
import time
from contextlib import closing
from pathlib import Path

import structlog

from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.bus.wire import Pusher
from monitor.rules.retention import shortest_days
from storage.alarms import NotHeard
from storage.audit import AuditStore, open_audit
from storage.journal_errors import JournalError
from storage.projection import StoreForeign, StoreLost
from storage.reader import JournalReader
from storage.retention import Author, Sweep, catch_up, send

FIRST_S = 60.0  # a line that has just started has other things to do
EVERY_S = 3600.0
PAUSE_S = 1.0  # between two rows
PAGE_PAUSE_S = 0.05
CLOCK_S = 600.0  # the wall clock may be set by so much, and still say how old something is
AUTHOR = Author(by="line-monitor", why="by the policy of the station, as the line ran")
log = structlog.get_logger()


class RetentionKeeper(threading.Thread):
    """Works for one station as long as its recorder lives."""

    def __init__(self, station: Station, folder: Path) -> None:
        super().__init__(name="keep-retention", daemon=True)
        self._station, self._folder = station, folder
        self._stopping = threading.Event()
        self._offset_s = time.time() - time.monotonic()
        self.failure: BaseException | None = None

    def follow(self, _last: int) -> None:
        """Raises what ended this thread."""
        if self.failure is not None:
            raise self.failure

    def behind(self) -> int:
        """Nothing that anybody must wait for."""
        return 0

    def stop(self) -> None:
        """Asks it to end, and gives it a moment."""
        self._stopping.set()
        self.join(0.5)

    def run(self) -> None:
        if not shortest_days(self._station.retention):
            return
        pause_s = FIRST_S
        try:
            while not self._stopping.wait(pause_s):
                pause_s = EVERY_S
                try:
                    if self._clock_is_sound():
                        self._keep()
                except (StoreLost, StoreForeign, JournalError, NotHeard) as error:
                    log.warning("retention.put_off", error=str(error), again_s=EVERY_S)
        except BaseException as error:
            self.failure = error

    def _keep(self) -> None:
        audit = open_audit(self._folder, self._station.name)
        if audit is None:
            return
        with (
            closing(audit),
            JournalReader(self._folder) as reader,
            Pusher(Endpoints(self._station).decision) as decision,
        ):
            while not self._swept(audit, reader, decision) and not self._stopping.is_set():
                pass

    def _swept(self, audit: AuditStore, reader: JournalReader, decision: Pusher) -> bool:
        """Whether one sweep found all that was due."""
        sweep = Sweep(self._station, reader, audit, AUTHOR, now=time.time_ns())
        pictures = rows = seq = 0
        for purging in sweep.purgings(pause=lambda: self._stopping.wait(PAGE_PAUSE_S)):
            if self._stopping.is_set():
                return False
            purged = send(decision, reader, purging)
            pictures, rows, seq = pictures + len(purged.pictures), rows + 1, purged.seq or 0
            self._stopping.wait(PAUSE_S)
        if rows:
            log.info("retention.applied", pictures=pictures, rows=rows)
            catch_up(audit, seq)
        return sweep.complete

    def _clock_is_sound(self) -> bool:
        jumped_s = time.time() - time.monotonic() - self._offset_s
        if abs(jumped_s) > CLOCK_S:
            log.error(
                "retention.clock_jumped",
                jumped_s=round(jumped_s),
                answer="nothing expires until the next start: age is told by this clock",
            )
            return False
        return True
