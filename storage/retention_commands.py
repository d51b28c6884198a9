"""`linectl retention show`, `apply`, `hold`, `lift` and `holds`: how long pictures are kept, and which stay longer."""

import time
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.loader import ConfigError, state_folder
from config.station import Station
from monitor.output import write_json
from monitor.person import this_person
from monitor.retention import LegalHold
from monitor.runner import AlreadyRunning
from storage.alarms import NotHeard
from storage.audit import open_audit
from storage.command_line import fail, load_or_exit
from storage.history import parse_time
from storage.journal_errors import JournalError
from storage.legal_holds import NoSuchHold, lift_hold, list_holds, place_hold
from storage.projection import StoreForeign, StoreLost
from storage.retention import Author, NothingKept, apply, would_purge

EXIT_FAULT = 1

app = typer.Typer(no_args_is_help=True)
StationName = Annotated[str, typer.Option("--station", metavar="NAME|PATH", help="A station's name, or its file.")]
Who = Annotated[str, typer.Option(help="Your name, for the record.")]
Why = Annotated[str, typer.Option(help="Why, for the record.")]
JsonTo = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]


@app.callback()
def retention() -> None:
    """How long pictures are kept, and what is held longer; rows stay for ever. Each takes --station and --json."""


@app.command("show")
def show(station: StationName, json_to: JsonTo = None) -> None:
    """Show the policy, and how many pictures are kept under it."""
    loaded = load_or_exit(station)
    counts: dict[str, tuple[int, int]] = {}
    try:
        holds = len(list_holds(state_folder(loaded)))
        if (audit := open_audit(state_folder(loaded), loaded.name)) is not None:
            with closing(audit):
                counts = audit.pictures.count(loaded.retention, time.time_ns())
    except (JournalError, StoreLost, StoreForeign, ConfigError) as error:
        fail(error)
    rows = [
        {"verdicts": key.removesuffix("_days"), "days": days or None, "pictures": counts.get(key, (0, 0))[0]}
        | {"time_over": counts.get(key, (0, 0))[1]}
        for key, days in loaded.retention.model_dump().items()
    ]
    if json_to is not None:
        write_json({"station": loaded.name, "holds": holds, "rows": rows}, json_to)
    if json_to != "-":
        table = Table(title=f"{loaded.name}: pictures that verdicts name and that are kept; {holds} legal holds")
        for column in ("of verdicts", "kept for", "pictures", "time is over"):
            table.add_column(column, justify="left" if column == "of verdicts" else "right")
        for row in rows:
            kept = f"{row['days']} days" if row["days"] else "ever"
            table.add_row(str(row["verdicts"]), kept, str(row["pictures"]), str(row["time_over"]))
        Console().print(table)


@app.command("apply")
def apply_policy(
    station: StationName,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would expire, and change nothing.")] = False,
    who: Annotated[str, typer.Option(help="Your name, for the record. Default: the user you are.")] = "",
    why: Why = "",
    json_to: JsonTo = None,
) -> None:
    """Let what the policy keeps no longer expire: a row for it first, then the pictures are deleted."""
    loaded = load_or_exit(station)
    author = Author(by=(who.strip() or this_person().who)[:64], why=why[:1000])
    try:
        applied = would_purge(loaded, author) if dry_run else apply(loaded, author)
    except (NothingKept, NotHeard, AlreadyRunning, JournalError, StoreLost, StoreForeign, ConfigError) as error:
        fail(error)
    if json_to is not None:
        rows = [{"row": purged.seq, "pictures": list(purged.pictures)} for purged in applied.purges]
        facts = {"dry_run": dry_run, "pictures": applied.pictures, "holds": len(applied.holds), "rows": rows}
        write_json({"station": loaded.name} | facts, json_to)
    if json_to != "-":
        done = "would expire" if dry_run else f"have expired, by {len(applied.purges)} rows"
        typer.echo(f"{loaded.name}: {applied.pictures} pictures {done}; {len(applied.holds)} legal holds are in force")
    if applied.behind:
        typer.echo(f"a store has yet to take that in: {applied.behind}", err=True)


