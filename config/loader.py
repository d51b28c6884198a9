"""Reads a station file; whatever is wrong with it is said with its place, and nothing starts."""

import difflib
import hashlib
import json
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.actuators import LogActuator, ModbusActuator, MqttActuator, OpcUaActuator, PlcBase, TwinActuator
from config.brokers import broker_problems
from config.calibration import CalibrationFault, with_calibrations
from config.cameras import FolderCamera, GigeCamera, TwinCamera, VideoCamera, redacted, source_problems
from config.disk import disk_problems
from config.onlookers import NO_GATE, webhook_problems
from config.proof import proof_problems
from config.quality import quality_problems
from config.station import Station
from config.timing import budget_problem, following_cameras

PACKAGE = Path(__file__).resolve().parent.parent
STATIONS = Path(__file__).resolve().parent / "stations"
EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h
UNKNOWN_AGE = "'gige' needs a PLC by 'modbus' or 'opcua': over MQTT nobody knows how old a count is"
FILE_BYTES = 1 << 20  # no station file comes near; read no more of a wrong one


class ConfigError(Exception):
    """A station that must not start: one line for each thing that is wrong."""


def load_station(named: str) -> Station:
    """The station of this name in `config/stations`, or of the file at this path, with the calibrations in force."""
    path = station_path(named)
    station = _understood(_table(path), at=path.stem)
    try:
        station = with_calibrations(station, state_folder(station))
    except CalibrationFault as error:
        raise ConfigError(str(error)) from error
    return _checked(station, at=path.stem)


def load_uncalibrated(named: str) -> Station:
    """The same as its file has it, to be calibrated: what does not fit together yet is not asked."""
    path = station_path(named)
    return _understood(_table(path), at=path.stem)


def parse_station(table: dict[str, Any], *, at: str) -> Station:
    """The station this table describes; `at` begins the path in every complaint."""
    return _checked(_understood(table, at=at), at=at)


def station_path(named: str) -> Path:
    """Where the station of this name lies; a name that ends in .toml or has a slash is a path."""
    if named.endswith(".toml") or os.sep in named:
        path = Path(named)
        if not path.is_file():
            raise ConfigError(f"{named}: no such station file")
        return path.resolve()
    path = STATIONS / f"{named}.toml"
    if not path.is_file():
        known = sorted(p.stem for p in STATIONS.glob("*.toml"))
        raise ConfigError(f"{named!r} is not a station{_nearest(named, known)}; there are {known}")
    return path


def config_sha256(station: Station) -> str:
    """The hash that each verdict names: of the station as it was understood, defaults included."""
    canonical = json.dumps(station.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def package_path(text: str) -> Path:
    """A path in a station file, relative to the package, with variables of the environment expanded."""
    expanded = Path(os.path.expandvars(text)).expanduser()
    return expanded if expanded.is_absolute() else PACKAGE / expanded


def state_root() -> Path:
    """Where every station's journal and stores lie: $LINE_STATE, or var/ of the working folder."""
    return Path(os.environ.get("LINE_STATE") or "var").absolute()


def state_folder(station: Station) -> Path:
    return state_root() / station.name


def _table(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > FILE_BYTES:
            raise ConfigError(f"{path}: {path.stat().st_size} bytes, a station file has at most {FILE_BYTES}")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is no TOML: {error}") from error


def _understood(table: dict[str, Any], *, at: str) -> Station:
    try:
        return Station.model_validate(table)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(at, each) for each in error.errors())) from error


def _checked(station: Station, *, at: str) -> Station:
    if problems := [f"{at}.{key}: {text}" for key, text in _problems(station)]:
        raise ConfigError("\n".join(problems))
    return station


