"""Row 82: whatever a reader asks, it changes nothing, learns nothing else, and is broken off when it takes too long."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from storage import database
from storage.audit import AuditStore
from storage.database import open_engine
from storage.questions import Question
from storage.report_questions import Period
from tests.storage.builders import a_verdict
from tests.storage.chained import chained

PARTS = 6
HOSTILE = (
    "' OR '1'='1",
    "'; DROP TABLE inspection; --",
    '" OR ""="',
    "head' UNION SELECT sha256, name FROM model --",
    "%",
    "_",
    "\\",
    "head'/*",
    "1; ATTACH DATABASE 'x' AS y",
    "\u202e' OR true --",
    "x" * 100_000,
)
COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) SELECT count(*) FROM n"


@pytest.fixture
def store(url: str) -> Any:
    with_rows = AuditStore(url, "rail-03")
    with_rows.project(chained([a_verdict(slot) for slot in range(1, PARTS + 1)]))
    with_rows.close()
    reader = AuditStore(url, "rail-03", writes=False)
    yield reader
    reader.close()


@pytest.mark.parametrize("words", HOSTILE, ids=lambda words: repr(words[:24]))
def test_row_82_words_are_never_a_statement(store: AuditStore, words: str) -> None:
    for question in (
        Question(camera=words),
        Question(frame=words),
        Question(zone=words),
        Question(model=words),
        Question(label=words),
    ):
        assert list(store.history(question)) == []
    assert store.models(words) == []
    assert store.count(words) == 0
    assert store.labels.look_up([words], []) == []
    with store.snapshot() as snapshot:
        assert snapshot.rows.endings(Period(0, 2**62), words, 10) == []
    assert len(list(store.history(Question()))) == PARTS


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM inspection",
        "UPDATE inspection SET outcome = 'PASS'",
        "DROP TABLE defect",
        "CREATE TABLE mine (x INTEGER)",
        "INSERT INTO model (sha256, name) VALUES ('a', 'b')",
    ],
)
def test_row_82_a_reader_can_change_nothing(store: AuditStore, url: str, statement: str) -> None:
    reader = open_engine(url, writes=False)
    with pytest.raises(SQLAlchemyError), reader.begin() as connection:
        connection.execute(text(statement))
    reader.dispose()

    assert len(list(store.history(Question()))) == PARTS


def test_row_82_broken_twin_a_writer_can(store: AuditStore, url: str) -> None:
    assert store.count("none") == 0
    writer = open_engine(url, writes=True)
    with writer.begin() as connection:
        connection.execute(text("UPDATE inspection SET outcome = 'REJECT'"))
    writer.dispose()

    assert {each.outcome for each in store.history(Question())} == {"REJECT"}


def test_row_82_a_question_that_takes_too_long_is_broken_off(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "READ_S", 0.02)
    reader = open_engine(url, writes=False)
    with pytest.raises(DBAPIError, match=r"interrupted|statement timeout"), reader.begin() as connection:
        connection.execute(text(COUNTING)).scalar()
    with reader.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1, "the next one has its own time"
    reader.dispose()

    monkeypatch.setattr(database, "READ_S", 60.0)
    patient = open_engine(url, writes=False)
    with patient.begin() as connection:
        assert connection.execute(text(COUNTING)).scalar() == 1_000_000, "broken twin: without the limit it goes on"
    patient.dispose()
