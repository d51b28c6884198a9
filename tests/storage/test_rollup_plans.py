"""What a correction costs does not grow with the store: each statement of the counts is led by the whole of a key."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, event, text

from monitor.messages import Outcome, Reason
from storage import rollup_store
from storage.database import open_engine
from storage.rollup_store import add_tally
from storage.rollups import SPANS, Tally
from storage.schema import Base
from tests.storage.builders import NOON

FACTS: dict[str, Any] = {
    "seq": 1, "day": 1, "captured_at": NOON, "shift_at": NOON, "camera": "head", "outcome": str(Outcome.PASS),
    "reason": None, "corrected_by": None, "grey": False, "width": 160, "height": 1000, "measures": {}, "area_mm2": 3.0,
    "score": 0.5, "latency_ms": 12.0,
}  # fmt: skip
DEFECT = {"x": 1, "y": 1, "width": 4, "height": 4, "area_mm2": 3.0, "zone": "edge", "ignored": False}


def plans(folder: Path) -> list[str]:
    """How SQLite takes away the counts that came to nothing."""
    engine = open_engine(f"sqlite:///{folder / 'audit.sqlite'}", writes=True)
    tally = Tally("rail-03")
    tally.add(FACTS, [DEFECT], -1)
    tally.add(FACTS | {"outcome": str(Outcome.NOT_INSPECTED), "reason": str(Reason.LATE)}, [DEFECT])
    found: list[str] = []
    with engine.begin() as connection:
        Base.metadata.create_all(connection)

        def note(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
            if statement.startswith("DELETE"):
                found.extend(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall())

        event.listen(connection, "before_cursor_execute", note)
        add_tally(connection, tally, "rail-03", moved=True)
        left = connection.execute(text("SELECT count(*) FROM verdict_rollup WHERE verdicts = 0")).scalar()
    engine.dispose()
    assert left == 0
    return found


def test_counts_that_came_to_nothing_are_found_by_their_key(folder: Path) -> None:
    found = plans(folder)

    assert len(found) == len(SPANS) - 1  # times were not moved
    assert [plan for plan in found if "(station=? AND span=? AND starts_at=?)" not in plan] == []


def test_without_the_span_all_counts_are_looked_through(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""

    class Careless:
        def __init__(self, table: Any) -> None:
            self._statement = delete(table)

        def where(self, *conditions: Any) -> Any:
            return self._statement.where(*(each for each in conditions if ".span IN" not in str(each)))

    monkeypatch.setattr(rollup_store, "delete", Careless)

    assert any("(station=? AND span=? AND starts_at=?)" not in plan for plan in plans(folder))
