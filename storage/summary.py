"""A run in figures: what journal, stores and the outside witness say of it, under the keys that people script."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from config.loader import state_folder
from config.station import Station
from monitor.jsonlog import LogFollower
from monitor.messages import Outcome
from monitor.rules.verdicts import Provenance
from monitor.twin.truth import TruthCounter
from storage.audit import open_audit
from storage.counts import RunCounter, live_count
from storage.images import ImageStore
from storage.projection import StoreForeign, StoreLost

PAGES_AT_ONCE = 3  # while the line runs: the supervisor has ropes to hold


class Summary:
    """Opened before the run starts, kept up while it lasts: Ctrl-C must not wait for a shift to be read again."""

    def __init__(self, station: Station, rests_on: Provenance) -> None:
        self._station, self._rests_on = station, rests_on
        self._folder = state_folder(station)
        self._counter = RunCounter(self._folder, rests_on.run)
        self._parts = LogFollower(self._folder / "twin.jsonl") if station.twin is not None else None
        self._truth = TruthCounter()

    def follow(self) -> None:
        """Takes in what was written lately."""
        self._counter.follow(PAGES_AT_ONCE)
        self._witness()

    def close(self, *, restarts: int) -> dict[str, Any]:
        """The object of `--summary`; whole numbers of this run."""
        counter, folder, run = self._counter, self._folder, self._rests_on.run
        counter.follow()
        self._witness()
        counter.close()
        capture, inference = list(counter.capture_to_verdict_ms), list(counter.inference_ms)
        seconds = (counter.last_at - counter.first_at) / 1e9
        return {
            "station": self._station.name,
            "triggers": counter.triggers,
            "passed": counter.outcomes[Outcome.PASS],
            "rejected": counter.outcomes[Outcome.REJECT],
            "not_inspected": counter.outcomes[Outcome.NOT_INSPECTED],
            "not_inspected_reasons": {reason: n for reason, n in counter.reasons.items() if n},
            "late": counter.late,
            "restarts": restarts,
            "recovered": counter.recovered,
            "fps": round(counter.triggers / seconds, 3) if seconds > 0 else 0.0,
            "engine": self._rests_on.engine,
            "model": {"name": self._rests_on.model_name, "sha256": self._rests_on.model_sha256},
            "latency_ms": {
                "capture_to_verdict": _percentiles(capture),
                "inference": _percentiles(inference),
                "overhead": _percentiles([whole - net for whole, net in zip(capture, inference, strict=True)]),
            },
            "truth": self._truth.truth().as_dict() if self._parts else None,
            "journal_rows": counter.triggers,
            "audit_rows": _audit_rows(self._station, folder, run, counter.recovered),
            "live_rows": _live_rows(folder, run, counter.recovered),
            "images": _images(folder, counter),
        }

    def _witness(self) -> None:
        """What the twin saw since; the journal was read first, so a part's PASS is known before its release."""
        for part in self._parts.lines() if self._parts else ():
            if part["run"] == self._rests_on.run:
                self._truth.add(part, passed=self._counter.is_passed(part["slot"]))


def _percentiles(times_ms: Collection[float]) -> dict[str, float]:
    if not times_ms:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0}
    p50, p99 = np.percentile(list(times_ms), [50, 99])
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2), "max": round(max(times_ms), 2)}


def _images(folder: Path, counter: RunCounter) -> int:
    """Pictures of this run that the image store has taken in."""
    cursor = ImageStore(folder).cursor()
    return counter.pictures - counter.pictures_behind(cursor.seq) if cursor else 0


def _audit_rows(station: Station, folder: Path, run: str, recovered: int) -> int | None:
    """Verdicts of this run in SQL; None while the store is away."""
    try:
        store = open_audit(folder, station.name)
        if store is None:
            return 0
        try:
            return store.count(run) - recovered
        finally:
            store.close()
    except (StoreLost, StoreForeign):
        return None


def _live_rows(folder: Path, run: str, recovered: int) -> int | None:
    taken = live_count(folder, run)
    return None if taken is None else taken - recovered
