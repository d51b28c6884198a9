"""The counts are those of the rows, after any verdicts and corrections, in any batches, whatever comes twice."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, select

import storage.intake
from config.shifts import Shifts
from monitor.messages import Gate, Outcome, Reason
from monitor.rows import Entry, Row
from storage.audit import AuditStore
from storage.database import open_engine
from storage.questions import Question
from storage.report_questions import Period, Times
from storage.rollup_store import recount
from storage.rollups import BUCKETS, SIZES_MM2, SPANS, Span, Tally, bucket_end, bucket_of, cell_of, size_of, size_range
from storage.schema import Cursor
from tests.storage.builders import NOON, a_correction, a_region, a_run, a_verdict, an_actuated
from tests.storage.chained import chained

EVER = Period(0, 2**62)
HOUR = 3_600_000_000_000
ENDINGS = [
    (Outcome.PASS, None),
    (Outcome.REJECT, None),
    *((Outcome.NOT_INSPECTED, r) for r in (Reason.LATE, Reason.DARK)),
]
AREAS = st.one_of(st.none(), st.floats(0, 5e4), st.just(1e12))
Move = tuple[str, int, tuple[Outcome, Reason | None], int, list[float | None]]
MOVES = st.tuples(
    st.sampled_from(["verdict", "verdict", "correction", "gate"]),
    st.integers(0, 30),
    st.sampled_from(ENDINGS),
    st.integers(-20 * HOUR, 20 * HOUR),
    st.lists(AREAS, max_size=3),
)


def rows_of(moves: list[Move]) -> list[Row]:
    """A journal: verdicts and what became of them."""
    entries: list[Entry] = [a_run()]
    verdicts: list[tuple[int, int]] = []  # seq, slot
    for slot, (kind, which, (outcome, reason), apart, areas) in enumerate(moves):
        if kind == "gate":
            entries.append(an_actuated(slot, Gate.REJECTED, late_ms=max(0.0, which - 15.0) ** 3))
        elif kind == "correction" and verdicts:
            seq, of = verdicts[which % len(verdicts)]
            entries.append(a_correction(of, seq, reason or Reason.LATE, outcome=outcome))
        else:
            area = sum(each or 0.0 for each in areas) if areas else None
            regions = tuple(a_region(each) for each in areas)
            camera = ("head", "web")[slot % 2]
            verdicts.append((len(entries) + 1, slot))
            entries.append(
                a_verdict(slot, outcome, reason, camera=camera, at=NOON + apart, area_mm2=area, regions=regions)
            )
    return chained(entries)


def counts(url: str) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {
            table.__tablename__: sorted(tuple(row) for row in connection.execute(select(table.__table__)))
            for table in SPANS
        }
    engine.dispose()
    return found


def recounted(url: str) -> dict[str, list[tuple[Any, ...]]]:
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        recount(connection)
    engine.dispose()
    return counts(url)


def assert_counted(url: str, moves: list[Move], cuts: list[int], replays: int) -> None:
    rows = rows_of(moves)
    store = AuditStore(url, "rail-03")
    for once in range(replays + 1):
        if once:
            forget_cursor(url)
        after = 0
        while after < len(rows):
            batch = rows[after : after + cuts[after % len(cuts)]]
            store.project(batch)
            after += len(batch)
    store.close()
    found = counts(url)
    assert recounted(url) == found
    verdicts = sum(kind == "verdict" or (kind == "correction") for kind, *_ in moves)
    assert sum(row[6] for row in found["verdict_rollup"] if row[1] == "shift") <= verdicts


def forget_cursor(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(delete(Cursor))
    engine.dispose()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(MOVES, min_size=1, max_size=40),
    cuts=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    replays=st.integers(0, 1),
)
def test_counts_are_those_of_the_rows(folder: Path, moves: list[Move], cuts: list[int], replays: int) -> None:
    (folder / "audit.sqlite").unlink(missing_ok=True)

    assert_counted(f"sqlite:///{folder / 'audit.sqlite'}", moves, cuts, replays)


def some_moves() -> list[Move]:
    """A shift's worth of everything, corrected twice over."""
    return [
        (kind, n, ENDINGS[n % 4], (n % 40 - 20) * HOUR, [None, 1.05 * n, 0.33][: n % 4])
        for n in range(120)
        for kind in ("verdict", "correction", "gate")
    ]


def test_counts_are_those_of_the_rows_in_any_database(url: str) -> None:
    assert_counted(url, some_moves(), [7, 50, 1], 1)


