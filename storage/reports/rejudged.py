"""Stored verdicts under another policy: their masks, or regions, judged by the rules again."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec
from pydantic import ValidationError

from config.cameras import Camera
from config.loader import FILE_BYTES, ConfigError
from config.policy import LIMITS, Policy
from config.station import Station
from config.zones import Zone
from monitor.messages import Outcome, Region
from monitor.rows import RegionRow, Row, VerdictBody, read_body
from monitor.rules.policy import judge
from monitor.rules.regions import decode_mask, regions_of_mask
from monitor.rules.zones import OWN_LIMITS
from storage.reader import JournalReader, parse_line
from storage.report_questions import Period

UNITS = {"mm2": "mm²", "px": "px"}
OF_ZONE = {*(f"{limit}_mm2" for limit in LIMITS), "grey_band"}


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict that would be another."""

    seq: int
    frame: str
    slot: int
    camera: str
    before: Outcome
    after: Outcome
    severity_before: float | None
    severity_after: float
    area_after: float  # of what counts, in the policy's unit
    crop_sha256: str | None


@dataclass
class Rejudged:
    """What became of the verdicts of a period."""

    counts: dict[tuple[Outcome, Outcome], int] = field(default_factory=dict)  # before, after
    after: dict[str, Outcome] = field(default_factory=dict)  # of the frames that were asked for
    before: dict[str, Outcome] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)
    grey_before: int = 0
    grey_after: int = 0
    unjudged: int = 0  # no net has seen them, or they were held: no policy was asked
    no_mask: int = 0  # regions, but no mask of them, or one that cannot be read
    of_regions: int = 0  # of these, judged by the stored regions all the same: their camera has no zones
    unlike: int = 0  # under the policy of then the stored regions give another verdict: left out

    @property
    def judged(self) -> int:
        return sum(self.counts.values())


class NewLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    policy: Policy
    zones: dict[str, dict[str, float]]  # by name: limits in place of the zone's own

    def of(self, zones: tuple[Zone, ...]) -> tuple[Zone, ...]:
        return tuple(zone.model_copy(update=self.zones.get(zone.name, {})) for zone in zones)


