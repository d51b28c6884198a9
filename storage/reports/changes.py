"""What changed from one start of the line to the next: net, limits, software, engine, baselines, calibrations."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from storage.report_questions import Period
from storage.report_rows import Start
from storage.reports.page import Cell


def changes(starts: Sequence[Start], period: Period) -> list[tuple[Start, str, str, str]]:
    """(start, what, before, after) of each start in the period; of the first one that is known, only that it was."""
    found: list[tuple[Start, str, str, str]] = []
    for before, after in pairwise(starts):
        if after.started_at >= period.since:
            found += [(after, *change) for change in _between(before, after)]
    return found


def _between(before: Start, after: Start) -> Iterator[tuple[str, str, str]]:
    if before.model_sha256 != after.model_sha256:
        yield "net", _net(before), _net(after)
    for what in ("engine", "software"):
        if getattr(before, what) != getattr(after, what):
            yield what, getattr(before, what), getattr(after, what)
    yield from _of_tables("", _limits(before.config), _limits(after.config))
    yield from _of_tables("baseline of ", before.baselines, after.baselines)
    yield from _of_tables("calibration of ", before.calibrations, after.calibrations)


def _of_tables(kind: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield f"{kind}{key}", _short(before.get(key)), _short(after.get(key))


def _limits(config: str) -> dict[str, Cell]:
    """Everything in the station file that decides a verdict, by its dotted key: limits, zones, what unfit parts do."""
    try:
        table = msgspec.json.decode(config)
    except msgspec.MsgspecError:
        return {}
    if not isinstance(table, dict):
        return {}
    found = {"on_uninspected": table.get("on_uninspected")}
    found |= {f"policy.{key}": value for key, value in (table.get("policy") or {}).items()}
    for camera in table.get("cameras") or ():
        name = camera.get("name", "?")
        found |= {f"{name}.{key}": str(camera[key]) for key in ("zones", "health") if camera.get(key)}
    return {key: value for key, value in found.items() if value is not None}


def _net(start: Start) -> str:
    return f"{start.model or 'unnamed'} {start.model_sha256[:12]}"


def _short(value: Any) -> str:
    """A hash by its beginning; a long table is only said to differ."""
    if value is None:
        return "none"
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
