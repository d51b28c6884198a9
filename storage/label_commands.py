"""`linectl labels import` and `linectl labels list`."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.loader import ConfigError, state_folder
from config.station import Station
from monitor.labels import LABELLED, TWIN, State
from monitor.output import write_json
from monitor.runner import AlreadyRunning
from storage.alarms import NotHeard
from storage.audit import open_audit
from storage.command_line import fail, load_or_exit
from storage.journal_errors import JournalError
from storage.label_file import FileRefused, Refused, read_labels
from storage.label_questions import Said
from storage.labels import Imported, NothingToLabel, import_labels
from storage.projection import StoreForeign, StoreLost
from storage.twin_labels import twin_labels

EXIT_FAULT = 1
SHOWN = 20  # bad lines on the terminal; --json has them all

app = typer.Typer(no_args_is_help=True)
StationName = Annotated[str, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")]
JsonTo = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]


@app.callback()
def labels() -> None:
    """What people found on parts that the line has judged: rows of the journal. Each takes --station and --json."""


@app.command("import")
def import_(  # noqa: PLR0917 - typer names each
    station: StationName,
    file: Annotated[Path | None, typer.Argument(metavar="FILE.csv", help="docs/labels.md has its columns.")] = None,
    who: Annotated[str | None, typer.Option(help="Your name, for the record; of lines without a reviewer too.")] = None,
    why: Annotated[str, typer.Option(help="Of lines that give no reason.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Add none where one line is wrong.")] = False,
    from_twin: Annotated[bool, typer.Option("--from-twin", help="A bench station: what its twin knows.")] = False,
    json_to: JsonTo = None,
) -> None:
    """Add the labels of a file to the journal; what is there already is passed over. 1 where a line is wrong."""
    if from_twin is (file is not None):
        raise typer.BadParameter("give a file, or --from-twin", param_hint="FILE.csv")
    if who is None and not from_twin:
        raise typer.BadParameter("is missing: whose work is this?", param_hint="--who")
    if not 1 <= len((who or TWIN).strip()) <= 64 or len(why) > 1000:
        raise typer.BadParameter("a name has 1 to 64 characters, a reason at most 1000", param_hint="--who, --why")
    loaded = load_or_exit(station)
    try:
        lines, refused = (twin_labels(state_folder(loaded)), []) if file is None else read_labels(file)
        if strict and refused:
            imported = Imported(added=[], already=0, refused=[])
        else:
            imported = import_labels(loaded, lines, who=(who or TWIN).strip(), why=why, strict=strict)
    except (FileRefused, NothingToLabel, NotHeard, AlreadyRunning, JournalError, StoreLost, StoreForeign) as error:
        fail(error)
    refused = sorted([*refused, *imported.refused], key=lambda each: each.line)
    if json_to is not None:
        write_json(_as_json(loaded, imported, refused), json_to)
    if json_to != "-":
        named = str(file or "twin.jsonl")
        for each in refused[:SHOWN]:
            typer.echo(each.text(named), err=True)
        if len(refused) > SHOWN:
            typer.echo(f"… and {len(refused) - SHOWN} more lines: --json FILE has them all", err=True)
        said = f"{len(imported.added)} labels added, {imported.already} on record already, {len(refused)} lines refused"
        typer.echo(f"{loaded.name}: {said}")
    if imported.behind:
        typer.echo(f"the audit store has yet to take them in: {imported.behind}", err=True)
    if refused:
        raise typer.Exit(EXIT_FAULT)


@app.command("list")
def list_labels(  # noqa: PLR0917 - typer names each
    station: StationName,
    slot: Annotated[int | None, typer.Option(min=0, help="Only of this part.")] = None,
    reviewer: Annotated[str | None, typer.Option(help="Only of this reviewer.")] = None,
    state: Annotated[State | None, typer.Option(help="Only in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many, the newest.")] = 100,
    json_to: JsonTo = None,
) -> None:
    """List labels, newest first."""
    loaded = load_or_exit(station)
    try:
        audit = open_audit(state_folder(loaded), loaded.name)
        found: list[Said] = []
        if audit is not None:
            with closing(audit):
                found = audit.labels.newest(limit=limit, slot=slot, reviewer=reviewer, state=state)
    except (StoreLost, StoreForeign, ConfigError) as error:
        fail(error)
    if json_to is not None:
        write_json({"station": loaded.name, "rows": [_row(said) for said in found]}, json_to)
    if json_to != "-":
        _show(found, loaded.name)


def _as_json(station: Station, imported: Imported, refused: list[Refused]) -> dict[str, Any]:
    return {
        "station": station.name,
        "added": len(imported.added),
        "already": imported.already,
        "refused": len(refused),
        "rows": [
            {"line": each.line, "column": each.column, "found": each.found, "expected": each.expected}
            for each in refused
        ],
    }


def _row(said: Said) -> dict[str, Any]:
    label = said.label
    return {
        "seq": said.seq,
        "frame": said.frame,
        "slot": said.slot,
        "region": label.region,
        "state": str(label.state),
        "reviewer": label.reviewer,
        LABELLED: label.label,
        "size_mm": label.size_mm,
        "blind": label.blind,
        "trial": label.trial,
        "who": said.who,
        "why": said.why,
        "old": said.old,
        "at": said.at,
    }


def _show(found: list[Said], station: str) -> None:
    table = Table(title=f"{station}: {len(found)} labels")
    columns = ("said", "slot", "frame", "region", "state", "reviewer", "label", "size mm", "blind", "why")
    for column in columns:
        table.add_column(column, overflow="fold")
    for said in found:
        label = said.label
        at = datetime.fromtimestamp(said.at / 1e9, UTC).astimezone()
        cells = [f"{at:%Y-%m-%d %H:%M:%S}", str(said.slot), said.frame or "", str(label.region or ""), str(label.state)]
        cells += [label.reviewer, label.label, "" if label.size_mm is None else f"{label.size_mm:g}"]
        cells += ["yes" if label.blind else "", said.why]
        table.add_row(*map(Text, cells))  # what somebody typed is no markup
    Console().print(table)