def load_limits(path: Path, station: Station) -> NewLimits:
    """The tables [policy] and, where zones are to change too, [zones.NAME]. Raises `ConfigError` with what is wrong."""
    try:
        if path.stat().st_size > FILE_BYTES:
            raise ConfigError(f"{path}: {path.stat().st_size} bytes; a policy has at most {FILE_BYTES}")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        if not {"policy"} <= set(table) <= {"policy", "zones"} or not all(isinstance(t, dict) for t in table.values()):
            there = sorted(table) or "nothing"
            raise ConfigError(f"{path}: a table [policy] is needed, and [zones.NAME] may be; there is {there}")
        policy = Policy.model_validate(table["policy"])
        zones = {name: _zone_limits(path, station, name, limits) for name, limits in table.get("zones", {}).items()}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is no TOML: {error}") from error
    except ValidationError as error:
        said = [f"{path}: {error.title.lower()}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError("\n".join(said)) from error
    if problems := [f"{path}: policy.{key}: {text}" for key, text in policy.problems()]:
        raise ConfigError("\n".join(problems))
    if policy.unit != station.policy.unit:
        own = UNITS[station.policy.unit]
        raise ConfigError(f"{path}: policy: limits in {UNITS[policy.unit]}; those of {station.name} are in {own}")
    return NewLimits(policy=policy, zones=zones)


def _zone_limits(path: Path, station: Station, name: str, limits: object) -> dict[str, float]:
    """Checked as the zone of the station with these limits would be."""
    own = next((zone for camera in station.cameras for zone in camera.zones if zone.name == name), None)
    if own is None or own.ignore:
        known = sorted(zone.name for camera in station.cameras for zone in camera.zones if not zone.ignore)
        raise ConfigError(f"{path}: zones.{name}: {station.name} has {known or 'no zones'} with limits")
    if not isinstance(limits, dict) or not set(limits) <= OF_ZONE:
        raise ConfigError(f"{path}: zones.{name}: a table of {', '.join(sorted(OF_ZONE))} is needed")
    changed = Zone.model_validate(own.model_dump() | limits)
    if problems := [f"{path}: zones.{name}.{key}: {text}" for key, text in changed.problems()]:
        raise ConfigError("\n".join(problems))
    return {key: getattr(changed, key) for key in limits}


def rejudge(
    reader: JournalReader,
    station: Station,
    limits: NewLimits,
    *,
    rows: tuple[int, int],
    period: Period,
    takes: Callable[[str], bool],
    asked: frozenset[str],
) -> Rejudged:
    """The verdicts between two rows, captured in the period, of cameras that `takes` takes. `asked` are frames whose
    outcomes are kept.

    Each is judged by the zones and the calibration of its own run, and by the policy of then too: what does not come
    out as it stands in the journal cannot be compared.
    """
    found, runs = Rejudged(), {body.run: body.config for _, body in reader.runs()}
    for row, body in _verdicts(reader, rows, period):
        if not takes(body.camera):
            continue
        if body.severity is None or row.outcome is None:
            found.unjudged += 1
            continue
        then = _station_of(runs.get(body.run, "")) or station
        camera = next((each for each in then.cameras if each.name == body.camera), None)
        regions = None if camera is None else _regions(found, body, camera)
        if camera is None or regions is None:
            continue
        if judge(regions, then.policy, camera.zones).outcome is not row.outcome:
            found.unlike += 1
            continue
        now = judge(regions, limits.policy, limits.of(camera.zones))
        ends = row.outcome, now.outcome
        found.counts[ends] = found.counts.get(ends, 0) + 1
        found.grey_before += body.grey
        found.grey_after += now.grey
        if row.frame in asked:
            found.before[row.frame], found.after[row.frame] = ends
        if ends[0] is not ends[1]:
            found.moves.append(
                Move(
                    seq=row.seq,
                    frame=row.frame or "",
                    slot=row.slot or 0,
                    camera=body.camera,
                    before=ends[0],
                    after=ends[1],
                    severity_before=body.severity,
                    severity_after=now.severity,
                    area_after=now.total_area,
                    crop_sha256=next((each.crop_sha256 for each in body.regions if each.crop_sha256), None),
                )
            )
    return found


def _verdicts(reader: JournalReader, rows: tuple[int, int], period: Period) -> Iterator[tuple[Row, VerdictBody]]:
    for line in reader.all_lines(rows[0] - 1):
        if line.seq > rows[1]:
            return
        if line.kind != "verdict":
            continue
        row = parse_line(line)
        body = read_body(row)
        if isinstance(body, VerdictBody) and period.since <= body.captured_at < period.until:
            yield row, body


def _regions(found: Rejudged, body: VerdictBody, camera: Camera) -> tuple[Region, ...] | None:
    """From the mask where there is one; from the stored regions where no zone could have cut them otherwise."""
    if not body.regions:
        return ()
    try:
        if body.mask_rle:
            mask = decode_mask(body.mask_rle, height=body.height, width=body.width)
            return regions_of_mask(mask, camera.calibration, camera.zones)
    except ValueError:
        pass  # runs that do not fill the frame are no mask
    found.no_mask += 1
    if camera.zones:
        return None
    found.of_regions += 1
    return tuple(map(_region, body.regions))


def _region(row: RegionRow) -> Region:
    return Region(
        x=row.x,
        y=row.y,
        width=row.width,
        height=row.height,
        area_px=row.area_px,
        area_mm2=row.area_mm2,
        score=row.score,
        zones=() if row.ignored else (OWN_LIMITS,),
    )


@lru_cache(maxsize=64)
def _station_of(config: str) -> Station | None:
    """The station that a run was; None where this program cannot read it."""
    try:
        return Station.model_validate_json(config)
    except ValidationError:
        return None
