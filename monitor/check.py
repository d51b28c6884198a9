"""`--check`: the table that is the system, its time budget, and whether its sources are there."""

from rich.console import Console

from config.cameras import FolderCamera
from config.station import Station
from config.timing import budget_rows, transit_text
from monitor.cameras.folder import list_files
from monitor.children import Job
from monitor.output import write_json
from monitor.panel import budget_table, job_table


def show_station(station: Station, table: list[Job], json_to: str | None) -> None:
    """For a person on stdout, or as one JSON object; FolderError where a folder has no triggers."""
    files = {c.name: len(list_files(c)) for c in station.cameras if isinstance(c, FolderCamera)}
    if json_to is not None:
        rows = [{"process": j.name, "in": j.inward, "out": j.outward, "threads": j.threads} for j in table]
        facts = {"station": station.name, "rows": rows, "budget_ms": dict(budget_rows(station)), "files": files}
        write_json(facts, json_to)
        return
    console = Console()
    console.print(job_table(station, table), budget_table(station))
    if said := transit_text(station):
        console.print(said)
    for camera, count in files.items():
        console.print(f"camera {camera}: {count} files")
