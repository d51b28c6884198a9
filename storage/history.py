"""Verdicts as people ask for them: rows of the audit store as JSON, CSV or a table."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from storage.audit import open_audit
from storage.questions import Found, Question

COLUMNS = ("frame", "camera", "slot", "outcome", "reason", "area_mm2", "captured_at", "model", "crops")
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STYLE = {"PASS": "green", "REJECT": "red", "NOT_INSPECTED": "yellow"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


class NoHistoryError(Exception):
    """There is no audit store yet."""


def read_history(folder: Path, station: str, question: Question) -> list[dict[str, Any]]:
    """The rows that match, newest first."""
    audit = open_audit(folder, station)
    if audit is None:
        raise NoHistoryError(f"{folder}: no audit store yet; run the line once, or set LINE_STATE or LINE_AUDIT_URL")
    try:
        return [_row(found) for found in audit.history(question)]
    finally:
        audit.close()


def parse_time(text: str, *, now: datetime) -> int:
    """ISO 8601, or an age like 90m, 8h or 1d; wall time, ns. A time without a zone is local."""
    if age := _AGE.fullmatch(text.strip()):
        then = now - timedelta(**{_UNIT[age[2]]: float(age[1])})
    else:
        try:
            then = datetime.fromisoformat(text.strip()).astimezone(UTC)
        except ValueError as error:
            raise ValueError(f"{text!r} is neither ISO 8601 nor an age like 90m, 8h or 1d") from error
    return int(then.timestamp()) * 1_000_000_000 + then.microsecond * 1000


def to_csv(rows: list[dict[str, Any]]) -> str:
    """CSV with a header; what a spreadsheet would take for a formula is quoted."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(row[column]) for column in COLUMNS])
    return text.getvalue()


def to_table(rows: list[dict[str, Any]], *, title: str) -> Table:
    table = Table(title=title)
    for column in COLUMNS:
        table.add_column(column, justify="right" if column in {"slot", "area_mm2"} else "left")
    for row in rows:
        area = "" if row["area_mm2"] is None else f"{row['area_mm2']:.1f}"
        shown = [row["frame"], row["camera"], str(row["slot"]), row["outcome"], row["reason"] or "", area]
        crops = " ".join(sha256[:12] for sha256 in row["crops"])
        table.add_row(*shown, row["captured_at"], row["model"][:12], crops, style=_STYLE.get(row["outcome"], ""))
    return table


def _row(found: Found) -> dict[str, Any]:
    return {
        "frame": found.frame,
        "camera": found.camera,
        "slot": found.slot,
        "outcome": found.outcome,
        "reason": found.reason,
        "area_mm2": found.area_mm2,
        "captured_at": _iso(found.captured_at),
        "model": found.model,
        "crops": list(found.crops),
    }


def _iso(wall_ns: int) -> str:
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def _cell(value: Any) -> str:
    text = " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
