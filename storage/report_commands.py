"""`linectl report`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from config.loader import EXIT_CONFIG, ConfigError, load_station, state_folder
from config.station import Station
from monitor.output import write_json
from storage.audit import open_audit
from storage.history import parse_shift, parse_time
from storage.history_files import MissingExtra
from storage.projection import StoreForeign, StoreLost
from storage.reports.asked import Asked, Options
from storage.reports.catalog import REPORTS
from storage.reports.forms import FORMS, check_form, write_page
from storage.reports.page import Gap, Page, as_json
from storage.reports.shown import text_of

EXIT_FAULT, EXIT_USAGE = 1, 2
LIST = "\n\n".join(f"{name}: {report.says}" for name, report in REPORTS.items())

app = typer.Typer()


@app.command("report", help=f"Write a report as HTML, PDF, XLSX or JSON.\n\n{LIST}")
def report(  # noqa: PLR0917 - typer names each
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"{', '.join(REPORTS)}.")],
    station: Annotated[str, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")],
    since: Annotated[str | None, typer.Option(help="ISO 8601, or an age: 90m, 8h, 1d. Whole shifts are taken.")] = None,
    until: Annotated[str | None, typer.Option(help="As --since; not including it.")] = None,
    shift: Annotated[str | None, typer.Option(metavar="DAY/N", help="The N-th that begins on a day.")] = None,
    out: Annotated[list[str] | None, typer.Option(metavar="FILE", help="As its ending says. Repeatable.")] = None,
    json_to: Annotated[
        str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")
    ] = None,
    camera: Annotated[str | None, typer.Option(help="Only this camera.")] = None,
    part: Annotated[str | None, typer.Option(metavar="FRAME|SLOT", help="trace: which.")] = None,
    opportunities: Annotated[int, typer.Option(min=1, max=1_000_000, help="quality: for a defect, on one part.")] = 1,
) -> None:
    """Make one, of the store as it is now; the same chain head gives the same bytes."""
    if name not in REPORTS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(REPORTS)}", param_hint="NAME")
    targets = [(Path(to), _form(to)) for to in out or []]
    loaded = _load(station)
    _check_camera(loaded, camera)
    begin, end = _period(loaded, since, until, shift)
    options = Options(camera=camera, opportunities=opportunities, part=part)
    try:
        for _, form in targets:
            check_form(form)
        with _open(loaded, begin, end, options) as asked:
            page = REPORTS[name].make(asked)
        for path, form in targets:
            write_page(page, path, form)
    except (ConfigError, MissingExtra) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CONFIG) from error
    except (StoreLost, StoreForeign, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_FAULT) from error
    if json_to is not None:
        write_json(as_json(page), json_to)
    if json_to != "-":
        _show(page, [path for path, _ in targets])


@contextmanager
def _open(station: Station, since: int | None, until: int | None, options: Options) -> Iterator[Asked]:
    folder = state_folder(station)
    store = open_audit(folder, station.name)
    if store is None:
        typer.echo(f"{folder}: no audit store yet; run the line once, or set LINE_STATE or LINE_AUDIT_URL", err=True)
        raise typer.Exit(EXIT_USAGE)
    try:
        with store.snapshot() as snapshot:
            yield Asked(station=station, folder=folder, snapshot=snapshot, since=since, until=until, options=options)
    finally:
        store.close()


def _load(named: str) -> Station:
    try:
        return load_station(named)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_CONFIG) from error


def _form(to: str) -> str:
    """What the ending of a file's name says."""
    ending = Path(to).suffix.lower().removeprefix(".")
    if ending not in FORMS:
        raise typer.BadParameter(f"{to!r} ends in none of {', '.join(FORMS)}", param_hint="--out")
    if not Path(to).parent.is_dir():
        raise typer.BadParameter(f"{Path(to).parent}: there is no such folder", param_hint="--out")
    return ending


def _check_camera(station: Station, camera: str | None) -> None:
    known = [each.name for each in station.cameras]
    if camera is not None and camera not in known:
        raise typer.BadParameter(f"{camera!r} is not one of {', '.join(known)}", param_hint="--camera")


def _period(station: Station, since: str | None, until: str | None, shift: str | None) -> tuple[int | None, int | None]:
    """(since, until), wall time, ns."""
    now = datetime.now(UTC)
    begin, end = _time(since, "--since", now), _time(until, "--until", now)
    if shift is not None:
        if begin or end:
            raise typer.BadParameter("says when, and so do --since and --until", param_hint="--shift")
        try:
            return parse_shift(shift, station.shifts)
        except (ValueError, OverflowError) as error:
            raise typer.BadParameter(str(error), param_hint="--shift") from error
    if begin is not None and end is not None and begin >= end:
        raise typer.BadParameter("is not after --since", param_hint="--until")
    return begin, end


def _time(text: str | None, option: str, now: datetime) -> int | None:
    if text is None:
        return None
    try:
        return parse_time(text, now=now)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _show(page: Page, paths: list[Path]) -> None:
    """The headlines, what is missing, and where the files are."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{page.title}, {page.station}, {page.period}", markup=False)
    for fact in page.facts:
        value = text_of(fact.value, digits=fact.digits, is_share=fact.is_share)
        console.print(
            f"  {fact.title}: {value} {fact.unit}".rstrip() + f"  ({fact.note})" * bool(fact.note), markup=False
        )
    for part in page.parts:
        if isinstance(part, Gap):
            console.print(f"  missing: {part.missing} {part.remedy}", markup=False)
    for path in paths:
        console.print(f"  → {path}", markup=False)
