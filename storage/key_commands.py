"""`linectl keys show` and `linectl keys rotate`: the keys under a station's checkpoints."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from config.loader import state_folder
from config.station import Station
from monitor.output import write_json
from monitor.person import this_person
from monitor.runner import AlreadyRunning, hold_station
from storage.command_line import load_or_exit
from storage.journal_errors import JournalError
from storage.proof.checkpoints import CheckpointFault, CheckpointFile, copy_proof, second_place
from storage.proof.keys import KeyFault, KeyFolder, KeyRecord
from storage.proof.rotations import read_keys, record_rotations
from storage.proof.sealing import BEGINNING, ProofRefused, seal, signed_to
from storage.proof.signed_lines import CopyForeign
from storage.reader import JournalReader

EXIT_FAULT = 1
HOURS_MOST = 24 * 90

app = typer.Typer(no_args_is_help=True, help="The keys that sign the journal's checkpoints. Each takes --json.")
StationName = Annotated[str, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")]
JsonTo = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]


@app.command("show")
def show(station: StationName, json_to: JsonTo = None) -> None:
    """List the station's public keys, oldest first; the last is in force."""
    loaded = load_or_exit(station)
    rows = [_row(record) for record in read_keys(state_folder(loaded))]
    if json_to is not None:
        write_json({"station": loaded.name, "rows": rows}, json_to)
    if json_to != "-":
        table = Table(title=f"{loaded.name}: {len(rows)} keys")
        for column in ("key", "signed by", "since", "by whom", "why"):
            table.add_column(column, overflow="fold")
        for row in rows:
            since = datetime.fromtimestamp(row["at"] / 1e9, UTC).astimezone()
            table.add_row(row["key"], row["by"], f"{since:%Y-%m-%d %H:%M:%S}", row["who"], row["why"])
        Console().print(table)


@app.command("rotate")
def rotate(
    station: StationName,
    who: Annotated[str, typer.Option(help="Your name, for the record. Default: the user you are.")] = "",
    why: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    overlap_h: Annotated[
        float, typer.Option(min=0.0, max=HOURS_MOST, help="So long the old key may still sign, in hours.")
    ] = 1.0,
    json_to: JsonTo = None,
) -> None:
    """Make a new key, signed by the one in force; the old one's private half is deleted, its public half kept."""
    loaded = load_or_exit(station)
    folder = state_folder(loaded)
    keys = KeyFolder(folder, loaded.name)
    by = (who or this_person().who)[:64]
    try:
        record = keys.rotate(who=by, why=why[:1000], overlap_s=overlap_h * 3600)
    except (KeyFault, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAULT) from error
    try:
        with hold_station(folder):
            record_rotations(folder)
            _seal(loaded, keys)
    except AlreadyRunning:
        typer.echo("the line runs: it signs with the new key from now on; its next start writes the row", err=True)
    except JournalError as error:
        typer.echo(f"{error}; the next start of the line writes the row", err=True)
    if json_to is not None:
        write_json({"station": loaded.name, "rows": [_row(record)]}, json_to)
    if json_to != "-":
        Console().print(f"key {record.key} is in force, signed by {record.by}", markup=False)


def _seal(station: Station, keys: KeyFolder) -> None:
    """The line stands: nobody else signs the row that was just written, nor brings the new key to the second place."""
    folder, copy = state_folder(station), second_place(station)
    file = CheckpointFile(folder, station.name)
    try:
        with JournalReader(folder) as journal:
            seal(journal, file, keys, signed_to(file) or BEGINNING)
        if copy is not None:
            copy_proof(folder, station.name, copy)
    except (OSError, KeyFault, CheckpointFault, CopyForeign, ProofRefused) as error:
        typer.echo(f"{error}; the next start of the line makes up for it", err=True)


def _row(record: KeyRecord) -> dict[str, Any]:
    names = ("number", "key", "public", "by", "at", "old_until", "who", "why")
    return {name: getattr(record, name) for name in names}
