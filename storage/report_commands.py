"""`linectl report`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from config.loader import EXIT_CONFIG, ConfigError, state_folder
from config.station import Station
from monitor.output import write_json
from storage.audit import open_audit
from storage.command_line import load_or_exit
from storage.history import parse_shift, parse_time
from storage.history_files import MissingExtra
from storage.journal_errors import JournalError
from storage.projection import StoreForeign, StoreLost
from storage.reader import JournalReader
from storage.reports.asked import PITCH_MM, Asked, Frozen, Options, RunRules, Weight
from storage.reports.catalog import REPORTS, make
from storage.reports.chart_names import KINDS
from storage.reports.forms import FORMS, check_form, write_page
from storage.reports.frozen import NoBaseline, read_frozen, write_frozen
from storage.reports.page import Gap, Page, as_json
from storage.reports.shown import text_of
from storage.rollups import Span

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
    policy: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="what-if: with a table [policy].")] = None,
    opportunities: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="quality: for a defect, on one part; else the station's.")
    ] = None,
    weight: Annotated[Weight, typer.Option(help="pareto: what makes a bar long.")] = "count",
    change: Annotated[str | None, typer.Option(metavar="TIME", help="pareto: before and after it.")] = None,
    by: Annotated[Span | None, typer.Option(help="spc: what makes one point.")] = None,
    chart: Annotated[
        list[str] | None, typer.Option(metavar="CHART", help=f"spc: {', '.join(KINDS)}. Repeatable.")
    ] = None,
    rules: Annotated[RunRules, typer.Option(help="spc: whose rules.")] = "nelson",
    run: Annotated[int | None, typer.Option(min=8, max=9, help="spc: points on one side that are a run.")] = None,
    phase: Annotated[
        list[str] | None, typer.Option(metavar="TIME", help="spc: limits begin anew here. Repeatable.")
    ] = None,
    baseline: Annotated[Path | None, typer.Option(metavar="FILE", help="spc: the limits that were kept in it.")] = None,
    freeze_since: Annotated[
        str | None, typer.Option(help="spc: limits of a period from here; with --freeze-until, --who and --why.")
    ] = None,
    freeze_until: Annotated[str | None, typer.Option(help="As --freeze-since; not including it.")] = None,
    who: Annotated[str, typer.Option(help="spc: who freezes these limits; it is printed.")] = "",
    why: Annotated[str, typer.Option(help="spc: why.")] = "",
    keep: Annotated[Path | None, typer.Option(metavar="FILE", help="spc: keep the frozen limits there.")] = None,
    pitch_mm: Annotated[
        tuple[float, float], typer.Option(metavar="MM MM", help="map: shortest and longest repeating pitch.")
    ] = PITCH_MM,
    roll: Annotated[
        list[str] | None, typer.Option(metavar="NAME=MM", help="map: a roll's circumference. Repeatable.")
    ] = None,
) -> None:
    """Make one, of the store as it is now; the same chain head gives the same bytes."""
    if name not in REPORTS:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(REPORTS)}", param_hint="NAME")
    targets = [(Path(to), _form(to)) for to in out or []]
    loaded = load_or_exit(station)
    _check_camera(loaded, camera)
    begin, end = _period(loaded, since, until, shift)
    options = Options(
        camera=camera,
        opportunities=opportunities,
        weight=weight,
        change=_time(change, "--change", datetime.now(UTC)),
        span=by,
        charts=_charts(chart or []),
        rules=rules,
        run=run,
        phases=_phases(phase or []),
        pitch_mm=_pitch(pitch_mm),
        rolls_mm=_rolls(roll or []),
        part=part,
        policy=policy,
    )
    freeze = _freeze(freeze_since, freeze_until, who=who, why=why, baseline=baseline, keep=keep)
    try:
        for _, form in targets:
            check_form(form)
        with _open(loaded, begin, end, options) as asked:
            page = make(name, _with_frozen(asked, baseline, freeze, who=who, why=why, keep=keep))
            _warn_of_lag(asked)
        for path, form in targets:
            write_page(page, path, form)
    except NoBaseline as error:
        raise typer.BadParameter(str(error), param_hint="--baseline") from error
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


def _warn_of_lag(asked: Asked) -> None:
    """Beside the page, which is of the store's chain head and says so: a lag is none of its facts."""
    head = asked.snapshot.head
    try:
        with JournalReader(asked.folder) as reader:
            behind = reader.last_seq() - (head.seq if head else 0)
    except JournalError as error:
        typer.echo(f"the journal cannot be read: {error}", err=True)
        return
    if behind > 0:
        said = (
            f"the store is {behind} rows behind the journal, and so is this report; the line's recorder takes them in"
        )
        typer.echo(said, err=True)


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


def _with_frozen(
    asked: Asked, baseline: Path | None, freeze: tuple[int, int] | None, *, who: str, why: str, keep: Path | None
) -> Asked:
    """With limits of a file, or of a period, which are kept where that was asked for."""
    if baseline is not None:
        frozen = read_frozen(baseline, asked.station.name)
    elif freeze is not None:
        from storage.reports.spc import limits_of

        before = replace(asked, since=freeze[0], until=freeze[1])
        frozen = Frozen(who=who, why=why, source=asked.said(before.period()), limits=limits_of(before))
    else:
        return asked
    if keep is not None:
        write_frozen(keep, asked.station.name, frozen)
    return replace(asked, options=replace(asked.options, frozen=frozen))


def _freeze(
    since: str | None, until: str | None, *, who: str, why: str, baseline: Path | None, keep: Path | None
) -> tuple[int, int] | None:
    """The period whose limits are to be frozen."""
    now = datetime.now(UTC)
    begin, end = _time(since, "--freeze-since", now), _time(until, "--freeze-until", now)
    if begin is None and end is None:
        if keep is not None and baseline is None:
            raise typer.BadParameter("needs limits: --freeze-since and --freeze-until", param_hint="--keep")
        return None
    if begin is None or end is None or begin >= end:
        raise typer.BadParameter("are two, the second one later", param_hint="--freeze-since, --freeze-until")
    if baseline is not None:
        raise typer.BadParameter("says which limits, and so does --freeze-since", param_hint="--baseline")
    if not who.strip() or not why.strip():
        raise typer.BadParameter("say who freezes limits, and why", param_hint="--who, --why")
    return begin, end


def _charts(names: list[str]) -> tuple[str, ...]:
    if unknown := sorted(set(names) - set(KINDS)):
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(KINDS)}", param_hint="--chart")
    return tuple(dict.fromkeys(names))


def _phases(texts: list[str]) -> tuple[int, ...]:
    now = datetime.now(UTC)
    return tuple(sorted({at for text in texts if (at := _time(text, "--phase", now)) is not None}))


def _pitch(pitch_mm: tuple[float, float]) -> tuple[float, float]:
    if not 0 < pitch_mm[0] < pitch_mm[1]:
        raise typer.BadParameter("the shortest comes first, and is above 0", param_hint="--pitch-mm")
    return pitch_mm


def _rolls(texts: list[str]) -> dict[str, float]:
    rolls: dict[str, float] = {}
    for text in texts:
        name, _, length = text.rpartition("=")
        try:
            rolls[name] = float(length)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is no roll, as work-roll=1885", param_hint="--roll") from error
        if not name or not 0 < rolls[name] < 1e6:
            raise typer.BadParameter(f"{text!r} is no roll, as work-roll=1885", param_hint="--roll")
    return rolls


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