def test_the_batching_changes_no_bit(url: str, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"

    assert_counted(url, some_moves(), [1000], 0)
    assert_counted(other, some_moves(), [3], 0)

    assert counts(url) == counts(other)


def test_corrections_that_moved_no_count_would_be_seen(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(Tally):
        def add(self, verdict: Any, defects: Any, sign: int = 1) -> None:
            if sign > 0:
                super().add(verdict, defects)

    monkeypatch.setattr(storage.intake, "Tally", Forgetful)

    with pytest.raises(AssertionError):
        assert_counted(url, some_moves(), [10], 0)


def test_reports_are_read_from_the_counts(url: str) -> None:
    store = AuditStore(url, "rail-03")
    store.project(rows_of(some_moves()))
    found = list(store.history(Question()))

    quality, spc, pareto = store.reports.quality(EVER), store.reports.spc(EVER), store.reports.pareto(EVER)
    density, times = store.reports.density(EVER), {t.measure: t for t in store.reports.latency(EVER) if not t.camera}

    assert sum(each.verdicts for each in quality) == sum(each.verdicts for each in spc) == len(found)
    rejected = sum(each.outcome == "REJECT" for each in found)
    assert sum(each.verdicts for each in quality if each.outcome == "REJECT") == rejected
    assert sum(each.rejected for each in spc) == rejected
    defects = sum(each.defects for each in quality)
    assert defects == sum(each.defects for each in pareto) == sum(each.defects for each in density) > 0
    assert [each.defects for each in pareto] == sorted((each.defects for each in pareto), reverse=True)
    assert sum(each.measure("latency").n for each in spc) == len(found)
    assert spc[0].measure("latency").mean == 55.0
    assert spc[0].measure("latency").variance == 0.0
    assert sum(times["late"].buckets.values()) == 120
    assert store.reports.shift(EVER).outcomes == quality
    store.close()


@pytest.mark.parametrize("span", Span)
def test_a_period_takes_in_what_begins_in_it(url: str, span: Span) -> None:
    store = AuditStore(url, "rail-03")
    store.project(rows_of(some_moves()))
    starts = sorted({each.starts_at for each in store.reports.quality(EVER, span)})

    found = store.reports.quality(Period(starts[1], starts[2]), span)

    assert sorted({each.starts_at for each in found}) == [starts[1]]
    store.close()


def test_a_station_that_changes_its_shifts_keeps_what_was_counted(folder: Path) -> None:
    url = f"sqlite:///{folder / 'audit.sqlite'}"
    rows = chained([a_verdict(1), a_verdict(2), a_correction(1, 1)])
    first = AuditStore(url, "rail-03")
    first.project(rows[:2])
    first.close()

    second = AuditStore(url, "rail-03", Shifts(begin=("05:00", "17:00"), zone="Europe/Vienna"))
    second.project(rows[2:])
    second.close()

    assert recounted(url) == counts(url)
    assert {row[2] for row in counts(url)["verdict_rollup"] if row[1] == "shift"} == {Shifts().around(NOON)[0]}


@pytest.mark.parametrize(
    ("area_mm2", "size"),
    [(None, -1), (0.0, 0), (0.09, 0), (0.1, 1), (4.99, 5), (5.0, 6), (9999.0, 15), (1e4, 16), (1e9, 16)],
)
def test_size_classes(area_mm2: float | None, size: int) -> None:
    least, below = size_range(size)

    assert size_of(area_mm2) == size
    assert size <= len(SIZES_MM2)
    if area_mm2 is not None:
        assert least is not None
        assert least <= area_mm2 < (below or math.inf)


@pytest.mark.parametrize("ms", [0.0, 0.5, 1.0, 1.18, 1.2, 55.0, 1000.0, 3e5, 1e300])
def test_buckets(ms: float) -> None:
    bucket = bucket_of(ms)

    assert 0 <= bucket < BUCKETS
    assert bucket == BUCKETS - 1 or ms <= bucket_end(bucket)
    assert bucket == 0 or bucket_end(bucket - 1) <= ms


def test_quantiles_are_at_most_a_bucket_above() -> None:
    times = Times(camera="head", measure="latency", buckets={bucket_of(40.0): 98, bucket_of(200.0): 2})

    assert 40.0 <= (times.quantile(0.5) or 0) <= 48.0
    assert 200.0 <= (times.quantile(0.99) or 0) <= 240.0
    assert Times(camera="head", measure="late", buckets={}).quantile(0.5) is None


@pytest.mark.parametrize(
    ("box", "cell"), [((0, 0, 2, 2), (0, 0)), ((158, 998, 2, 2), (31, 31)), ((79, 499, 2, 2), (16, 16))]
)
def test_cells(box: tuple[int, int, int, int], cell: tuple[int, int]) -> None:
    assert cell_of(dict(zip(("x", "y", "width", "height"), box, strict=True)), 160, 1000) == cell
