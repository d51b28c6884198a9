"""Calibrates a camera, from the picture of a target or from what somebody states; keeps it in the state folder."""

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

from config.calibration import FORMAT, CalibrationFile, Evidence, calibration_path
from config.cameras import Calibration, Camera
from config.loader import ConfigError, state_folder
from config.station import Station
from monitor.cameras.picture import Unreadable, read_picture
from monitor.messages import Reason
from monitor.output import write_durably
from monitor.rules.calibration import Unfit, fit
from monitor.rules.targets import Found, NoTarget, Pixels, Target, find_target

LINES_MOST = 32_768  # of a target's picture: a line camera sees as many as it is told, whatever its frames have
SHARE_LEAST = 0.5  # of the width: less of it says little about the rest
DIGITS = 7


class CalibrationError(ConfigError):
    """A camera that cannot be calibrated so; names the picture, and what was found in it."""


def measure(
    station: Station, camera: Camera, picture: Path, target: Target, *, pitch_uncertainty: float | None
) -> CalibrationFile:
    """The calibration that the picture of this target gives; CalibrationError where it gives none."""
    pixels = _read(picture, camera)
    try:
        found = find_target(pixels, target)
        seen = fit(found, pitch_uncertainty=pitch_uncertainty or 0.0)
    except (NoTarget, Unfit) as error:
        raise CalibrationError(f"{picture}: {error}") from error
    facts = {key: round(value, DIGITS) for key, value in asdict(seen).items()}
    return _file(
        station,
        camera,
        source=str(picture),
        pixels=pixels,
        calibration=Calibration(
            mm_per_px_across=facts["mm_per_px_across"],
            mm_per_line=facts["mm_per_line"],
            shear_deg=facts["shear_deg"],
            area_relative_uncertainty=facts["uncertainty_area"],
        ),
        evidence=Evidence(
            pattern=str(target.pattern),
            columns=target.columns,
            rows=target.rows,
            pitch_mm=target.pitch_mm,
            pitch_uncertainty=pitch_uncertainty,
            picture_sha256=hashlib.sha256(picture.read_bytes()).hexdigest(),
            points=seen.points,
            residual_px=facts["residual_px"],
            perspective=facts["perspective"],
            angle_deg=facts["angle_deg"],
            across_share=_across_share(found, pixels),
            uncertainty_across=facts["uncertainty_across"],
            uncertainty_line=facts["uncertainty_line"],
        ),
    )


def state(
    station: Station, camera: Camera, *, mm_per_px_across: float, mm_per_line: float, relative_uncertainty: float | None
) -> CalibrationFile:
    """What a data sheet or an earlier measurement says; its uncertainty is that of each of the two numbers."""
    both = None if relative_uncertainty is None else 2 * relative_uncertainty  # they may be wrong together
    calibration = Calibration(
        mm_per_px_across=mm_per_px_across, mm_per_line=mm_per_line, area_relative_uncertainty=both
    )
    return _file(station, camera, source="stated", pixels=None, calibration=calibration, evidence=None)


def save_calibration(station: Station, calibrated: CalibrationFile) -> tuple[Path, str]:
    """Durable before it takes the old one's place; where it lies, and its SHA-256."""
    path = calibration_path(state_folder(station), calibrated.camera)
    text = calibrated.model_dump_json(indent=2).encode() + b"\n"
    write_durably(path, text)
    return path, hashlib.sha256(text).hexdigest()


def notes(station: Station, calibrated: CalibrationFile) -> list[str]:
    """What somebody who goes by this calibration should know."""
    said = []
    found, known = calibrated.evidence, calibrated.calibration.area_relative_uncertainty
    if found is None:
        said.append("stated, not measured" + ("; no uncertainty was given" if known is None else ""))
    elif found.pitch_uncertainty is None:
        said.append("the pitch of the target is taken as exact: its own uncertainty is not in that of the areas")
    if found is not None and found.across_share < SHARE_LEAST:
        said.append(f"the target takes {found.across_share:.0%} of the width: elsewhere the scale is taken as the same")
    if station.policy.unit == "px":
        said.append("the station's limits stay in px: areas in mm² stand in the rows besides")
    return said


def _file(
    station: Station,
    camera: Camera,
    *,
    source: str,
    pixels: Pixels | None,
    calibration: Calibration,
    evidence: Evidence | None,
) -> CalibrationFile:
    return CalibrationFile(
        format=FORMAT,
        station=station.name,
        camera=camera.name,
        calibrated_at=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        software=f"line-monitor {version('line-monitor')}",
        width=None if pixels is None else pixels.shape[1],
        height=None if pixels is None else pixels.shape[0],
        calibration=calibration,
        evidence=evidence,
    )


def _read(picture: Path, camera: Camera) -> Pixels:
    """As wide as the camera's frames, of any number of lines."""
    try:
        return read_picture(picture, camera.model_copy(update={"height": (1, LINES_MOST)}))
    except Unreadable as error:
        match error.reason:
            case Reason.WRONG_SIZE:
                why = f"is {error.width} px across, frames of camera {camera.name!r} are {list(camera.width)}"
            case Reason.WRONG_FORMAT:
                why = "is not grey with 8 bits"
            case _:
                why = "is no picture that can be read" if picture.is_file() else "no such file"
        raise CalibrationError(f"{picture}: {why}") from error


def _across_share(found: Found, pixels: Pixels) -> float:
    share: float = np.ptp(found.px[:, 0]) / pixels.shape[1]
    return round(float(share), 3)
