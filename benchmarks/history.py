"""How fast the audit store takes rows in, and answers pages and reports over a year of them."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from benchmarks.history_questions import NAMES, UNINDEXED
from benchmarks.history_rows import STATION, year_of_rows
from monitor.rows import Entry
from storage.audit import AuditStore
from storage.journal import journal_files, open_journal
from storage.reader import PAGE_ROWS, JournalReader

ROUNDS = 20  # of each question
KEPT_FILES = 2  # of the journal: for reports that read rows of the last shift
UNINDEXED_ROWS = 200_000  # of the copy on which the same is asked without indexes and counts


class NoServer(Exception):
    """There is no database of this kind to fill."""


def measure_history(rows: int, store: str, say: Callable[[str], object], *, keep: Path | None = None) -> dict[str, Any]:
    """Fills a fresh store, then asks; each question in a process of its own, so that its memory is its own."""
    with tempfile.TemporaryDirectory(prefix="history-") as home:
        with fresh_store(store, Path(home)) as url:
            folder, rates = fill(url, rows, Path(home), say)
            found = [ask(url, name, ROUNDS, folder) for name in NAMES]
            size_mb = _size_mb(url)
            if keep is not None and store == "sqlite":
                shutil.move(url.removeprefix("sqlite:///"), keep)
        compared = min(rows, UNINDEXED_ROWS)
        with fresh_store(store, Path(home)) as url:
            folder, _ = fill(url, compared, Path(home), say)
            _copy_without_indexes(url)
            ratios = {}
            for name in UNINDEXED:
                indexed = ask(url, name, ROUNDS, folder)["p50_ms"]
                ratios[name] = round(ask(url, name, 3, None)["p50_ms"] / max(indexed, 0.01), 1)
    return {
        "store": store,
        "inspections": rows,
        **rates,
        "store_mb": size_mb,
        "unindexed_at_rows": compared,
        "rows": [each | {"ratio_unindexed": ratios.get(each["name"])} for each in found],
    }


@contextmanager
def fresh_store(store: str, home: Path) -> Iterator[str]:
    """The URL of an empty database: a file, or a schema of its own at the server that LINE_AUDIT_URL names."""
    name = f"history_{uuid.uuid4().hex[:12]}"
    if store == "sqlite":
        yield f"sqlite:///{home / name}.sqlite"
        for path in home.glob(f"{name}.sqlite*"):
            path.unlink()
        return
    server = os.environ.get("LINE_AUDIT_URL", "")
    if not server.startswith("postgresql"):
        raise NoServer("LINE_AUDIT_URL names no PostgreSQL: postgresql+psycopg://user@host/database")
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    try:
        url = make_url(server).update_query_dict({"options": f"-csearch_path={name}"})
        yield url.render_as_string(hide_password=False)
    finally:
        _drop(engine, name)


def fill(url: str, rows: int, home: Path, say: Callable[[str], object]) -> tuple[Path, dict[str, float]]:
    """Writes a journal and projects it as the recorder does. The state folder, with the last files of the journal, and
    the rates: verdicts/s, and per second of our CPU, since where others work too the first is theirs as well."""
    folder = home / uuid.uuid4().hex / STATION
    folder.mkdir(parents=True)
    store = AuditStore(url, STATION)
    store.cursor()
    entries, spent_s, cpu_s, after, told = year_of_rows(rows), 0.0, 0.0, 0, 0
    with open_journal(folder) as journal, JournalReader(folder) as reader:
        while block := _write(journal.append, entries):
            begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
            while page := reader.rows(after):
                store.project(page)
                after = page[-1].seq
            spent_s += time.perf_counter() - begun_s
            cpu_s += time.process_time() - begun_cpu_s
            for old in journal_files(folder / "journal")[:-KEPT_FILES]:  # else a year is on the disk twice
                old.unlink()
            told += block
            if told >= 500_000:
                say(f"{after} journal rows at {after / spent_s:.0f}/s")
                told = 0
    store.close()
    return folder, {"ingest_rows_per_s": round(rows / spent_s, 1), "ingest_rows_per_cpu_s": round(rows / cpu_s, 1)}


def ask(url: str, name: str, rounds: int, folder: Path | None) -> dict[str, Any]:
    """One question, so many times, in a new process; without a state folder, of the copy without indexes."""
    command = [sys.executable, "-m", "benchmarks.history_questions", name, str(rounds)]
    command += [] if folder is None else [str(folder)]
    environment = os.environ | {"LINE_AUDIT_URL": url}
    here = Path(__file__).resolve().parent.parent
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=here).stdout
    found: dict[str, Any] = json.loads(said)
    return found


def _write(append: Callable[[list[Entry]], object], entries: Iterator[Entry]) -> int:
    """The next few pages of the journal."""
    written = 0
    for _ in range(10):
        if page := list(islice(entries, PAGE_ROWS)):
            append(page)
        written += len(page)
    return written


def _copy_without_indexes(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in ("inspection", "defect"):
            connection.execute(text(f"CREATE TABLE plain_{table} AS SELECT * FROM {table}"))
            connection.execute(text(f"ANALYZE plain_{table}"))  # or a planner would guess wrong
    engine.dispose()


def _size_mb(url: str) -> float:
    engine = create_engine(url)
    asked = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if url.startswith("sqlite")
        else "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' "
        "AND relnamespace = current_schema()::regnamespace"
    )
    with engine.connect() as connection:
        found = float(connection.scalar(text(asked)) or 0) / 1e6
    engine.dispose()
    return round(found, 1)


def _drop(engine: Any, schema: str) -> None:
    """Some tables at a time: a year has more partitions than one transaction may lock."""
    listed = text(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = :s ::regnamespace LIMIT 50"
    )
    while True:
        with engine.begin() as connection:
            names = list(connection.scalars(listed, {"s": schema}))
            for name in names:
                connection.execute(text(f"DROP TABLE IF EXISTS {schema}.{name} CASCADE"))
            if not names:
                connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
                break
    engine.dispose()