def _problems(station: Station) -> Iterable[tuple[str, str]]:
    """(dotted key, what is wrong) of what single values cannot show."""
    yield from ((f"policy.{key}", text) for key, text in station.policy.problems())
    if not station.cameras:
        yield "cameras", "is empty: a station has at least one"
    names = [camera.name for camera in station.cameras]
    for index, camera in enumerate(station.cameras):
        at = f"cameras[{index}]"
        if camera.name in names[:index]:
            yield f"{at}.name", f"{camera.name!r} is the name of another camera too"
        for side in ("width", "height"):
            least, greatest = getattr(camera, side)
            if least > greatest:
                yield f"{at}.{side}", f"[{least}, {greatest}] is no range: the least comes first"
        if camera.calibration is None and (station.policy.unit == "mm2" or camera.kind == "twin"):
            yield (
                f"{at}.calibration",
                "is missing, but limits are in mm², as are those of a twin: calibrate, or give limits in px",
            )
        yield from ((f"{at}.{key}", text) for key, text in camera.zone_problems(station.policy.unit))
        match camera:
            case TwinCamera():
                if station.twin is None:
                    yield "twin", f"is missing, but {at} is a twin's camera"
                if station.belt is None:
                    yield "belt", f"is missing, but {at} is a twin's camera"
            case FolderCamera():
                if "$" in os.path.expandvars(camera.root):
                    yield f"{at}.root", f"{camera.root!r} names a variable that is not set in the environment"
            case GigeCamera():
                pass
            case VideoCamera():
                yield from ((f"{at}.source", text) for text in source_problems(camera))
        if isinstance(camera, GigeCamera) and station.belt is not None:
            if isinstance(station.actuator, MqttActuator):
                yield f"{at}.kind", UNKNOWN_AGE
            elif not isinstance(station.actuator, PlcBase):
                yield (
                    f"{at}.kind",
                    "'gige' above a belt needs a PLC that counts its triggers: name one, or leave out [belt]",
                )
        elif station.belt is not None and not isinstance(camera, TwinCamera):
            yield f"{at}.kind", f"{camera.kind!r} has no belt: leave out [belt], or use a camera above it"
    match station.actuator:
        case TwinActuator():
            if station.twin is None:
                yield "actuator.kind", "'twin' needs [twin]"
        case ModbusActuator() | OpcUaActuator():
            if station.belt is None:
                yield "belt", "is missing, but a PLC's gate stands beside one"
            if isinstance(station.actuator, OpcUaActuator):
                yield from ((f"actuator.{key}", text) for key, text in station.actuator.problems(package_path))
        case MqttActuator():
            if station.belt is None:
                yield "belt", "is missing, but a PLC's gate stands beside one"
            yield from ((f"actuator.{key}", text) for key, text in broker_problems(station.actuator, package_path))
        case LogActuator():
            if station.belt is not None:
                yield (
                    "actuator.kind",
                    "'log' moves no gate, but [belt] says there is one: use 'twin', or leave out [belt]",
                )
    if station.sparkplug is not None:
        yield from ((f"sparkplug.{key}", text) for key, text in broker_problems(station.sparkplug, package_path))
    for index, each in enumerate(station.notify):
        yield from ((f"notify[{index}].{key}", text) for key, text in webhook_problems(each, package_path))
    if station.opcua_server is not None:
        yield from ((f"opcua_server.{key}", text) for key, text in station.opcua_server.problems(package_path))
    yield from ((f"disk.{key}", text) for key, text in disk_problems(station.disk))
    proof = proof_problems(station.proof, package_path, state_folder(station))
    yield from ((f"proof.{key}", text) for key, text in proof)
    zones = {zone.name for camera in station.cameras for zone in camera.zones}
    yield from ((f"quality.{key}", text) for key, text in quality_problems(station.quality, zones))
    kinds = {camera.kind for camera in station.cameras}
    if len(kinds) > 1:
        yield "cameras", f"kinds {sorted(kinds)} cannot share a station: one source counts the triggers"
    counting = [c for c in station.cameras if isinstance(c, GigeCamera) or (isinstance(c, VideoCamera) and c.live)]
    if len(counting) > 1 and not following_cameras(station):
        who = " and ".join(repr(camera.name) for camera in counting)
        yield "cameras", f"{who} each count their own frames, and nothing tells which of them show one part: take one"
    if station.twin is not None and "twin" not in kinds:
        yield "twin", "is given, but no camera looks at it"
    if station.belt is None and station.budget is not None:
        yield "budget", "is given without [belt]: nothing is due there"
    if station.belt is not None and station.budget is None:
        yield "budget", "is missing: a belt needs to know what each stage may take"
    if station.belt is not None and station.budget is not None and (problem := budget_problem(station)):
        yield problem


def _explain(at: str, error: ErrorDetails) -> str:
    """One pydantic error as `path: what was found, what would be right`."""
    place = _dotted(at, error["loc"])
    match error["type"]:
        case "extra_forbidden":
            known = _keys_at(error["loc"])
            return f"{place}: is not a key here{_nearest(str(error['loc'][-1]), known)}; keys are {sorted(known)}"
        case "union_tag_invalid":
            kinds = sorted(tag.strip("' ") for tag in str(error["ctx"]["expected_tags"]).split(","))
            tag = str(error["ctx"]["tag"])
            if tag == "webhook" and error["loc"] == ("actuator",):
                return f"{place}.kind: 'webhook' is not one of {kinds}: {NO_GATE}"
            return f"{place}.kind: {tag!r} is not one of {kinds}{_nearest(tag, kinds)}"
        case "union_tag_not_found":
            found = error["input"]
            misspelt = difflib.get_close_matches("kind", found, n=1) if isinstance(found, dict) else []
            return f"{place}.kind: is missing" + "".join(f"; {place}.{key} is not a key here" for key in misspelt)
        case "missing":
            return f"{place}: is missing"
        case _:
            return f"{place}: {redacted(repr(error['input']))}: {error['msg']}"


def _dotted(at: str, loc: Iterable[int | str]) -> str:
    """A pydantic location as a reader of the file would write it; tags of unions are left out."""
    path, model = at, [Station]
    for step in loc:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step not in {tag for member in model for tag in _tags(member)}:
            path += f".{step}"
        model = _below(model, step)
    return path


def _keys_at(loc: tuple[int | str, ...]) -> set[str]:
    models: list[Any] = [Station]
    for step in loc[:-1]:
        models = _below(models, step)
    return {
        key
        for model in models
        if isinstance(model, type) and issubclass(model, BaseModel)
        for key in model.model_fields
    }


def _below(models: list[Any], step: int | str) -> list[Any]:
    """The models one step further down a location: a key, an index, or the tag of a union."""
    found: list[Any] = []
    for model in models:
        if isinstance(model, type) and issubclass(model, BaseModel) and step in model.model_fields:
            found += _members(model.model_fields[str(step)].annotation)
        elif step in _tags(model) or isinstance(step, int):
            found.append(model)
    return found


def _members(annotation: Any) -> list[Any]:
    """The models inside an annotation, through unions, tuples and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [member for inner in get_args(annotation) for member in _members(inner)]


def _tags(model: Any) -> set[str]:
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or "kind" not in model.model_fields:
        return set()
    return set(get_args(model.model_fields["kind"].annotation))


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
