"""`linectl history` and `linectl verify`; `linectl rebuild` beside them."""

import os
import shutil
from contextlib import ExitStack
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from config.loader import EXIT_CONFIG, ConfigError, state_folder
from config.station import Station
from monitor.bus.endpoints import Endpoints
from monitor.labels import State
from monitor.messages import Outcome, Reason
from monitor.output import write_json
from storage import rebuild_commands
from storage.command_line import load_or_exit
from storage.history import NoHistoryError, NoSuchModel, open_history, parse_shift, parse_time, to_table
from storage.history_files import BINARY, KINDS, MissingExtra, open_writer
from storage.projection import StoreForeign, StoreLost
from storage.questions import PAGE_ROWS, Question
from storage.verify import Report, is_running, verify

EXIT_FAULT = 1
VERIFIER = Path(__file__).parent / "offline" / "verify_journal.py"

app = typer.Typer()
app.registered_commands += rebuild_commands.app.registered_commands
Words = TypeVar("Words", bound=StrEnum)
StationName = Annotated[str, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")]
JsonTo = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]


@app.command("history")
def history(  # noqa: PLR0917 - typer names each
    station: StationName,
    since: Annotated[str | None, typer.Option(help="ISO 8601, or an age: 90m, 8h, 1d.")] = None,
    until: Annotated[str | None, typer.Option(help="As --since; not including it.")] = None,
    shift: Annotated[str | None, typer.Option(metavar="DAY/N", help="The N-th that begins on a day.")] = None,
    outcome: Annotated[str | None, typer.Option(help="PASS, REJECT or NOT_INSPECTED, in any case.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why not inspected: dark, late, …")] = None,
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    slot: Annotated[int | None, typer.Option(min=0, help="Only this part.")] = None,
    frame: Annotated[str | None, typer.Option(help="Only this frame, as rail-03/head/7/000123.")] = None,
    zone: Annotated[str | None, typer.Option(help="Decided by the limits of this zone.")] = None,
    model: Annotated[str | None, typer.Option(help="A net's name, or how its SHA-256 begins.")] = None,
    min_area_mm2: Annotated[float | None, typer.Option("--min-area-mm2", help="Defects of at least this.")] = None,
    max_area_mm2: Annotated[float | None, typer.Option("--max-area-mm2", help="Defects of at most this.")] = None,
    label: Annotated[str | None, typer.Option(metavar="TYPE", help="Last labelled so: good, scratch, …")] = None,
    label_state: Annotated[
        str | None, typer.Option(metavar="STATE|none", help=f"{', '.join(State)}; none: not labelled yet.")
    ] = None,
    oldest_first: Annotated[bool, typer.Option("--oldest-first", help="Instead of the newest.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the first in this order.")] = 100,
    everything: Annotated[bool, typer.Option("--all", help="However many; for files.")] = False,
    json_to: JsonTo = None,
    csv_to: Annotated[str | None, typer.Option("--csv", metavar="FILE|-", help="Write CSV there.")] = None,
    jsonl_to: Annotated[str | None, typer.Option("--jsonl", metavar="FILE|-", help="Write JSON lines there.")] = None,
    parquet_to: Annotated[str | None, typer.Option("--parquet", metavar="FILE", help="Write Parquet there.")] = None,
    xlsx_to: Annotated[str | None, typer.Option("--xlsx", metavar="FILE", help="Write a workbook there.")] = None,
    out: Annotated[list[str] | None, typer.Option(metavar="FILE", help="As its ending says. Repeatable.")] = None,
) -> None:
    """List verdicts with their crops, newest first, or write them to files as they are read."""
    loaded = load_or_exit(station)
    now = datetime.now(UTC)
    begin, end = _time(since, "--since", now), _time(until, "--until", now)
    if shift is not None:
        begin, end = _shift(shift, loaded, given=begin or end)
    question = Question(
        since=begin,
        until=end,
        outcome=_word(Outcome, text=outcome and outcome.upper().replace("-", "_"), option="--outcome"),
        reason=_word(Reason, text=reason and reason.lower().replace("-", "_"), option="--reason"),
        camera=camera,
        slot=slot,
        frame=frame,
        zone=zone,
        min_area_mm2=min_area_mm2,
        max_area_mm2=max_area_mm2,
        label=label,
        label_state=None if label_state == "none" else _word(State, text=label_state, option="--label-state"),
        unlabelled=label_state == "none",
        oldest_first=oldest_first,
        limit=None if everything else limit,
    )
    given = {"csv": csv_to, "jsonl": jsonl_to, "parquet": parquet_to, "xlsx": xlsx_to}
    targets = [(kind, to) for kind, to in given.items() if to is not None] + [(_kind(to), to) for to in out or []]
    if [to for kind, to in targets if to == "-" and kind in BINARY]:
        raise typer.BadParameter("is no text, and needs a file", param_hint="--parquet, --xlsx")
    shown = "-" not in {json_to, *(to for _, to in targets)} and not everything
    rows: list[dict[str, Any]] = []
    number = 0
    try:
        with ExitStack() as stack:
            writers = [stack.enter_context(open_writer(*target)) for target in targets]
            found = stack.enter_context(open_history(state_folder(loaded), loaded.name, question, model=model))
            while page := list(islice(found, PAGE_ROWS)):
                number += len(page)
                for writer in writers:
                    writer.write(page)
                if shown or json_to is not None:
                    rows += page
    except (ConfigError, MissingExtra) as error:
        _refuse(error)
    except NoSuchModel as error:
        raise typer.BadParameter(str(error), param_hint="--model") from error
    except (NoHistoryError, StoreLost, StoreForeign, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAULT) from error
    if json_to is not None:
        write_json({"station": loaded.name, "rows": rows}, json_to)
    if shown:
        Console().print(to_table(rows, title=f"{loaded.name}: {number} verdicts"))


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
    loaded = load_or_exit(station)
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


def _refuse(error: ConfigError | MissingExtra) -> NoReturn:
    typer.echo(str(error), err=True)
    raise typer.Exit(EXIT_CONFIG) from error


def _time(text: str | None, option: str, now: datetime) -> int | None:
    if text is None:
        return None
    try:
        return parse_time(text, now=now)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _shift(text: str, station: Station, *, given: int | None) -> tuple[int, int]:
    if given is not None:
        raise typer.BadParameter("says when, and so do --since and --until", param_hint="--shift")
    try:
        return parse_shift(text, station.shifts)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint="--shift") from error


def _word(words: type[Words], *, text: str | None, option: str) -> Words | None:
    if text is None:
        return None
    try:
        return words(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(words)}", param_hint=option) from error


def _kind(to: str) -> str:
    """What the ending of a file's name says."""
    ending = Path(to).suffix.lower().removeprefix(".")
    if ending not in KINDS:
        raise typer.BadParameter(f"{to!r} ends in none of {', '.join(KINDS)}", param_hint="--out")
    return ending


def _live_url(station: Station) -> str | None:
    """A Redis that should answer: the one given, or our own while the line runs."""
    if url := os.environ.get("LINE_REDIS_URL"):
        return url
    socket = Endpoints(station).redis
    return f"unix://{socket}" if socket.exists() and is_running(state_folder(station)) else None


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
