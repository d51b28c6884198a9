"""`linectl bench …`: speed and memory, measured where they are claimed."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

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
HEALTH_MOST_MS = 10.0  # a frame of rail-03's size, on one core
BLUR_PX = 2.0  # from here on, drawn surfaces are called blurred
BLUR_LEAST = 0.99
INGEST_LEAST = 10_000  # verdicts/s into SQLite
PAGE_MOST_MS = 50.0
REPORT_MOST_MS = 1000.0
ANSWER_MOST_MB = 300.0
EXIT_INTERRUPTED = 130
EXIT_USAGE = 2


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


@app.command("labels")
def labels(
    root: Annotated[Path, typer.Option(help="Folder of the magnetic tiles.")],
    part: Annotated[Literal["train", "val", "test", "all"], typer.Option("--split")] = "val",
    json: JsonTo = None,
) -> None:
    """How far the labels of one tile's exposures agree: what no net can be asked to exceed."""
    from benchmarks.labels import measure_labels
    from workers.datasets.items import DatasetError

    try:
        _show(measure_labels(root, part), json)
    except DatasetError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_USAGE) from error


@app.command("health")
def health(
    station: StationName = "rail-03",
    root: Annotated[
        str | None, typer.Option(metavar="DIR", help="Folder of real image sets. Default: LINE_DATA, or none.")
    ] = None,
    frames: Annotated[int, typer.Option(min=20, help="Of each texture, at most.")] = 300,
    json: JsonTo = None,
) -> None:
    """How surely blur is told from good focus, on drawn and real textures, and what measuring a frame costs."""
    from benchmarks.health import measure_health

    result = measure_health(station, root, frames)
    _show(result, json)
    drawn = [row for row in result["rows"] if row["texture"] == "drawn"]
    false = any(row["called_blurred"] for row in drawn if row["sigma_px"] == 0)
    missed = any(row["called_blurred"] < BLUR_LEAST for row in drawn if row["sigma_px"] >= BLUR_PX)
    if false or missed or result["cpu_ms_1000x160"]["p50"] > HEALTH_MOST_MS:
        raise typer.Exit(EXIT_BELOW)


@app.command("nets")
def nets(
    *,
    size: Annotated[list[str] | None, typer.Option(metavar="LINESxPX", help="Repeatable; else 1000x160.")] = None,
    net: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Repeatable; else each net there is.")] = None,
    width: Annotated[list[int] | None, typer.Option(min=1, max=256, help="Of the AnomalySeg family.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Rounds; in each, every net runs once.")] = 9,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option()] = "auto",
    json: JsonTo = None,
) -> None:
    """Parameters, multiply-accumulates and ms an image of the paper's nets, with torch and with OpenVINO."""
    from benchmarks.nets import measure_nets
    from workers.errors import ModelError
    from workers.models.cost import has_cuda

    if device == "cuda" and not has_cuda():
        raise typer.BadParameter("torch finds no CUDA device here; cpu is there", param_hint="--device")
    sizes = [_lines_by_pixels(one) for one in size or ["1000x160"]]
    try:
        result = measure_nets(sizes, net or [], width or [], runs=runs, threads=threads, device=device)
    except ModelError as error:
        raise typer.BadParameter(str(error), param_hint="--net") from error
    _show(result, json)


