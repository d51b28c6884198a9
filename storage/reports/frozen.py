"""Frozen limits of control charts as a file: who keeps them, why, and what they were estimated from."""

from pathlib import Path

import msgspec

from storage.reports.asked import Frozen
from storage.reports.chart_names import KINDS
from storage.statistics.charts import Baseline

FORMAT = 1
FILE_BYTES = 1 << 20  # a baseline of a station has some thousand; read no more of a wrong file


class NoBaseline(ValueError):
    """A file that is no baseline, or not this station's."""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: int
    station: str
    who: str
    why: str
    source: str
    limits: dict[str, Baseline]


def write_frozen(path: Path, station: str, frozen: Frozen) -> None:
    file = _File(
        format=FORMAT,
        station=station,
        who=frozen.who,
        why=frozen.why,
        source=frozen.source,
        limits=dict(sorted(frozen.limits.items())),
    )
    path.write_bytes(msgspec.json.format(msgspec.json.encode(file)) + b"\n")


def read_frozen(path: Path, station: str) -> Frozen:
    """Raises `NoBaseline` with what is wrong."""
    try:
        with path.open("rb") as opened:
            text = opened.read(FILE_BYTES + 1)
        file = msgspec.json.decode(text, type=_File)
    except (OSError, msgspec.MsgspecError) as error:
        raise NoBaseline(f"{path}: is no baseline: {error}") from error
    if file.format != FORMAT or file.station != station:
        raise NoBaseline(f"{path}: format {file.format} of {file.station}; needed is {FORMAT} of {station}")
    for key, baseline in file.limits.items():
        chart = key.rpartition("/")[2]
        if KINDS.get(chart) != baseline.kind or not baseline.sigma > 0:
            raise NoBaseline(f"{path}: limits.{key}: no chart {chart!r} has limits of {baseline.kind!r}")
    return Frozen(who=file.who, why=file.why, source=f"{path.name}: {file.source}", limits=file.limits)
