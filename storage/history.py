"""Verdicts as people ask for them: rows of the audit store, and the table on the terminal."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from config.shifts import Shifts
from storage.audit import open_audit
from storage.history_files import COLUMNS
from storage.questions import Found, Question

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STYLE = {"PASS": "green", "REJECT": "red", "NOT_INSPECTED": "yellow"}
_SHIFT = re.compile(r"(\d{4}-\d\d-\d\d)/(\d\d?)")


class NoHistoryError(Exception):
    """There is no audit store yet."""


class NoSuchModel(Exception):
    """No net that a run has used goes by this name, or more than one does."""


@contextmanager
def open_history(
    folder: Path, station: str, question: Question, *, model: str | None = None
) -> Iterator[Iterator[dict[str, Any]]]:
    """The rows that match, as they are read. `model` is a name, or how a SHA-256 begins.

    Raises `NoHistoryError`, `NoSuchModel`, `StoreLost` or `StoreForeign`.
    """
    audit = open_audit(folder, station)
    if audit is None:
        raise NoHistoryError(f"{folder}: no audit store yet; run the line once, or set LINE_STATE or LINE_AUDIT_URL")
    try:
        if model is not None:
            question = replace(question, model=_sha256_of(audit.models(model), model))
        yield map(_row, audit.history(question))
    finally:
        audit.close()


def parse_shift(text: str, shifts: Shifts) -> tuple[int, int]:
    """(begin, end) of `2026-09-21/2`, the second shift that begins on that day; wall time, ns."""
    found = _SHIFT.fullmatch(text.strip())
    if found is None or not 1 <= int(found[2]) <= len(shifts.begin):
        raise ValueError(f"{text!r} is no shift, as 2026-09-21/2; a day has {len(shifts.begin)}")
    return shifts.period(date.fromisoformat(found[1]), int(found[2]))


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


def to_table(rows: list[dict[str, Any]], *, title: str) -> Table:
    table = Table(title=title)
    for column in COLUMNS[:-1]:  # the last is said in the place of the crops
        table.add_column(column, justify="right" if column in {"slot", "area_mm2"} else "left")
    for row in rows:
        area = "" if row["area_mm2"] is None else f"{row['area_mm2']:.1f}"
        shown = [row["frame"], row["camera"], str(row["slot"]), row["outcome"], row["reason"] or "", area]
        expired = row["crops_expired_at"]
        crops = f"evidence expired {expired[:10]}" if expired else " ".join(sha256[:12] for sha256 in row["crops"])
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
        "crops_expired_at": None if found.crops_expired_at is None else _iso(found.crops_expired_at),
    }


def _iso(wall_ns: int) -> str:
    seconds, rest = divmod(wall_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def _sha256_of(found: list[str], named: str) -> str:
    if len(found) == 1:
        return found[0]
    if found:
        raise NoSuchModel(f"{named!r} is more than one net: {', '.join(each[:12] for each in found)}")
    if re.fullmatch(r"[0-9a-f]{64}", named):
        return named  # verdicts may name a net that no start of the line did
    raise NoSuchModel(f"{named!r} is neither the name of a net that has run here, nor how its SHA-256 begins")
