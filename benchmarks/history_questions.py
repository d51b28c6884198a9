"""Child: asks the audit store at LINE_AUDIT_URL one question again and again, and says how long and how large.

A report is made as `linectl report` makes it, whole, from the store to its JSON.
"""

import json
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.history_rows import BEGIN, STATION, YEAR_NS, station
from config.shifts import Shifts
from monitor.messages import Outcome
from storage.audit import AuditStore
from storage.database import open_engine
from storage.questions import PAGE_ROWS, Place, Question
from storage.report_questions import Period
from storage.reports.asked import Asked, Options
from storage.reports.catalog import make
from storage.reports.page import as_json
from storage.rollups import CELLS, HOUR_NS

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
OF_ROWS = ("report-pod", "report-what-if", "report-trace")  # these read single rows, and say how many
NAMES = (*UNINDEXED, *OF_ROWS)
STRICTER = "[policy]\nmin_region_mm2 = 4.0\nreject_region_mm2 = 20.0\nreject_total_mm2 = 40.0\ngrey_band = 0.2\n"


def questions(audit: AuditStore, folder: Path, draw: random.Random) -> dict[str, Callable[[], object]]:
    """What is asked under each name; `folder` has the end of the journal."""
    asked_of = station()
    newest = audit.page(Question(limit=1), rows=1)
    policy = folder / "stricter.toml"
    policy.write_text(STRICTER)

    def report(name: str, period: Period | None, **options: Any) -> Callable[[], dict[str, Any]]:
        def ask() -> dict[str, Any]:
            with audit.snapshot() as snapshot:
                of = Asked(station=asked_of, folder=folder, snapshot=snapshot, options=Options(**options))
                return as_json(
                    make(name, of if period is None else replace(of, since=period.since, until=period.until))
                )

        return ask

    def deep() -> object:
        place = Place(BEGIN + draw.randrange(YEAR_NS // 10, 9 * YEAR_NS // 10), 0)
        return audit.page(draw.choice(PAGES), place)

    last = Period(*Shifts().around(newest[0].captured_at)) if newest else YEAR
    return {
        "page-first": lambda: audit.page(Question()),
        "page-deep": deep,
        "report-shift": report("shift", SHIFT),
        "report-quality": report("quality", YEAR),
        "report-spc": report("spc", YEAR),
        "report-pareto": report("pareto", YEAR),
        "report-map": report("map", YEAR),
        "report-latency": report("latency", YEAR),
        "report-pod": report("pod", YEAR),
        "report-what-if": report("what-if", last, policy=policy),
        "report-trace": report("trace", None, part=str(newest[0].slot) if newest else "0"),
    }


def main(name: str, rounds: int, folder: Path | None) -> None:
    """Prints one JSON object: name, p50_ms, p99_ms, peak_mb, rows_read. The first time is cold, and is counted.

    `folder`: the state folder; None: the plain copy is asked.
    """
    url = os.environ["LINE_AUDIT_URL"]
    ask = (
        _plainly(url, name)
        if folder is None
        else questions(AuditStore(url, STATION, writes=False), folder, random.Random(1))[name]
    )
    times_ms = []
    for _ in range(rounds):
        begun_s = time.perf_counter()
        answer = ask()
        times_ms.append(1000 * (time.perf_counter() - begun_s))
    times_ms.sort()
    status = Path("/proc/self/status").read_text()  # getrusage would count what our parent had before it became us
    peak_mb = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024
    found: dict[str, Any] = {
        "name": name,
        "p50_ms": round(statistics.median(times_ms), 2),
        "p99_ms": round(times_ms[min(rounds - 1, int(0.99 * rounds))], 2),
        "peak_mb": round(peak_mb, 1),
        "rows_read": answer["row_count"] if name in OF_ROWS and isinstance(answer, dict) else None,
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
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None)
