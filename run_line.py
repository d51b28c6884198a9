"""`python run_line.py --station rail-03`, and `linectl`: introduces everyone, and imports nobody before it must."""

import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, NoReturn

from typer import Option

from config.actuators import PlcBase
from config.extras import missing_extras
from config.loader import EXIT_CONFIG, ConfigError, load_station, package_path, state_folder
from config.station import Station
from config.timing import triggers_by_plc
from monitor.children import Job, Role
from monitor.lifeline import Lifeline
from monitor.logs import open_logs
from monitor.person import WHY
from monitor.rules.verdicts import Provenance

EXIT_FAULT, EXIT_USAGE = 1, 2
COMMANDS = ("monitor.commands", "storage.commands", "storage.report_commands", "workers.commands")
GROUPS = {
    "alarms": "storage.alarm_commands",
    "bench": "benchmarks.commands",
    "keys": "storage.key_commands",
    "labels": "storage.label_commands",
    "retention": "storage.retention_commands",
}
PLANTS = ("monitor.twin.plant:run_plant", "monitor.twin.plc_plant:run_plc_plant")  # without, with a PLC


def jobs(station: Station, run: str = "") -> list[Job]:
    """Every process of the station, in the direction frames flow. Nothing else starts one."""
    from storage.live_server import brings_server

    # one core is the line's own: a net that takes all starves the processes that keep the count
    threads = max(1, ((os.cpu_count() or 1) - 1) // station.workers)
    twin, by_plc = station.twin is not None, triggers_by_plc(station)
    table: list[Job] = []
    if twin:
        table.append(
            Job(
                name="plant",
                inward="Command",
                outward="Exposure, Gated, Counter",
                role=Role.SOURCE,
                run=_stage(PLANTS[isinstance(station.actuator, PlcBase)], station, run=run),
            )
        )
    table += [
        Job(
            name=f"capture-{camera.name}",
            inward=f"{camera.kind} camera",
            outward="Captured, Frame",
            role=Role.LINE if twin or by_plc else Role.SOURCE,
            run=_stage("monitor.capture:run_capture", station, camera=camera.name, run=run),
        )
        for camera in station.cameras
    ]
    table += [
        Job(
            name=f"inference-{n}",
            inward="Frame",
            outward="Segmentation",
            role=Role.WORKER,
            run=_stage("workers.inference:run_inference", station, worker=f"inference-{n}", threads=threads),
            threads=threads,
            hung_s=max(10.0, 20 * station.leases.lease_ms / 1000),  # it beats between frames, not inside one
        )
        for n in range(station.workers)
    ]
    table += [
        Job(
            name="decision",
            inward="Captured, Segmentation, Counter",
            outward="journal, Disposition, Closed",
            role=Role.LINE,
            run=_decision(station, run),
            hung_s=5.0,
        ),
        Job(
            name="actuation",
            inward="Disposition",
            outward="gate, Actuated, Counter",
            role=Role.SOURCE if by_plc else Role.LINE,
            run=_stage("monitor.actuation:run_actuation", station),
        ),
        Job(
            name="recorder",
            inward="journal",
            outward="images, SQL, Redis",
            role=Role.SINK,
            run=_recorder(station),
            hung_s=30.0,
        ),
    ]
    if brings_server():
        table.append(Job(name="redis", inward="recorder", outward="live readers", role=Role.SINK, run=_redis(station)))
    return table


def main() -> None:
    """The command line: a child process, one of linectl's commands, or a run of the line."""
    if sys.argv[1:2] == ["--job"]:
        from monitor.child import be_child

        be_child(jobs, sys.argv[2:])
    import typer

    named_linectl = Path(sys.argv[0]).name.startswith("linectl")
    if named_linectl or (len(sys.argv) > 1 and not sys.argv[1].startswith("-")):
        linectl()
    else:
        typer.run(_run)


def linectl() -> None:
    """Mounts what each package offers."""
    import typer

    open_logs("linectl", quiet=True)  # on stderr: stdout is for what was asked
    app = typer.Typer(no_args_is_help=True, add_completion=False, help="Everything about a line but running it.")
    app.command("check")(_check)
    for path in COMMANDS:
        app.registered_commands += import_module(path).app.registered_commands
    for name, path in GROUPS.items():
        app.add_typer(import_module(path).app, name=name)
    app()


def _run(  # noqa: PLR0917 - typer names each
    station: Annotated[str, Option(help="A name in config/stations, or the path of a station file.")],
    seconds: Annotated[float | None, Option(min=0.1, help="End so long after the line is ready.")] = None,
    frames: Annotated[int | None, Option(min=1, help="End after so many triggers of all cameras together.")] = None,
    check: Annotated[bool, Option("--check", help="Show processes and time budget, and start nothing.")] = False,
    summary: Annotated[str | None, Option(metavar="FILE|-", help="Write the summary there as one JSON object.")] = None,
    why: Annotated[str, Option(help="Why model or settings are other than last time, for the journal.")] = "",
) -> None:
    """Run an inspection line until Ctrl-C, or the end you give it."""
    if seconds is not None and frames is not None:
        _refuse("--seconds and --frames cannot both say when the run ends", EXIT_USAGE)
    loaded = load_or_refuse(station)
    if check:
        _show(loaded)
        return
    from monitor.runner import run_station
    from storage.alarms import must_look
    from storage.live_server import check_given_server
    from storage.summary import Summary
    from workers.errors import ModelError

    os.environ |= {WHY: why} if why else {}
    run = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}"
    try:
        rests_on = provenance(loaded, run)
        check_given_server()
    except (ModelError, ConfigError) as error:
        _refuse(str(error), EXIT_CONFIG)
    if standing := must_look(loaded):
        _refuse(standing, EXIT_FAULT)
    code = run_station(
        loaded,
        jobs(loaded, run),
        child_command(station, run),
        frames=frames,
        seconds=seconds,
        open_summary=lambda: Summary(loaded, rests_on),
        summary_to=summary,
    )
    raise SystemExit(code)


