"""What the operator sees: a live panel while the line runs, the process table before, the summary after."""

import time
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from config.station import Station
from config.timing import budget_rows
from monitor.children import Child, Job, State
from monitor.rules.stores import behind
from monitor.supervisor import View

SHOWN_S = 2.0  # of lag; less comes and goes with every part
_STATES = {State.READY: "green", State.STARTING: "yellow", State.DEAD: "bold red", State.ENDED: "dim"}


def render(view: View) -> RenderableType:
    """The panel at this moment."""
    parts: list[RenderableType] = [_headline(view), _counts(view), _processes(view.children)]
    if view.status and view.status.last:
        parts.append(
            Panel("\n".join(view.status.last), title="last not passed", title_align="left", border_style="dim")
        )
    if late := behind(view.stores, over_s=SHOWN_S):
        lines = Text("\n".join(f"{lag.store}: {lag.text}" for lag in late))
        parts.append(Panel(lines, title="stores behind", title_align="left", border_style="yellow"))
    if view.alarms:
        parts.append(Panel("\n".join(view.alarms), title="alarms", title_align="left", border_style="red"))
    return Group(*parts)


def job_table(station: Station, jobs: list[Job]) -> Table:
    """The processes in the direction frames flow."""
    table = Table(title=f"{station.name}: processes", title_justify="left")
    for heading in ("process", "in", "out", "threads"):
        table.add_column(heading, justify="right" if heading == "threads" else "left")
    for job in jobs:
        table.add_row(job.name, job.inward, job.outward, str(job.threads))
    return table


def budget_table(station: Station) -> RenderableType:
    """What each stage may take, against the way to the gate."""
    if station.belt is None:
        return Text("No belt: nothing is due, so there is no time budget.")
    table = Table(title="time budget", title_justify="left", show_footer=True)
    rows = budget_rows(station)
    total = sum(ms for _, ms in rows)
    table.add_column("stage", footer="sum")
    table.add_column("ms", justify="right", footer=f"{total:g}")
    for stage, ms in rows:
        table.add_row(stage, f"{ms:g}")
    belt = station.belt
    way = f"{belt.camera_to_gate_mm:g} mm / {belt.speed_mm_s:g} mm/s = {belt.way_ms:.0f} ms"
    return Group(
        table, Text(f"way to the gate: {way}; spare: {belt.way_ms - total:.0f} ms; {belt.parts_per_s:g} parts/s")
    )


def summary_table(summary: dict[str, Any]) -> Table:
    """The run in figures; the same keys as `--summary`."""
    table = Table(title=f"{summary['station']}: this run", title_justify="left", show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    for key, value in summary.items():
        if isinstance(value, dict):
            for inner, each in value.items():
                shown = "  ".join(f"{k} {v}" for k, v in each.items()) if isinstance(each, dict) else str(each)
                table.add_row(f"{key}.{inner}", shown)
        elif key != "station":
            table.add_row(key, "–" if value is None else str(value))
    return table


def _headline(view: View) -> RenderableType:
    phase = Text(f" {view.phase} ", style="black on green" if view.phase == "running" else "black on yellow")
    if view.held:
        phase = Text(f" HELD: {view.held} ", style="bold white on red")
    since = f"  {time.monotonic() - view.ready_s:.0f} s" if view.ready_s is not None else ""
    title = f"  {view.station.title}" if view.station.title else ""
    return Text.assemble((view.station.name, "bold"), title, "  ", phase, since)


def _counts(view: View) -> RenderableType:
    status = view.status
    table = Table.grid(expand=True, padding=(0, 2))
    names = ("triggers", "passed", "rejected", "not inspected", "late", "parts/s", "p50 ms", "p99 ms", "capacity/s")
    for _ in names:
        table.add_column(justify="right")
    table.add_row(*(Text(name, style="dim") for name in names))
    if status is None:
        table.add_row(*("–" for _ in names))
        return Panel(table, border_style="dim")
    capacity = sum(float(child.facts.get("fps", 0.0)) for child in view.children if child.state is State.READY)
    not_inspected = sum(status.not_inspected.values())
    table.add_row(
        Text(str(status.triggers), style="bold"),
        Text(str(status.passed), style="bold green"),
        Text(str(status.rejected), style="bold yellow"),
        Text(str(not_inspected), style="bold red" if not_inspected else ""),
        Text(str(status.late), style="bold red" if status.late else ""),
        f"{status.fps:.1f}",
        f"{status.latency_p50_ms:.0f}",
        f"{status.latency_p99_ms:.0f}",
        f"{capacity:.1f}",
    )
    if status.not_inspected:
        table.add_row(
            "", "", "", Text(", ".join(f"{n} {reason}" for reason, n in status.not_inspected.items()), style="red")
        )
    return Panel(table, border_style="dim")


def _processes(children: list[Child]) -> RenderableType:
    line = Text()
    for child in children:
        line.append("● ", style=_STATES[child.state])
        line.append(child.job.name)
        if child.restarts:
            line.append(f" ↻{child.restarts}", style="yellow")
        line.append("   ")
    return line
