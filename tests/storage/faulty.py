"""A recorder whose stores fail, what its supervisor would say of them, and what Redis has."""

import time

import redis

from monitor.lifeline import Stores
from monitor.messages import Outcome
from monitor.rules.stores import StoreLag, StoreWatch
from storage.journal import SqliteJournal
from tests.storage.builders import RUN, a_region, a_verdict, sha256_of
from tests.storage.conftest import Valkey
from tests.storage.test_recorder import Recorder

CROP_BYTES = 60_000


class Watcher:
    """What a supervisor would say of the stores."""

    def __init__(self, recorder: Recorder, after_s: float) -> None:
        self._recorder, self._watch = recorder, StoreWatch(after_s)
        self.said: list[tuple[str, str]] = []
        self.lags: dict[str, StoreLag] = {}

    def look(self) -> list[tuple[str, str]]:
        for note in self._recorder.rope.notes()[0]:
            if isinstance(note, Stores):
                self.lags = {lag.store: lag for lag in note.lags}
                self.said += [(told.name, told.about) for told in self._watch.look(note.lags)]
        return self.said


def live_rows(server: Valkey) -> int:
    try:
        with server.client as client:
            return int(client.hget("line:rail-03:runs", RUN) or 0)
    except redis.RedisError:
        return -1


def shown(server: Valkey) -> list[int]:
    """The seqs in the stream, oldest first."""
    with server.client as client:
        return [int(entry.partition(b"-")[0]) for entry, _ in client.xrange("line:rail-03:verdicts")]


def inspect_defects(journal: SqliteJournal, slots: range) -> None:
    """Rejects of now, each with a crop that counts."""
    for slot in slots:
        crop = slot.to_bytes(4, "big") * (CROP_BYTES // 4)
        entry = a_verdict(slot, Outcome.REJECT, regions=(a_region(60.0, crop),), decided_at=time.time_ns())
        journal.append([entry], {sha256_of(crop): crop})


def pictures_to(recorder: Recorder, row: int) -> bool:
    """Whether the image store has come so far."""
    return bool(recorder.projected) and recorder.projected[-1] >= row
