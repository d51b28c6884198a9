"""`linectl baseline`: the line at work."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from config.loader import EXIT_CONFIG, ConfigError, load_station, state_folder
from config.station import Station
from monitor.baseline import BaselineError, save_baseline
from monitor.learning import Lesson, learn
from monitor.output import write_json
from monitor.runner import AlreadyRunning, hold_station

EXIT_FAULT = 1

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


def _refuse(error: Exception, code: int) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(code) from error
