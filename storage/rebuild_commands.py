"""`linectl rebuild`: a store made anew from the journal while the line stands."""

from typing import Annotated, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from config.loader import EXIT_CONFIG, ConfigError, state_folder
from config.station import Station
from monitor.output import write_json
from monitor.runner import AlreadyRunning, hold_station
from storage.command_line import load_or_exit
from storage.journal_errors import JournalError
from storage.projection import StoreForeign, StoreLost
from storage.rebuild import NothingToRebuild, Rebuilt, Store, rebuild

EXIT_FAULT = 1
SHOWN_LOST = 20  # at the terminal; --json has them all

JsonTo = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]
app = typer.Typer()


@app.command("rebuild")
def rebuild_store(
    station: Annotated[str, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")],
    store: Annotated[Store, typer.Option("--store", help="SQL, Redis, or the pictures.")],
    replace_foreign: Annotated[
        bool, typer.Option("--replace-foreign", help="Also where SQL holds rows of another journal: they are gone.")
    ] = False,
    json_to: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")
    ] = None,
) -> None:
    """Make a store anew from the journal. Refused while the line runs: its recorder writes the same store.

    Exit 1 where pictures are missing that rows name. Broken off, it is begun again; nothing comes twice.
    """
    loaded = load_or_exit(station)
    try:
        with hold_station(state_folder(loaded)):
            rebuilt = _with_progress(loaded, store, replace_foreign=replace_foreign)
    except AlreadyRunning as error:
        _fail(f"{error}; stop it first: its recorder writes the same store")
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CONFIG) from error
    except (NothingToRebuild, StoreLost, StoreForeign, JournalError, OSError) as error:
        _fail(str(error))
    if json_to is not None:
        facts = msgspec.to_builtins(rebuilt)
        write_json({"station": loaded.name, "store": str(store), "rows": facts.pop("lost"), **facts}, json_to)
    if json_to != "-":
        _show(rebuilt, loaded.name, store)
    if rebuilt.lost:
        raise typer.Exit(EXIT_FAULT)


def _with_progress(station: Station, store: Store, *, replace_foreign: bool) -> Rebuilt:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as shown:
        task = shown.add_task(f"{station.name}: {store}", total=None)

        def progress(read: int, of: int) -> None:
            shown.update(task, completed=read, total=of)

        return rebuild(station, store, progress, replace_foreign=replace_foreign)


def _show(rebuilt: Rebuilt, station: str, store: Store) -> None:
    console = Console()
    said = f"{station}: {store} made anew from {rebuilt.journal_rows:,} rows; removed before: {rebuilt.removed:,}"
    if store is Store.CROPS:
        said = (
            f"{station}: {rebuilt.kept:,} pictures kept, {rebuilt.restored:,} put back from the journal, "
            f"{rebuilt.removed:,} swept that no row names, {len(rebuilt.lost):,} lost"
        )
    console.print(said, markup=False)
    for lost in rebuilt.lost[:SHOWN_LOST]:
        console.print(f"{lost.fault}: {lost.sha256}, named by row {lost.seq}, {lost.frame}", markup=False)
    if len(rebuilt.lost) > SHOWN_LOST:
        console.print(f"… and {len(rebuilt.lost) - SHOWN_LOST:,} more; --json FILE has them all")


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(EXIT_FAULT)
