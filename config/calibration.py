"""A camera's calibration on disk, `calibration-<camera>.json` of the state folder: before that of the station file."""

import hashlib
from pathlib import Path

from pydantic import Field, ValidationError

from config.base import Table
from config.cameras import Calibration, CameraBase
from config.station import Station

FORMAT = 1
FILE_BYTES = 1 << 16  # a calibration has about a thousand; read no more of a wrong file


class CalibrationFault(Exception):
    """A calibration that no station may go by; names file and reason."""


class Evidence(Table):
    """What a measured calibration rests on. Uncertainties are relative standard ones, k = 1."""

    pattern: str
    columns: int
    rows: int
    pitch_mm: float
    pitch_uncertainty: float | None  # None: not given, and in none of the others
    picture_sha256: str
    points: int
    residual_px: float  # root mean square
    perspective: float  # relative change of an area over the target
    angle_deg: float  # of the target in the frame
    across_share: float  # of the frame's width that the target takes
    uncertainty_across: float
    uncertainty_line: float


class CalibrationFile(Table):
    """One camera's; `linectl calibrate` writes it."""

    format: int
    station: str
    camera: str
    calibrated_at: str  # ISO 8601
    source: str  # the picture of a target, or "stated"
    software: str
    width: int | None = Field(ge=1)  # of the picture, px; None where nothing was measured
    height: int | None = Field(ge=1)  # lines
    calibration: Calibration
    evidence: Evidence | None


def calibration_path(folder: Path, camera: str) -> Path:
    return folder / f"calibration-{camera}.json"


def read_calibration(folder: Path, station: str, camera: CameraBase) -> tuple[CalibrationFile, str] | None:
    """The camera's calibration in this state folder and the SHA-256 of its file; None where there is none."""
    path = calibration_path(folder, camera.name)
    try:
        with path.open("rb") as file:
            text = file.read(FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CalibrationFault(f"{path}: cannot be read: {error.strerror}") from error
    found = _parsed(text)
    problem = _problem(found, station, camera) if isinstance(found, CalibrationFile) else found
    if isinstance(found, str) or problem is not None:
        raise CalibrationFault(f"{path}: {problem}; calibrate anew (`linectl calibrate`), or move it aside")
    return found, hashlib.sha256(text).hexdigest()


def with_calibrations(station: Station, folder: Path) -> Station:
    """The station with the calibration in force in each camera: whoever asks a camera gets that one."""
    found = [(camera, read_calibration(folder, station.name, camera)) for camera in station.cameras]
    cameras = [
        camera.model_copy(update={"calibration": read[0].calibration}) if read else camera for camera, read in found
    ]
    return station.model_copy(update={"cameras": tuple(cameras)})


def calibration_hashes(station: Station, folder: Path) -> dict[str, str]:
    """Camera → SHA-256 of its calibration's file, for those that have one."""
    found = {camera.name: read_calibration(folder, station.name, camera) for camera in station.cameras}
    return {camera: read[1] for camera, read in found.items() if read}


def _parsed(text: bytes) -> CalibrationFile | str:
    """The file, or what is wrong with it."""
    if len(text) > FILE_BYTES:
        return f"is larger than {FILE_BYTES} bytes, which no calibration is"
    try:
        return CalibrationFile.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        return f"is no calibration: {'.'.join(map(str, first['loc'])) or 'all of it'}: {first['msg']}"


def _problem(found: CalibrationFile, station: str, camera: CameraBase) -> str | None:
    """What is wrong with this file as the calibration of this camera."""
    if found.format != FORMAT:
        return f"has format {found.format}, this software knows format {FORMAT}"
    if (found.station, found.camera) != (station, camera.name):
        return f"belongs to {found.station}/{found.camera}, not to {station}/{camera.name}"
    if found.width is not None and not camera.width[0] <= found.width <= camera.width[1]:
        return f"was measured on {found.width} px across, the camera's frames have {list(camera.width)}"
    return None
