"""`linectl alarms` and `linectl alarms ack`."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from config.loader import EXIT_CONFIG, ConfigError, load_station, state_folder
from config.station import Station
from monitor.output import write_json
from storage.alarms import NotHeard, acknowledge, list_alarms
from storage.journal_errors import JournalError

EXIT_FAULT = 1

app = typer.Typer(invoke_without_command=True, help="What called a person; `ack` puts on record that one has looked.")
StationName = Annotated[
    str | None, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")
]
JsonTo = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]


@app.callback()
def alarms(
    context: typer.Context,
    station: StationName = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest.")] = 50,
    json_to: JsonTo = None,
) -> None:
    """List what called a person, newest first; what stands must be acknowledged. `ack` does so."""
    if context.invoked_subcommand is not None:
        context.obj = station  # it may stand before or after `ack`
        return
    loaded = _load(station)
    rows = list_alarms(state_folder(loaded), most=limit)
    if json_to is not None:
        write_json({"station": loaded.name, "rows": rows}, json_to)
    if json_to != "-":
        _show(rows, loaded.name)


@app.command("ack")
def ack(  # noqa: PLR0917 - typer names each
    context: typer.Context,
    who: Annotated[str, typer.Option(help="Your name, for the record.")],
    key: Annotated[str, typer.Argument(help="Of the alarm. Default: all that stand.")] = "",
    station: StationName = None,
    why: Annotated[str, typer.Option(help="What was found, and done.")] = "",
    json_to: JsonTo = None,
) -> None:
    """Acknowledge an alarm, or all that stand; it is a row of the journal. 1 where nothing of that key stood."""
    loaded = _load(station or context.obj)
    try:
        keys = acknowledge(loaded, key, who=who, why=why)
    except (NotHeard, JournalError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAULT) from error
    if json_to is not None:
        write_json({"station": loaded.name, "who": who, "rows": [{"key": gone} for gone in keys]}, json_to)
    if json_to != "-":
        Console().print("\n".join(f"acknowledged: {gone}" for gone in keys) or "nothing stood", markup=False)
    if not keys and key:
        raise typer.Exit(EXIT_FAULT)


def _load(named: str | None) -> Station:
    if named is None:
        raise typer.BadParameter("is missing", param_hint="--station")
    try:
        return load_station(named)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CONFIG) from error


def _show(rows: list[dict[str, Any]], station: str) -> None:
    table = Table(title=f"{station}: {sum(row['stands'] for row in rows)} of {len(rows)} alarms stand")
    for column in ("raised", "level", "alarm", "about", "text", "state"):
        table.add_column(column, overflow="fold")
    for row in rows:
        raised = datetime.fromtimestamp(row["raised_at"] / 1e9, UTC).astimezone()
        by = f"acknowledged by {row['acknowledged_by']}" if row["acknowledged_by"] else ""
        state = "[red]stands[/red]" if row["stands"] else by
        table.add_row(f"{raised:%Y-%m-%d %H:%M:%S}", row["level"], row["name"], row["about"], row["text"], state)
    Console().print(table)
