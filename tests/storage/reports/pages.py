"""Pages and stores to test reports with: small ones, whose figures are worked out by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from config.loader import load_station
from config.station import Station
from monitor.messages import Outcome, Reason
from monitor.rows import Entry, VerdictBody
from storage.audit import AuditStore
from storage.reports.asked import Asked, Options
from storage.reports.page import Column, Fact, Footer, Gap, Page, Part, Photo, Picture, Table, Text
from storage.reports.pictures import outcome_bars
from tests.storage.builders import NOON, a_png, a_region, a_run, a_verdict, sha256_of
from tests.storage.chained import chained

HOUR = 3_600_000_000_000
SHIFT_0 = 1_789_999_200_000_000_000 - 1_789_999_200_000_000_000 % (24 * HOUR) + 6 * HOUR  # 06:00 of NOON's day, UTC
HOSTILE = '=cmd|"/c calc"!A1<script>alert(1)</script>'


def a_picture() -> Picture:
    bars = {"passed": [3], "rejected": [1], "not inspected": [0]}
    return Picture(title="Bars", svg=outcome_bars(["a"], bars, points="shift", parts="parts"))


def a_page(name: str = "head", *, parts: tuple[Part, ...] | None = None) -> Page:
    """One of everything; `name` is what came from the line."""
    every: tuple[Part, ...] = (
        Table(
            title=name,
            columns=(
                Column(key="camera", title=name),
                Column(key="parts", title="Parts"),
                Column(key="share", title="Share", is_share=True),
            ),
            rows=({"camera": name, "parts": 12345, "share": 0.5}, {"camera": "-1+2", "parts": None, "share": None}),
            note=name,
        ),
        a_picture(),
        Photo(title=name, sha256=sha256_of(a_png(1)), png=a_png(1)),
        Photo(title="gone", sha256=sha256_of(a_png(2)), png=None),
        Text(title="Text", text=name),
        Gap(title="Gap", missing=name, remedy=f"Run {name}."),
    )
    return Page(
        report="quality",
        title="Quality",
        station=name,
        period="2026-09-21 06:00 to 2026-09-21 14:00, UTC",
        facts=(
            Fact(key="coverage", title="Coverage", value=0.9912, is_share=True, digits=2, note=name),
            Fact(key="dpmo", title="DPMO", value=None, note="no part"),
        ),
        parts=every if parts is None else parts,
        rows=({"camera": name, "parts": 12345},),
        footer=Footer(query={"camera": name}, row_count=3, time_zone="UTC", chain_head="ab" * 32, version="0.1.0"),
    )


def verdict(
    slot: int, outcome: Outcome, *, at: int, reason: Reason | None = None, areas: tuple[float, ...] = (), **facts: Any
) -> Entry:
    """A verdict; `facts` are of its body."""
    camera = facts.pop("camera", "head")
    made = a_verdict(
        slot,
        outcome,
        reason,
        camera=camera,
        at=at,
        area_mm2=sum(areas) if outcome is not Outcome.NOT_INSPECTED else None,
        regions=tuple(a_region(area) for area in areas),
    )
    assert isinstance(made.body, VerdictBody)
    return msgspec.structs.replace(made, body=msgspec.structs.replace(made.body, **facts)) if facts else made


def two_shifts() -> list[Entry]:
    """Early: 6 passed, 2 rejected with 3 defects, 2 dark. Late: 9 passed, one with a speck, 1 rejected with 1."""
    late = SHIFT_0 + 8 * HOUR
    early = [verdict(n, Outcome.PASS, at=SHIFT_0 + n) for n in range(6)]
    early += [verdict(6, Outcome.REJECT, at=SHIFT_0 + 6, areas=(60.0, 0.3))]
    early += [verdict(7, Outcome.REJECT, at=SHIFT_0 + 7, areas=(50.0,))]
    early += [verdict(n, Outcome.NOT_INSPECTED, at=SHIFT_0 + n, reason=Reason.DARK) for n in (8, 9)]
    later = [verdict(n, Outcome.PASS, at=late + n) for n in range(10, 18)]
    later += [verdict(18, Outcome.PASS, at=late + 18, areas=(1.0,))]
    later += [verdict(19, Outcome.REJECT, at=late + 19, areas=(80.0,))]
    return [a_run(started_at=SHIFT_0), *early, *later]


@contextmanager
def asked_of(
    url: str, entries: list[Entry], *, folder: Path = Path("/nowhere"), station: Station | None = None, **given: Any
) -> Iterator[Asked]:
    """A report asked of a store that has taken these in; `given` is of Asked, or of its options."""
    ours = station or load_station("rail-03")
    of_asked = {key: given.pop(key) for key in ("since", "until") if key in given}
    store = AuditStore(url, ours.name, ours.shifts)
    if entries:
        store.project(chained(entries))
    try:
        with store.snapshot() as snapshot:
            yield Asked(station=ours, folder=folder, snapshot=snapshot, options=Options(**given), **of_asked)
    finally:
        store.close()


def the_facts(page: Page) -> dict[str, Any]:
    return {fact.key: fact.value for fact in page.facts}


def table(page: Page, title: str) -> list[dict[str, Any]]:
    return next(list(part.rows) for part in page.parts if isinstance(part, Table) and part.title == title)


assert SHIFT_0 <= NOON < SHIFT_0 + 24 * HOUR
