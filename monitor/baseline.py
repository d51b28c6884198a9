"""A camera's baseline on disk: `$LINE_STATE/<station>/baseline-<camera>.json`, whole or not there at all."""

import hashlib
from pathlib import Path

import msgspec

from config.cameras import Camera
from config.loader import ConfigError, state_folder
from config.station import Station
from monitor.cameras.picture import fits
from monitor.output import write_durably
from monitor.rules.baseline import FORMAT, FRAMES_LEAST, Baseline
from monitor.rules.health import LEARNED

FILE_BYTES = 1 << 16  # a baseline has about a thousand; read no more of a wrong file


class BaselineError(ConfigError):
    """A baseline that cannot be learned, or that this station must not start with; names file and reason."""


def baseline_path(station: Station, camera: str) -> Path:
    return state_folder(station) / f"baseline-{camera}.json"


def load_baseline(station: Station, camera: Camera) -> tuple[Baseline, str] | None:
    """The camera's baseline and the SHA-256 of its file; None where none was learned."""
    path = baseline_path(station, camera.name)
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror}") from error
    if problem := _problem(text, station, camera):
        raise BaselineError(f"{path}: {problem}; learn it anew (`linectl baseline`), or move it aside")
    return msgspec.json.decode(text, type=Baseline), hashlib.sha256(text).hexdigest()


def baseline_hashes(station: Station) -> dict[str, str]:
    """Camera → SHA-256 of the baseline in force, for those that have one."""
    found = {camera.name: load_baseline(station, camera) for camera in station.cameras}
    return {camera: loaded[1] for camera, loaded in found.items() if loaded}


def save_baseline(station: Station, baseline: Baseline) -> tuple[Path, str]:
    """Durable before it takes the old one's place; where it lies, and its SHA-256."""
    path = baseline_path(station, baseline.camera)
    text = msgspec.json.format(msgspec.json.encode(baseline), indent=2) + b"\n"
    write_durably(path, text)
    return path, hashlib.sha256(text).hexdigest()


def _problem(text: bytes, station: Station, camera: Camera) -> str | None:
    """What is wrong with this file as the baseline of this camera."""
    if len(text) > FILE_BYTES:
        return f"is larger than {FILE_BYTES} bytes, which no baseline is"
    try:
        found = msgspec.json.decode(text, type=Baseline)
    except msgspec.MsgspecError as error:
        return f"is no baseline: {error}"
    if found.format != FORMAT:
        return f"has format {found.format}, this software measures by format {FORMAT}"
    if (found.station, found.camera) != (station.name, camera.name):
        return f"belongs to {found.station}/{found.camera}, not to {station.name}/{camera.name}"
    if found.frames < FRAMES_LEAST:
        return f"was learned from {found.frames} frames, at least {FRAMES_LEAST} are needed"
    if missing := sorted(set(LEARNED) - found.measures.keys()):
        return f"lacks the measures {missing}"
    for n in (0, 1):
        if not fits(camera, width=found.width[n], height=found.height[n]):
            return (
                f"was learned from frames of {found.width[n]} × {found.height[n]} px, the camera's are "
                f"{list(camera.width)} × {list(camera.height)}"
            )
    return None
