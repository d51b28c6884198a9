"""`linectl history` and `linectl verify`."""

import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from config.loader import EXIT_CONFIG, ConfigError, load_station, state_folder
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.messages import Outcome
from monitor.output import write_json
from storage.audit import Question
from storage.history import NoHistoryError, parse_time, read_history, to_csv, to_table
from storage.projection import StoreForeign, StoreLost
from storage.verify import Report, is_running, verify

EXIT_FAULT = 1
VERIFIER = Path(__file__).parent / "offline" / "verify_journal.py"

app = typer.Typer()
StationName = Annotated[str, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")]
JsonTo = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]


@app.command("history")
def history(  # noqa: PLR0917 - typer names each
    station: StationName,
    since: Annotated[str | None, typer.Option(help="ISO 8601, or an age: 90m, 8h, 1d.")] = None,
    until: Annotated[str | None, typer.Option(help="As --since; not including it.")] = None,
    outcome: Annotated[str | None, typer.Option(help="PASS, REJECT or NOT_INSPECTED, in any case.")] = None,
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    min_area_mm2: Annotated[float | None, typer.Option("--min-area-mm2", help="Defects of at least this.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 100,
    json_to: JsonTo = None,
    csv_to: Annotated[str | None, typer.Option("--csv", metavar="FILE|-", help="Write CSV there.")] = None,
) -> None:
    """List verdicts with their crops, newest first."""
    loaded = _load(station)
    now = datetime.now(UTC)
    question = Question(
        since=_time(since, "--since", now),
        until=_time(until, "--until", now),
        outcome=_outcome(outcome),
        camera=camera,
        min_area_mm2=min_area_mm2,
        limit=limit,
    )
    try:
        rows = read_history(state_folder(loaded), loaded.name, question)
    except ConfigError as error:
        _refuse(error)
    except (NoHistoryError, StoreLost, StoreForeign) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAULT) from error
    if json_to is not None:
        write_json({"station": loaded.name, "rows": rows}, json_to)
    if csv_to is not None:
        _write(to_csv(rows), csv_to)
    if "-" not in {json_to, csv_to}:
        Console().print(to_table(rows, title=f"{loaded.name}: {len(rows)} verdicts"))


@app.command("verify")
def verify_station(
    station: StationName,
    checkpoints: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The second place of the checkpoints. Default: proof.copy_to.")
    ] = None,
    verifier_to: Annotated[
        Path | None,
        typer.Option("--write-verifier", metavar="DIR", help="Write the verifier that needs only Python there, too."),
    ] = None,
    json_to: JsonTo = None,
) -> None:
    """Check that the count adds up, the chain holds and is the one signed, and every store agrees."""
    loaded = _load(station)
    if verifier_to is not None:
        verifier_to.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(VERIFIER, verifier_to / VERIFIER.name)
    try:
        report = verify(loaded, _live_url(loaded), checkpoints=checkpoints)
    except ConfigError as error:
        _refuse(error)
    if json_to is not None:
        write_json(msgspec.to_builtins(report), json_to)
    if json_to != "-":
        _show(report, loaded.name)
    if not report.ok:
        raise typer.Exit(EXIT_FAULT)


def _load(named: str) -> Station:
    try:
        return load_station(named)
    except ConfigError as error:
        _refuse(error)


def _refuse(error: ConfigError) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(EXIT_CONFIG) from error


def _time(text: str | None, option: str, now: datetime) -> int | None:
    if text is None:
        return None
    try:
        return parse_time(text, now=now)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _outcome(text: str | None) -> Outcome | None:
    if text is None:
        return None
    try:
        return Outcome(text.upper().replace("-", "_"))
    except ValueError as error:
        known = ", ".join(Outcome)
        raise typer.BadParameter(f"{text!r} is not one of {known}", param_hint="--outcome") from error


def _live_url(station: Station) -> str | None:
    """A Redis that should answer: the one given, or our own while the line runs."""
    if url := os.environ.get("LINE_REDIS_URL"):
        return url
    socket = Endpoints(station).redis
    return f"unix://{socket}" if socket.exists() and is_running(state_folder(station)) else None


def _write(text: str, to: str) -> None:
    if to == "-":
        sys.stdout.write(text)
    else:
        Path(to).write_text(text, encoding="utf-8")


def _show(report: Report, station: str) -> None:
    console = Console()
    console.print(f"{station}: " + ", ".join(f"{name} {number}" for name, number in report.checked.items()))
    if report.ok:
        console.print("[green]no fault found[/green]")
        return
    table = Table(title=f"{len(report.rows)} faults", title_style="red")
    for column in ("fault", "store", "frame", "found", "expected"):
        table.add_column(column, no_wrap=column in {"fault", "frame"})
    for row in report.rows:
        table.add_row(row.fault, row.store, row.frame or "", row.found, row.expected)
    console.print(table)
