"""Child: asks the audit store at LINE_AUDIT_URL one question again and again, and says how long and how large."""

import json
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.history_rows import BEGIN, STATION, YEAR_NS
from config.shifts import Shifts
from monitor.messages import Outcome
from storage.audit import AuditStore
from storage.database import open_engine
from storage.questions import PAGE_ROWS, Place, Question
from storage.report_questions import Period
from storage.rollups import CELLS, HOUR_NS, Span

YEAR = Period(BEGIN - 24 * HOUR_NS, BEGIN + YEAR_NS)
MIDDLE = Shifts().around(BEGIN + YEAR_NS // 2)
SHIFT = Period(*MIDDLE)
PAGES = (
    Question(),
    Question(oldest_first=True),
    Question(outcome=Outcome.REJECT),
    Question(camera="web", oldest_first=True),
    Question(min_area_mm2=50.0),
    Question(zone="gauge-corner"),
    Question(model="cd" * 32),
)
COLUMNS = "seq, day, frame, camera, slot, outcome, reason, area_mm2, captured_at, model_sha256"
NEWEST = (
    f"SELECT {COLUMNS} FROM plain_inspection WHERE station = :s ORDER BY captured_at DESC, seq DESC LIMIT {PAGE_ROWS}"
)
REGIONS = "plain_defect d JOIN plain_inspection i ON i.station = d.station AND i.seq = d.seq AND i.day = d.day"
DURING = "i.station = :s AND i.captured_at >= :since AND i.captured_at < :until"
UNINDEXED = {  # the same from the rows themselves
    "page-first": NEWEST,
    "page-deep": f"{NEWEST} OFFSET (SELECT count(*) / 2 FROM plain_inspection)",
    "report-shift": f"SELECT camera, outcome, reason, count(*) FROM plain_inspection i WHERE {DURING} GROUP BY 1, 2, 3",
    "report-quality": "SELECT shift_at, camera, outcome, reason, count(*) FROM plain_inspection i "
    f"WHERE {DURING} GROUP BY 1, 2, 3, 4",
    "report-spc": "SELECT shift_at, camera, count(*), sum(area_mm2), sum(area_mm2 * area_mm2), "
    "sum(score), sum(score * score), sum(latency_ms), sum(latency_ms * latency_ms) FROM plain_inspection i "
    f"WHERE {DURING} GROUP BY 1, 2",
    "report-pareto": "SELECT i.camera, d.zone, CAST(d.area_mm2 / 10 AS INTEGER), count(*), sum(d.area_mm2) "
    f"FROM {REGIONS} WHERE {DURING} GROUP BY 1, 2, 3",
    "report-map": f"SELECT i.camera, (2 * d.x + d.width) * {CELLS} / (2 * i.width), "
    f"(2 * d.y + d.height) * {CELLS} / (2 * i.height), count(*) FROM {REGIONS} WHERE {DURING} GROUP BY 1, 2, 3",
    "report-latency": "SELECT camera, CAST(latency_ms AS INTEGER), count(*) FROM plain_inspection i "
    f"WHERE {DURING} GROUP BY 1, 2",
}
NAMES = tuple(UNINDEXED)


def questions(audit: AuditStore, draw: random.Random) -> dict[str, Callable[[], object]]:
    """What is asked under each name."""
    reports = audit.reports

    def deep() -> object:
        place = Place(BEGIN + draw.randrange(YEAR_NS // 10, 9 * YEAR_NS // 10), 0)
        return audit.page(draw.choice(PAGES), place)

    return {
        "page-first": lambda: audit.page(Question()),
        "page-deep": deep,
        "report-shift": lambda: reports.shift(SHIFT),
        "report-quality": lambda: reports.quality(YEAR),
        "report-spc": lambda: reports.spc(YEAR, Span.SHIFT),
        "report-pareto": lambda: reports.pareto(YEAR),
        "report-map": lambda: reports.density(YEAR),
        "report-latency": lambda: reports.latency(YEAR),
    }


def main(name: str, rounds: int, unindexed: bool) -> None:
    """Prints one JSON object: name, p50_ms, p99_ms, peak_mb. The first time is cold, and is counted."""
    url = os.environ["LINE_AUDIT_URL"]
    ask = (
        _plainly(url, name) if unindexed else questions(AuditStore(url, STATION, writes=False), random.Random(1))[name]
    )
    times_ms = []
    for _ in range(rounds):
        begun_s = time.perf_counter()
        ask()
        times_ms.append(1000 * (time.perf_counter() - begun_s))
    times_ms.sort()
    status = Path("/proc/self/status").read_text()  # getrusage would count what our parent had before it became us
    peak_mb = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024
    found: dict[str, Any] = {
        "name": name,
        "p50_ms": round(statistics.median(times_ms), 2),
        "p99_ms": round(times_ms[min(rounds - 1, int(0.99 * rounds))], 2),
        "peak_mb": round(peak_mb, 1),
    }
    sys.stdout.write(json.dumps(found) + "\n")


def _plainly(url: str, name: str) -> Callable[[], object]:
    engine = open_engine(url, writes=False)
    period = SHIFT if name == "report-shift" else YEAR

    def ask() -> object:
        facts = {"s": STATION, "since": period.since, "until": period.until}
        with engine.begin() as connection:
            return connection.execute(text(UNINDEXED[name]), facts).all()

    return ask


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1")