@app.command("paper")
def paper(
    *,
    root: Annotated[Path, typer.Option(help="Folder that holds the data sets: kolektorsdd, kolektorsdd2, rsdd1, …")],
    out: Annotated[Path, typer.Option(help="Folder of trials and figures; what is done there stays done.")],
    tables: Annotated[Path | None, typer.Option(help="Folder of paper.md and paper.csv. Default: --out.")] = None,
    size: Annotated[str | None, typer.Option(metavar="LINESxPX", help="Of the nets' input.")] = None,
    crop: Annotated[str | None, typer.Option(metavar="LINESxPX", help="Of a training sample.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="In all.")] = None,
    batch: Annotated[int | None, typer.Option(min=1)] = None,
    net: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Repeatable; else each that the tables name.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option()] = "auto",
    json: JsonTo = None,
) -> None:
    """Train every net of the paper alike and set its tables and figures beside ours; resumes after a stop."""
    from benchmarks.paper import PlanError, plan_for, repeat_paper, settled_plan
    from benchmarks.paper_numbers import LABELS
    from workers.datasets.items import DatasetError
    from workers.errors import ModelError
    from workers.train import Interrupted
    from workers.train_command import asked_to_stop

    plan = plan_for(
        device,
        size=None if size is None else _lines_by_pixels(size),
        crop=None if crop is None else _lines_by_pixels(crop),
        steps=steps,
        batch=batch,
    )
    if wrong := sorted(set(net or []) - set(LABELS)):
        raise typer.BadParameter(f"{wrong[0]!r} is not one of {list(LABELS)}", param_hint="--net")
    console = Console(stderr=True)
    try:
        plan = settled_plan(out, plan, asked=any(each is not None for each in (size, crop, steps, batch)))
        with asked_to_stop(console) as stop:
            result = repeat_paper(
                root, out, tables or out, plan,
                device=device, threads=threads, only=net or [], say=console.print, stop=stop,
            )  # fmt: skip
    except Interrupted as stopped:
        console.print(f"stopped at step {stopped.step} of a trial; the same command goes on")
        raise typer.Exit(EXIT_INTERRUPTED) from stopped
    except PlanError as error:
        raise typer.BadParameter(str(error), param_hint="--out") from error
    except (DatasetError, ModelError) as error:
        console.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(EXIT_USAGE) from error
    _show(result, json)


@app.command("gate")
def gate(
    *,
    protocol: Annotated[str, typer.Option(help="Of the simulated PLC: modbus, mqtt, opcua.")],
    parts: Annotated[int, typer.Option(min=1)] = 1000,
    rate: Annotated[float, typer.Option(min=0.1, max=500, help="Parts/s at full speed of the belt.")] = 50.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    json: JsonTo = None,
) -> None:
    """Order parts at a simulated PLC while its belt slows, stops and runs back; 1 where one was late or wrong."""
    from benchmarks.gate import ACTUATORS, measure_gate

    if protocol not in ACTUATORS:
        raise typer.BadParameter(f"{protocol!r} is not one of {sorted(ACTUATORS)}", param_hint="--protocol")
    console = Console(stderr=True)
    result = measure_gate(protocol, parts=parts, rate=rate, seed=seed, say=console.print)
    _show(result, json)
    if result["late"] or result["wrong_slot"] or result["confirmed"] < result["sent"]:
        raise typer.Exit(EXIT_BELOW)


@app.command("history")
def history(
    *,
    rows: Annotated[int, typer.Option(min=1000, help="Inspections, over a year.")] = 200_000,
    store: Annotated[Literal["sqlite", "postgres"], typer.Option(help="postgres: at LINE_AUDIT_URL.")] = "sqlite",
    keep: Annotated[Path | None, typer.Option(metavar="FILE", help="Leave the filled SQLite store there.")] = None,
    json: JsonTo = None,
) -> None:
    """How fast a fresh audit store takes rows in, and answers pages and reports; 1 where one is slow or large."""
    from benchmarks.history import NoServer, measure_history

    console = Console(stderr=True)
    try:
        result = measure_history(rows, store, say=console.print, keep=keep)
    except NoServer as error:
        raise typer.BadParameter(str(error), param_hint="--store") from error
    _show(result, json)
    slow = [r for r in result["rows"] if r["p99_ms"] > (PAGE_MOST_MS if "page" in r["name"] else REPORT_MOST_MS)]
    large = [r for r in result["rows"] if r["peak_mb"] > ANSWER_MOST_MB]
    if slow or large or (store == "sqlite" and result["ingest_rows_per_s"] < INGEST_LEAST):
        raise typer.Exit(EXIT_BELOW)


@app.command("beside")
def beside(
    *,
    store: Annotated[
        str, typer.Option(metavar="URL", help="A large audit store, as `bench history --keep` leaves it.")
    ],
    seconds: Annotated[int, typer.Option(min=5)] = 40,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    json: JsonTo = None,
) -> None:
    """Run a line alone and beside reports of a large store, in turn; 1 where one of its parts was late."""
    from benchmarks.beside import measure_beside

    result = measure_beside(store, seconds=seconds, rounds=rounds)
    _show(result, json)
    if result["alone"]["late"] or result["beside"]["late"] or result["beside"]["not_inspected"]:
        raise typer.Exit(EXIT_BELOW)


def _lines_by_pixels(named: str) -> tuple[int, int]:
    if not (found := re.fullmatch(r"([1-9][0-9]{0,3})x([1-9][0-9]{0,3})", named)):
        raise typer.BadParameter(f"{named!r} is not LINESxPX, as 1000x160", param_hint="--size")
    return int(found[1]), int(found[2])


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
