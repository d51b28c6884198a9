"""`linectl baseline` and `linectl calibrate`: the line at work."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from config.calibration import CalibrationFile
from config.loader import EXIT_CONFIG, ConfigError, load_station, load_uncalibrated, state_folder
from config.station import Station
from monitor.baseline import BaselineError, save_baseline
from monitor.calibration import CalibrationError, measure, notes, save_calibration, state
from monitor.learning import Lesson, learn
from monitor.output import write_json
from monitor.rules.targets import SIDE_LEAST, Pattern, Target
from monitor.runner import AlreadyRunning, hold_station

EXIT_FAULT = 1
WAYS = "give --target with --columns, --rows and --pitch-mm, or --mm-per-px-across with --mm-per-line"

app = typer.Typer()


@app.command("baseline")
def baseline(
    station: Annotated[str, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")],
    camera: Annotated[str | None, typer.Option(help="Only this camera. Default: each.")] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Good frames. Default: the camera's own files, or the twin's.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, spread over what there is.")] = 200,
    json_to: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")
    ] = None,
) -> None:
    """Learn what good frames of each camera look like; the station judges focus and drift of light by it."""
    try:
        loaded = load_station(station)
    except ConfigError as error:
        _refuse(error, EXIT_CONFIG)
    cameras = [each for each in loaded.cameras if camera in {None, each.name}]
    if not cameras:
        known = sorted(each.name for each in loaded.cameras)
        raise typer.BadParameter(f"{camera!r} is not one of {known}", param_hint="--camera")
    if images is not None and len(cameras) > 1:
        raise typer.BadParameter("which camera took these images? Say so with --camera", param_hint="--images")
    try:
        with hold_station(state_folder(loaded)):  # a running line has said which baseline it goes by
            lessons = [learn(loaded, each, images=images, frames=frames) for each in cameras]
            rows = [_kept(loaded, lesson) for lesson in lessons]
    except (BaselineError, AlreadyRunning) as error:
        _refuse(error, EXIT_FAULT)
    if json_to is not None:
        write_json({"station": loaded.name, "rows": rows}, json_to)
    if json_to != "-":
        _show(rows)


@app.command("calibrate")
def calibrate(
    *,
    station: Annotated[str, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")],
    camera: Annotated[str, typer.Option(help="Which of its cameras.")],
    target: Annotated[Path | None, typer.Option(metavar="FILE", help="The target, as this camera sees it.")] = None,
    pattern: Annotated[Pattern, typer.Option(help="What is printed on it.")] = Pattern.CHESSBOARD,
    columns: Annotated[
        int | None, typer.Option(min=SIDE_LEAST, max=1000, help="Inner corners, or dots, in a row.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=SIDE_LEAST, max=1000, help="Rows of them.")] = None,
    pitch_mm: Annotated[
        float | None, typer.Option(min=1e-3, max=1e4, help="From one to the next; staggered, from row to row.")
    ] = None,
    across: Annotated[float | None, typer.Option("--mm-per-px-across", min=1e-6, max=100, help="Stated.")] = None,
    line: Annotated[float | None, typer.Option("--mm-per-line", min=1e-6, max=100, help="Stated.")] = None,
    relative_uncertainty: Annotated[
        float | None,
        typer.Option(min=0, max=0.4, help="Standard (k = 1), of the target's pitch or of each number stated: 0.001."),
    ] = None,
    json_to: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")
    ] = None,
) -> None:
    """Measure a camera's millimetres a pixel on a target, or state them; areas are in mm² from the next start on."""
    try:
        loaded = load_uncalibrated(station)
    except ConfigError as error:
        _refuse(error, EXIT_CONFIG)
    eye = next((each for each in loaded.cameras if each.name == camera), None)
    if eye is None:
        known = sorted(each.name for each in loaded.cameras)
        raise typer.BadParameter(f"{camera!r} is not one of {known}", param_hint="--camera")
    find: Callable[[], CalibrationFile]
    seen, numbers = (target, columns, rows, pitch_mm), (across, line)
    if target and columns and rows and pitch_mm and not any(numbers):
        laid = Target(pattern=pattern, columns=columns, rows=rows, pitch_mm=pitch_mm)
        find = partial(measure, loaded, eye, target, laid, pitch_uncertainty=relative_uncertainty)
    elif across and line and not any(seen):
        find = partial(
            state, loaded, eye, mm_per_px_across=across, mm_per_line=line, relative_uncertainty=relative_uncertainty
        )
    else:
        raise typer.BadParameter(WAYS)
    try:
        with hold_station(state_folder(loaded)):  # a running line has said which calibration it goes by
            calibrated = find()
            path, sha256 = save_calibration(loaded, calibrated)
    except (CalibrationError, AlreadyRunning) as error:
        _refuse(error, EXIT_FAULT)
    row = calibrated.model_dump(mode="json") | {"file": str(path), "sha256": sha256, "notes": notes(loaded, calibrated)}
    try:
        load_station(station)
    except ConfigError as error:  # a zone may lie outside of the frame, now that its size is known
        row["notes"].append(f"the station does not start with it: {error}")
    if json_to is not None:
        write_json({"station": loaded.name, "rows": [row]}, json_to)
    if json_to != "-":
        _show_calibration(calibrated, row)


def _kept(station: Station, lesson: Lesson) -> dict[str, Any]:
    path, sha256 = save_baseline(station, lesson.baseline)
    learned = lesson.baseline
    return {
        "camera": learned.camera,
        "frames": learned.frames,
        "source": learned.source,
        "file": str(path),
        "sha256": sha256,
        "measures": {name: {"median": m.median, "spread": m.spread} for name, m in learned.measures.items()},
        "skipped": [{"image": image, "why": why} for image, why in lesson.skipped],
    }


def _show(rows: list[dict[str, Any]]) -> None:
    console = Console()
    for row in rows:
        table = Table("measure", "median", "spread", title=f"camera {row['camera']}: {row['frames']} frames")
        for name, of in row["measures"].items():
            table.add_row(name, f"{of['median']:.4g}", f"{of['spread']:.3g}")
        console.print(table)
        for skipped in row["skipped"]:
            console.print(f"skipped {skipped['image']}: {skipped['why']}", markup=False, highlight=False)
        console.print(row["file"], markup=False, highlight=False, soft_wrap=True)


def _show_calibration(calibrated: CalibrationFile, row: dict[str, Any]) -> None:
    console = Console()
    known, found = calibrated.calibration, calibrated.evidence
    table = Table("", "value", "± (k = 1)", title=f"camera {calibrated.camera}: {calibrated.source}")
    sides = ("", "") if found is None else (f"{found.uncertainty_across:.2%}", f"{found.uncertainty_line:.2%}")
    table.add_row("mm per px across", f"{known.mm_per_px_across:.6g}", sides[0])
    table.add_row("mm per line", f"{known.mm_per_line:.6g}", sides[1])
    area = known.area_relative_uncertainty
    table.add_row("mm² per px", f"{known.mm2_per_px:.6g}", "not known" if area is None else f"{area:.2%}")
    if found is not None:
        table.add_row("shear", f"{known.shear_deg:.3f}°", "")
        table.add_row("target turned by", f"{found.angle_deg:.3f}°", "")
        table.add_row("residual of the points", f"{found.residual_px:.3f} px", "")
        table.add_row("change of an area over it", f"{found.perspective:.2%}", "")
    console.print(table)
    for text in (*row["notes"], row["file"]):
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def _refuse(error: Exception, code: int) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(code) from error
