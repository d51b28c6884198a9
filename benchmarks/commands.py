"""`linectl bench …`: speed and memory, measured where they are claimed."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from monitor.output import write_json

app = typer.Typer(no_args_is_help=True, help="Measure; exit 1 below the bar.")

StationName = Annotated[str, typer.Option("--station", metavar="NAME|PATH")]
JsonTo = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]
EXIT_BELOW = 1
RATIO_LEAST = 0.90
RECOVERY_MOST_S = 10.0
ALARM_MOST_S = 1.0


@app.command("pipeline")
def pipeline(
    station: StationName = "rail-03",
    frames: Annotated[int, typer.Option(min=20, help="In each run; the first fifth is not counted.")] = 250,
    rounds: Annotated[int, typer.Option(min=1, help="Of bare and pipeline, in turn.")] = 3,
    json: JsonTo = None,
) -> None:
    """How many frames/s the whole line carries, against the same workers without a line around them."""
    from benchmarks.pipeline import measure_pipeline

    result = measure_pipeline(station, frames=frames, rounds=rounds)
    _show(result, json)
    if result["ratio"] < RATIO_LEAST:
        raise typer.Exit(EXIT_BELOW)


@app.command("recovery")
def recovery(
    station: StationName = "rail-03",
    process: Annotated[list[str] | None, typer.Option(help="Only these; else each process of the line.")] = None,
    json: JsonTo = None,
) -> None:
    """How soon the loss of each process is alarmed, and how soon the line inspects again."""
    from benchmarks.recovery import measure_recovery

    result = measure_recovery(station, process or [])
    _show(result, json)
    slow = [r for r in result["rows"] if r["alarm_s"] > ALARM_MOST_S or r["inspects_again_s"] > RECOVERY_MOST_S]
    if slow:
        raise typer.Exit(EXIT_BELOW)


def _show(result: dict[str, Any], json_to: str | None) -> None:
    if json_to is not None:
        write_json(result, json_to)
    if json_to == "-":
        return
    console = Console()
    facts = {key: value for key, value in result.items() if key != "rows"}
    if facts:
        table = Table(show_header=False)
        for key, value in facts.items():
            table.add_row(key, str(value))
        console.print(table)
    if rows := result.get("rows"):
        table = Table(*rows[0])
        for row in rows:
            table.add_row(*map(str, row.values()))
        console.print(table)
