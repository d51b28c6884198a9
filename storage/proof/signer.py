"""The thread of the recorder that signs: the journal in, checkpoints beside it and in the second place out.

It follows the chain itself, row by row, and signs no head that it has not come to. What fails is said once and
tried again; neither decision nor the stores wait for it.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from config.proof import Proof
from monitor.rules.stores import StoreLag
from storage.projection import Cursor
from storage.proof.checkpoints import CheckpointFault, CheckpointFile, copy_proof
from storage.proof.keys import KeyFault, KeyFolder
from storage.proof.sealing import BEGINNING, ProofRefused, seal, signed_to
from storage.proof.signed_lines import CopyForeign
from storage.reader import JournalReader

LOOK_S = 0.2
AGAIN_S = 2.0  # after a failure
log = structlog.get_logger()


class CheckpointSigner(threading.Thread):
    """Signs for one station as long as its recorder lives."""

    def __init__(self, station: str, folder: Path, proof: Proof, copy: Path | None) -> None:
        super().__init__(name="sign-checkpoints", daemon=True)
        self._station, self._folder, self._proof, self._copy = station, folder, proof, copy
        self._keys = KeyFolder(folder, station)
        self._file = CheckpointFile(folder, station)
        self._at: Cursor | None = None  # of the last checkpoint; None before we know it
        self._signed_s = time.monotonic()
        self._last = 0  # of the journal
        self._news = threading.Event()
        self._draining = threading.Event()
        self._stopping = threading.Event()
        self._troubles: dict[str, tuple[float, str]] = {}  # "sign", "copy" → since when, and what was said of it
        self.failure: BaseException | None = None

    def follow(self, last: int) -> None:
        """Says how long the journal is; raises what ended this thread."""
        if self.failure is not None:
            raise self.failure
        if last - self._last >= self._proof.every_rows:
            self._news.set()
        self._last = last

    def drain(self) -> None:
        """From now on every row is signed at once: no more will come to wait for."""
        self._draining.set()
        self._news.set()

    def behind(self) -> int:
        """Rows that are not signed yet, and could be."""
        return 0 if self._at is None or self._troubles.get("sign") else max(0, self._last - self._at.seq)

    def lags(self) -> list[StoreLag]:
        """For people: how long nothing could be signed, or taken to the second place."""
        return [
            self._lag("checkpoints", "sign", self._last - (self._at.seq if self._at else 0)),
            *([] if self._copy is None else [self._lag("second place", "copy", 0)]),
        ]

    def stop(self) -> None:
        """Asks it to end, and gives it a moment; what is not signed is at the next start."""
        self._stopping.set()
        self._news.set()
        self.join(0.5)

    def run(self) -> None:
        if self._copy is None:
            log.warning(
                "proof.one_place", answer="name proof.copy_to: a journal put back with its checkpoints is unseen"
            )
        try:
            with JournalReader(self._folder) as journal:
                while not self._stopping.is_set():
                    self._try("sign", lambda: self._sign(journal))
                    self._try("copy", self._make_up)
                    self._news.wait(AGAIN_S if self._troubles else LOOK_S)
                    self._news.clear()
        except BaseException as error:
            self.failure = error

    def _try(self, what: str, step: Callable[[], None]) -> None:
        try:
            step()
        except (OSError, KeyFault, CheckpointFault, CopyForeign, ProofRefused) as error:
            since_s, said = self._troubles.get(what, (time.monotonic(), ""))
            self._troubles[what] = since_s, str(error)
            if said != str(error):
                log.error(f"proof.{what}_failed", error=str(error), answer="the line goes on; it is tried again")
        else:
            if self._troubles.pop(what, None):
                log.info(f"proof.{what}_back")

    def _lag(self, store: str, what: str, rows: int) -> StoreLag:
        trouble = self._troubles.get(what)
        if trouble is None:  # rows that no checkpoint is due for yet are no lag
            return StoreLag(store=store, rows=0, seconds=0.0)
        return StoreLag(store=store, rows=rows, seconds=round(time.monotonic() - trouble[0], 1), why=trouble[1][:500])

    def _sign(self, journal: JournalReader) -> None:
        """One checkpoint, where one is due; the first ever at once, so that a journal without any is suspect."""
        if self._at is None:
            self._at = signed_to(self._file)
            if self._at is None:
                self._add(journal, BEGINNING)
                return
        rows = self._last - self._at.seq
        waited_s = time.monotonic() - self._signed_s
        if rows >= self._proof.every_rows or (
            rows > 0 and (self._draining.is_set() or waited_s >= self._proof.every_s)
        ):
            self._add(journal, self._at)

    def _add(self, journal: JournalReader, signed: Cursor) -> None:
        self._at = seal(journal, self._file, self._keys, signed, stopping=self._stopping.is_set)
        self._signed_s = time.monotonic()

    def _make_up(self) -> None:
        if self._copy is not None and self._at is not None:
            copy_proof(self._folder, self._station, self._copy)
