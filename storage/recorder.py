"""Process: the journal in; images, SQL, Redis and signed checkpoints out.

Each store has its own thread, cursor and view of the journal, so one that is away delays no other:

    journal ──▶ images ──▶ Projected (decision may drop its copies)
            ──▶ SQL audit store
            ──▶ Redis
            ──▶ checkpoints, beside the journal and in the second place
            ──▶ archive: closed files that every store has taken in, packed
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import structlog

from config.loader import state_folder
from config.station import Station
from monitor.lifeline import Drain, Lifeline, Stores
from monitor.rules.stores import StoreLag
from storage.archiver import Archiver
from storage.audit import AuditStore
from storage.counts import write_live_counts
from storage.database import audit_url
from storage.follower import Follower, Opens
from storage.images import ImageStore
from storage.live import LiveStore
from storage.live_seed import open_live
from storage.projection import Projection, StoreLost
from storage.proof.checkpoints import second_place
from storage.proof.signer import CheckpointSigner
from storage.reader import JournalReader
from storage.retention_keeper import RetentionKeeper

POLL_S = 0.2  # rows that came together are written together
DRAIN_S = 3.0
LAST_ANSWER_S = 0.5  # from Redis, when nothing is left to wait behind it
SAY_S = 0.5
STORES_FILE = "stores.json"  # how far each store is, for whoever looks from outside
log = structlog.get_logger()


def run_recorder(
    lifeline: Lifeline, station: Station, *, live_url: str | None, projected: Callable[[int], object]
) -> None:
    """Projects until it is told to drain; `projected` is told how far the pictures are safe."""
    folder = state_folder(station)
    stores = _stores(station, folder, live_url)
    followers = {name: Follower(name, folder, opens) for name, opens in stores.items()}
    signer = CheckpointSigner(station.name, folder, station.proof, second_place(station))
    keeper = RetentionKeeper(station, folder)
    archiver = Archiver(folder, station.archive.keep_files, spare_mb=station.disk.no_pass_frames_mb)
    threads: list[Follower | CheckpointSigner | RetentionKeeper | Archiver] = [
        *followers.values(),
        signer,
        keeper,
        archiver,
    ]
    told, said_s = 0, 0.0
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
            archiver.allow(min(follower.taken for follower in followers.values()))
            told = _tell(followers["images"], told, projected)
            if (now_s := time.monotonic()) - said_s >= SAY_S:
                said_s = now_s
                _say_lags(lifeline, folder, [*(each.lag() for each in followers.values()), *signer.lags()])
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
    archiver.stop()


def _stores(station: Station, folder: Path, live_url: str | None) -> dict[str, Opens]:
    """The stores of this station; Redis only where there is one."""

    def images(journal: JournalReader) -> Projection:
        store = ImageStore(folder, journal.attachment)
        store.open()
        return store

    def audit(_: JournalReader) -> Projection:
        return AuditStore(audit_url(folder), station.name, station.shifts)

    def live(journal: JournalReader) -> Projection:
        return open_live(live_url or "", station, folder, journal)

    stores: dict[str, Opens] = {"images": images, "audit": audit}
    if live_url is not None:
        stores["live"] = live
    return stores


def _tell(images: Follower, told: int, projected: Callable[[int], object]) -> int:
    """Says how far the pictures are safe, where that has changed."""
    if images.taken > told:
        projected(images.taken)
    return images.taken


def _say_lags(lifeline: Lifeline, folder: Path, found: Sequence[StoreLag]) -> None:
    """To the supervisor, who calls a person, and to a file: whole, and of no worth after a power loss."""
    lags = tuple(found)
    lifeline.say(Stores(lags=lags))
    with suppress(OSError):  # a full disk: the followers say so
        new = folder / f"{STORES_FILE}.new"
        new.write_bytes(msgspec.json.encode({"at": time.time_ns(), "rows": lags}))
        new.rename(folder / STORES_FILE)


def _note_live_counts(folder: Path, station: Station, live_url: str) -> None:
    """What Redis has taken in of each run: our own server stops with the line, and the summary comes after it."""
    limits = station.live
    store = LiveStore(
        live_url, station.name, limits, row=lambda _: None, picture=lambda _: None, timeout_s=LAST_ANSWER_S
    )
    try:
        write_live_counts(folder, store.runs())
    except StoreLost as error:
        log.warning("live.uncounted", error=str(error))
    finally:
        store.close()