def _check(
    station: Annotated[str, Option(help="A name, or the path of a station file.")],
    json: Annotated[str | None, Option("--json", metavar="FILE|-")] = None,
) -> None:
    """Load a station, show its processes and its time budget, and start nothing."""
    _show(load_or_refuse(station), json)


def load_or_refuse(named: str) -> Station:
    """The station, or exit 78 with what is wrong with it, or with what it needs and is not installed."""
    try:
        station = load_station(named)
    except ConfigError as error:
        _refuse(str(error), EXIT_CONFIG)
    if missing := list(missing_extras(station)):
        _refuse("\n".join(missing), EXIT_CONFIG)
    return station


def _show(station: Station, json_to: str | None = None) -> None:
    from monitor.cameras.folder import FolderError
    from monitor.check import show_station

    try:
        show_station(station, jobs(station), json_to)
    except FolderError as error:
        _refuse(str(error), EXIT_CONFIG)


def _refuse(text: str, code: int) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise SystemExit(code)


def provenance(station: Station, run: str) -> Provenance:
    """What every verdict of this run rests on."""
    from importlib.metadata import version

    from config.calibration import calibration_hashes
    from config.loader import config_sha256
    from monitor.baseline import baseline_hashes
    from workers.identity import load_identity

    model = load_identity(package_path(station.model.weights))
    return Provenance(
        run=run,
        software=f"line-monitor {version('line-monitor')}",
        config_sha256=config_sha256(station),
        model_name=model.name,
        model_sha256=model.sha256,
        engine=station.model.engine,
        baselines=baseline_hashes(station),
        calibrations=calibration_hashes(station, state_folder(station)),
    )


def child_command(named: str, run: str) -> Callable[[Job, int], list[str]]:
    """How the supervisor starts one of `jobs`: this file again, in a process of its own."""

    def command(job: Job, rope_fd: int) -> list[str]:
        here = str(Path(__file__).resolve())
        return [sys.executable, here, "--job", job.name, str(rope_fd), str(os.getpid()), named, run]

    return command


def _stage(function: str, station: Station, **facts: object) -> Callable[[Lifeline], None]:
    """A process whose stage, `module:function`, is imported only where it runs: only workers wait for torch."""

    def start(lifeline: Lifeline) -> None:
        module, _, name = function.partition(":")
        getattr(import_module(module), name)(lifeline, station, **facts)

    return start


def _decision(station: Station, run: str) -> Callable[[Lifeline], None]:
    def start(lifeline: Lifeline) -> None:
        from monitor.decision import run_decision
        from monitor.disk_watch import open_disk
        from storage.journal import open_journal
        from storage.memory import JournalMemory

        folder, cameras = state_folder(station), tuple(camera.name for camera in station.cameras)
        run_decision(
            lifeline,
            station,
            provenance=provenance(station, run),
            config=station.model_dump_json(),
            disk=open_disk(folder, station.disk),  # before the journal, which needs some room
            journal=open_journal(folder),
            memory=JournalMemory(folder, cameras),
        )

    return start


def _recorder(station: Station) -> Callable[[Lifeline], None]:
    def start(lifeline: Lifeline) -> None:
        from monitor.bus.endpoints import Endpoints
        from monitor.bus.wire import Pusher
        from monitor.messages import Projected
        from storage.live_server import live_url
        from storage.recorder import run_recorder

        url = live_url(station)
        with Pusher(Endpoints(station).decision) as decision:
            run_recorder(lifeline, station, live_url=url, projected=lambda seq: decision.send(Projected(seq=seq)))

    return start


def _redis(station: Station) -> Callable[[Lifeline], None]:
    def start(lifeline: Lifeline) -> None:
        from monitor.bus.endpoints import Endpoints
        from storage.live_server import run_live_server

        run_live_server(lifeline, station, Endpoints(station).redis)

    return start


if __name__ == "__main__":
    main()
