"""Pages are the whole answer in both orders, each found by an index however deep it lies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Connection

import storage.questions
from monitor.messages import Outcome, Reason
from storage.audit import AuditStore
from storage.database import open_engine
from storage.questions import Days, Found, Place, Question, behind, matching, windows, within
from storage.schema import DAY_NS
from tests.storage.builders import MODEL, NOON, a_region, a_verdict
from tests.storage.chained import chained
from tests.storage.test_migrate import connected

ASKED = [
    pytest.param({}, id="all"),
    pytest.param({"outcome": Outcome.REJECT}, id="outcome"),
    pytest.param({"reason": Reason.DARK}, id="reason"),
    pytest.param({"camera": "web"}, id="camera"),
    pytest.param({"slot": 7}, id="part"),
    pytest.param({"frame": "rail-03/head/1/000004"}, id="frame"),
    pytest.param({"model": MODEL}, id="model"),
    pytest.param({"min_area_mm2": 50.0}, id="area"),
    pytest.param({"zone": "gauge"}, id="zone"),
]


@pytest.fixture
def audit(url: str) -> Iterator[AuditStore]:
    """300 verdicts over 200 days: some days are full, most are empty."""
    store = AuditStore(url, "rail-03")
    entries = []
    for slot in range(300):
        at = NOON + (slot * slot % 200) // 40 * 40 * DAY_NS + slot % 11 * 3_600_000_000_000
        if slot % 3 == 0:
            regions = (a_region(slot / 2),)
            entries.append(a_verdict(slot, Outcome.REJECT, at=at, area_mm2=slot / 2, regions=regions))
        elif slot % 7 == 0:
            entries.append(a_verdict(slot, Outcome.NOT_INSPECTED, Reason.DARK, camera="web", at=at))
        else:
            entries.append(a_verdict(slot, camera=("head", "web")[slot % 2], at=at))
    store.project(chained(entries))
    yield store
    store.close()


def paged(audit: AuditStore, question: Question, rows: int) -> list[Found]:
    found: list[Found] = []
    while page := audit.page(question, found[-1].place if found else None, rows=rows):
        found += page
    return found


@pytest.mark.parametrize("facts", ASKED)
@pytest.mark.parametrize("oldest_first", [False, True], ids=["newest", "oldest"])
def test_pages_are_the_whole_answer(audit: AuditStore, facts: dict[str, Any], oldest_first: bool) -> None:
    whole = [each for each in audit.history(Question()) if all(_has(each, *fact) for fact in facts.items())]
    question = Question(oldest_first=oldest_first, **facts)

    found = paged(audit, question, 7)

    assert found == sorted(whole, key=lambda each: each.place, reverse=not oldest_first)
    assert found == list(audit.history(question))


def test_a_period_bounds_the_pages(audit: AuditStore) -> None:
    since, until = NOON + 30 * DAY_NS, NOON + 90 * DAY_NS

    found = paged(audit, Question(since=since, until=until), 10)

    assert found == [each for each in audit.history(Question()) if since <= each.captured_at < until]
    assert found


def test_an_empty_store_has_no_pages(url: str) -> None:
    store = AuditStore(url, "rail-03")

    assert store.page(Question(), Place(NOON, 1)) == []

    store.close()


@pytest.mark.parametrize(
    ("days", "oldest_first", "found"),
    [
        pytest.param(Days(5, 5), False, [(5, 5)], id="one"),
        pytest.param(Days(0, 30), False, [(30, 30), (26, 29), (10, 25), (0, 9)], id="newest"),
        pytest.param(Days(0, 30), True, [(0, 0), (1, 4), (5, 20), (21, 30)], id="oldest"),
        pytest.param(Days(6, 5), False, [], id="none"),
        pytest.param(
            Days(0, 364),
            True,
            [(0, 0), (1, 4), (5, 20), (21, 84), (85, 148), (149, 212), (213, 276), (277, 340), (341, 364)],
            id="a-year-is-no-single-statement",
        ),
    ],
)
def test_windows_cover_each_day_once(days: Days, oldest_first: bool, found: list[tuple[int, int]]) -> None:
    assert list(windows(days, oldest_first=oldest_first)) == found


def plan(connection: Connection, facts: dict[str, Any], *, oldest_first: bool) -> str:
    """How SQLite would find a page in the middle of the year."""
    question = Question(oldest_first=oldest_first, **facts)
    day = NOON // DAY_NS
    asked = matching("rail-03", question).where(behind(Place(NOON, 500), oldest_first=oldest_first))
    asked = asked.where(within(Days(day, day))).limit(500)
    compiled = asked.compile(connection, compile_kwargs={"render_postcompile": True})
    values = tuple(compiled.params[name] for name in compiled.positiontup or ())
    return "\n".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values))


@pytest.fixture
def year(folder: Path) -> Iterator[Connection]:
    url = f"sqlite:///{folder / 'audit.sqlite'}"
    store = AuditStore(url, "rail-03")
    store.cursor()
    store.close()
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize(
    ("facts", "index"),
    [
        pytest.param(*param.values, index, id=param.id)
        for param, index in zip(
            ASKED,
            (
                "newest",
                "by_outcome",
                "by_reason",
                "by_camera",
                "by_slot",
                "by_frame",
                "by_model",
                "with_defects",
                "by_zone",
            ),
            strict=True,
        )
    ],
)
@pytest.mark.parametrize("oldest_first", [False, True], ids=["newest", "oldest"])
def test_a_page_is_found_and_ordered_by_an_index(
    year: Connection, facts: dict[str, Any], index: str, oldest_first: bool
) -> None:
    how = plan(year, facts, oldest_first=oldest_first)

    assert f"SEARCH inspection USING INDEX inspection_{index} (" in how
    assert "SCAN" not in how
    assert "TEMP B-TREE" not in how or index == "by_frame"  # a sort: every row would be read for one page


def test_left_to_itself_sqlite_would_read_a_year_for_few_rows(
    year: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.questions, "_index", lambda _: "newest")

    assert "inspection_newest" in plan(year, {"reason": Reason.DARK}, oldest_first=False)


def test_stations_have_their_own_pages(url: str, audit: AuditStore) -> None:
    other = AuditStore(url, "rail-07")

    assert other.page(Question()) == []

    other.close()
    with connected(url) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM inspection").scalar() == 300


def _has(found: Found, name: str, value: Any) -> bool:
    if name == "min_area_mm2":
        return found.area_mm2 is not None and found.area_mm2 >= value
    return bool(getattr(found, name, None) == value)
