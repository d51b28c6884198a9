"""A run in figures: what journal, stores and the outside witness say of it, under the keys that people script."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from config.loader import state_folder
from config.station import Station
from monitor.jsonlog import read_lines
from monitor.rules.verdicts import Provenance
from monitor.twin.truth import count_truth
from storage.audit import open_audit
from storage.counts import count_run, live_count
from storage.images import ImageStore
from storage.projection import StoreForeign, StoreLost


def summarise(station: Station, rests_on: Provenance, *, restarts: int) -> dict[str, Any]:
    """The object of `--summary`; whole numbers of this run."""
    folder, run = state_folder(station), rests_on.run
    counts = count_run(folder, station.name, run)
    capture, inference = counts.capture_to_verdict_ms, counts.inference_ms
    overhead = [whole - net for whole, net in zip(capture, inference, strict=True)]
    seconds = (counts.last_at - counts.first_at) / 1e9
    return {
        "station": station.name,
        "triggers": counts.triggers,
        "passed": counts.passed,
        "rejected": counts.rejected,
        "not_inspected": sum(counts.not_inspected.values()),
        "not_inspected_reasons": counts.not_inspected,
        "late": counts.late,
        "restarts": restarts,
        "recovered": counts.recovered,
        "fps": round(counts.triggers / seconds, 3) if seconds > 0 else 0.0,
        "engine": rests_on.engine,
        "model": {"name": rests_on.model_name, "sha256": rests_on.model_sha256},
        "latency_ms": {
            "capture_to_verdict": _percentiles(capture),
            "inference": _percentiles(inference),
            "overhead": _percentiles(overhead),
        },
        "truth": _truth(station, folder, run, counts.passed_slots),
        "journal_rows": counts.journal_rows - counts.recovered,
        "audit_rows": _audit_rows(station, folder, run, counts.recovered),
        "live_rows": _live_rows(folder, run, counts.recovered),
        "images": ImageStore(folder).count(counts.pictures),
    }


def _percentiles(times_ms: Sequence[float]) -> dict[str, float]:
    if not times_ms:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0}
    p50, p99 = np.percentile(times_ms, [50, 99])
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2), "max": round(max(times_ms), 2)}


def _truth(station: Station, folder: Path, run: str, passed: frozenset[int]) -> dict[str, int] | None:
    """What the twin saw of this run; None where there is no twin."""
    if station.twin is None:
        return None
    parts = [part for part in read_lines(folder / "twin.jsonl") if part["run"] == run]
    return count_truth(parts, passed=passed).as_dict()


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
