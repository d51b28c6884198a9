"""What is other than in the run before: model, limits and settings do not change without a row that says so."""

import json
from typing import Any

from monitor.rows import PersonBody, RunBody

LONGEST = 2000  # characters of old and new: a zone's polygon may be long; the run's own row has all of it


def changes(old: RunBody, new: RunBody, *, who: str, why: str) -> list[PersonBody]:
    """One row for each sort of change between two runs, with what it was and is."""
    before, now = _flat(json.loads(old.config)), _flat(json.loads(new.config))
    other = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
    limits = [key for key in other if key.startswith("policy.") or ".zones" in key]
    settings = [key for key in other if key not in limits]
    sorts = {
        "model.change": (_model(old), _model(new)),
        "policy.change": (_said(before, limits), _said(now, limits)),
        "config.change": (_said(before, settings), _said(now, settings)),
        "baseline.change": (_said(old.baselines), _said(new.baselines)),
        "calibration.change": (_said(old.calibrations), _said(new.calibrations)),
        "software.change": (old.software, new.software),
    }
    return [
        PersonBody(who=who, what=what, why=why, old=was[:LONGEST], new=is_[:LONGEST], at=new.started_at)
        for what, (was, is_) in sorts.items()
        if was != is_
    ]


def _flat(value: Any, at: str = "") -> dict[str, Any]:
    """Dotted key → value, down to what has no keys; a list's places are keys too."""
    match value:
        case dict():
            parts = [(f"{at}.{key}" if at else key, each) for key, each in value.items()]
        case list():
            parts = [(f"{at}[{place}]", each) for place, each in enumerate(value)]
        case _:
            return {at: value}
    return {key: leaf for place, each in parts for key, leaf in _flat(each, place).items()}


def _said(values: dict[str, Any], keys: list[str] | None = None) -> str:
    named = sorted(values) if keys is None else keys
    return json.dumps({key: values[key] for key in named if key in values}, ensure_ascii=False) if named else ""


def _model(run: RunBody) -> str:
    return f"{run.model_name} {run.model_sha256} on {run.engine}"