@app.command("hold")
def hold(  # noqa: PLR0917 - typer names each
    station: StationName,
    who: Who,
    why: Why,
    slot: Annotated[int | None, typer.Option(min=0, help="The pictures of this part.")] = None,
    since: Annotated[str | None, typer.Option(help="Of all captured since: ISO 8601, or an age as 8h.")] = None,
    until: Annotated[str | None, typer.Option(help="As --since; not including it.")] = None,
    json_to: JsonTo = None,
) -> None:
    """Place a legal hold on a part, or on a period: its pictures stay until it is lifted, whatever the policy says."""
    if (slot is None) is (since is None and until is None):
        raise typer.BadParameter("say which part, or which period", param_hint="--slot, or --since and --until")
    loaded = load_or_exit(station)
    _check_named(who, why)
    begin, end = _time(since, "--since"), _time(until, "--until")
    if begin is not None and end is not None and begin >= end:
        raise typer.BadParameter("is not before --until", param_hint="--since")
    try:
        row, placed = place_hold(loaded, slot=slot, since=begin, until=end, who=who.strip(), why=why)
    except (NotHeard, JournalError) as error:
        fail(error)
    _say(loaded, row, placed, "is in force", json_to)


@app.command("lift")
def lift(
    station: StationName,
    named: Annotated[str, typer.Argument(metavar="ID", help="Of the hold, or how it begins.")],
    who: Who,
    why: Why,
    json_to: JsonTo = None,
) -> None:
    """Lift a legal hold; from then on the policy decides again. 1 where none of that id is in force."""
    loaded = load_or_exit(station)
    _check_named(who, why)
    try:
        row, lifted = lift_hold(loaded, named, who=who.strip(), why=why)
    except (NoSuchHold, NotHeard, JournalError) as error:
        fail(error)
    _say(loaded, row, lifted, "is lifted", json_to)


@app.command("holds")
def holds(station: StationName, json_to: JsonTo = None) -> None:
    """List the legal holds in force, oldest first."""
    loaded = load_or_exit(station)
    try:
        found = list_holds(state_folder(loaded))
    except JournalError as error:
        fail(error)
    rows = [
        _facts(body.hold) | {"row": row.seq, "who": body.who, "why": body.why, "at": body.at}
        for row, body in found
        if body.hold is not None
    ]
    if json_to is not None:
        write_json({"station": loaded.name, "rows": rows}, json_to)
    if json_to != "-":
        table = Table(title=f"{loaded.name}: {len(rows)} legal holds in force")
        for column in ("id", "slot", "captured since", "until", "placed", "by", "why"):
            table.add_column(column, overflow="fold")
        for row in rows:
            slot = "" if row["slot"] is None else str(row["slot"])
            times = [_local(row[key]) for key in ("since", "until", "at")]
            table.add_row(*map(Text, [row["id"], slot, *times, row["who"], row["why"]]))  # what was typed is no markup
        Console().print(table)


def _say(station: Station, row: int, hold: LegalHold, what: str, json_to: str | None) -> None:
    if json_to is not None:
        write_json({"station": station.name, "rows": [_facts(hold) | {"row": row}]}, json_to)
    if json_to != "-":
        typer.echo(f"{station.name}: hold {hold.id} {what}, by row {row}")


def _facts(hold: LegalHold) -> dict[str, Any]:
    return {"id": hold.id, "slot": hold.slot, "since": hold.since, "until": hold.until}


def _check_named(who: str, why: str) -> None:
    if not 1 <= len(who.strip()) <= 64 or not 1 <= len(why.strip()) <= 1000:
        raise typer.BadParameter(
            "a name has 1 to 64 characters, a reason 1 to 1000: somebody will ask", param_hint="--who, --why"
        )


def _time(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    try:
        return parse_time(text, now=datetime.now(UTC))
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _local(wall_ns: int | None) -> str:
    return "" if wall_ns is None else f"{datetime.fromtimestamp(wall_ns / 1e9, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
