"""Frames/s of the whole line against the same workers alone: what the promise costs.

The frames are the twin's surfaces, drawn and written before any clock starts. The line replays them through a folder
camera, which draws the next when a worker is free; bare, as many processes with as many threads score the same files'
pixels in a loop. Both run in turn, and of each the median counts.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import run_line
from benchmarks.line import PACKAGE, Line, Verdicts
from config.loader import load_station
from config.station import Station
from monitor.children import Role
from monitor.twin.plant import draw_part

WARM_SHARE = 0.2  # of a run, before its clock starts
SAMPLE_S = 0.2
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def measure_pipeline(named: str, *, frames: int, rounds: int) -> dict[str, Any]:
    """`bare_fps`, `pipeline_fps`, `ratio`, `overhead_cpu_ms` a frame (all processes of the line, less bare)."""
    station = load_station(named)
    bare: list[tuple[float, float]] = []
    whole: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="line-bench-") as folder:
        pictures = Path(folder) / "frames"
        draw_frames(station, pictures, frames)
        replay = replay_station(station, named, pictures, Path(folder))
        for turn in range(rounds):
            runs = [("bare", bare), ("pipeline", whole)]
            for name, results in runs if turn % 2 == 0 else reversed(runs):
                if name == "bare":
                    results.append(run_bare(station, named, pictures, frames))
                else:
                    results.append(run_whole(replay, Path(folder) / f"state-{turn}", frames))
    bare_fps, whole_fps = (statistics.median(fps for fps, _ in runs) for runs in (bare, whole))
    overhead_cpu_ms = statistics.median(cpu for _, cpu in whole) - statistics.median(cpu for _, cpu in bare)
    return {
        "station": station.name,
        "bare_fps": round(bare_fps, 3),
        "pipeline_fps": round(whole_fps, 3),
        "ratio": round(whole_fps / bare_fps, 4),
        "overhead_cpu_ms": round(overhead_cpu_ms, 2),
        "frames": frames,
        "rounds": rounds,
        "workers": station.workers,
        "bare_fps_all": [round(fps, 3) for fps, _ in bare],
        "pipeline_fps_all": [round(fps, 3) for fps, _ in whole],
    }


def draw_frames(station: Station, folder: Path, frames: int) -> None:
    """The twin's parts as bitmaps, in the order of their slots."""
    folder.mkdir()
    camera = station.cameras[0].name
    for slot in range(1, frames + 1):
        cv2.imwrite(str(folder / f"{slot:06d}.bmp"), draw_part(station, slot).pixels[camera])


def replay_station(station: Station, named: str, pictures: Path, folder: Path) -> Path:
    """The same station, fed as fast as it takes frames, without a belt."""
    camera = station.cameras[0]
    calibration, model = camera.calibration, station.model
    policy = {key: value for key, value in station.policy.model_dump().items() if value is not None}
    lines = [
        f'name = "{station.name}"',
        f"workers = {station.workers}",
        'actuator = { kind = "log" }',
        f'model = {{ weights = "{model.weights}", engine = "{model.engine}", device = "{model.device}" }}',
        f"policy = {{ {', '.join(f'{key} = {value}' for key, value in policy.items())} }}",
        "[[cameras]]",
        'kind = "folder"',
        f'name = "{camera.name}"',
        f'root = "{pictures}"',
        'pattern = "*.bmp"',
        f"width = {list(camera.width)}",
        f"height = {list(camera.height)}",
    ]
    if calibration:
        across, line = calibration.mm_per_px_across, calibration.mm_per_line
        lines.append(f"calibration = {{ mm_per_px_across = {across}, mm_per_line = {line} }}")
    path = folder / f"{Path(named).stem}.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def run_whole(station: Path, state: Path, frames: int) -> tuple[float, float]:
    """(frames/s, CPU ms a frame) of the whole line between the first fifth and the last frame."""
    with Line(str(station), state, "--frames", str(frames)) as line:
        line.wait_ready()
        verdicts, skip = Verdicts(line), int(frames * WARM_SHARE)
        line.wait_for("warm", lambda: verdicts.look() >= skip, 120.0)
        before, start = verdicts.look(), _cpu_s(line)
        done, now = before, start
        while now.keys() == start.keys() and done < frames:  # till the first process has nothing more to do
            done, last = verdicts.look(), now
            time.sleep(SAMPLE_S)
            now = _cpu_s(line)
        cpu_s = sum(last.values()) - sum(start.values())
        line.wait_end(60.0)
        verdicts.look()
        verdicts.close()
    decided_s = verdicts.decided_s[skip:]
    return (len(decided_s) - 1) / (decided_s[-1] - decided_s[0]), 1000 * cpu_s / max(1, done - before)


def run_bare(station: Station, named: str, pictures: Path, frames: int) -> tuple[float, float]:
    """(frames/s, CPU ms a frame) of as many workers as the station has, with nothing around them."""
    threads = next(job.threads for job in run_line.jobs(station) if job.role is Role.WORKER)
    command = [
        sys.executable,
        "-m",
        "benchmarks.bare",
        named,
        str(pictures),
        str(threads),
        str(frames // station.workers),
    ]
    env = os.environ | {"OMP_NUM_THREADS": str(threads)}
    workers = [
        subprocess.Popen(command, cwd=PACKAGE, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(station.workers)
    ]
    for worker in workers:  # all warm before any starts its clock
        if worker.stdout is None or worker.stdout.readline().strip() != "ready":
            raise RuntimeError("a bare worker did not get ready")
    for worker in workers:
        if worker.stdin:
            worker.stdin.write("go\n")
            worker.stdin.flush()
    spans = [json.loads(worker.communicate()[0]) for worker in workers]
    frames_per_s = sum(span["frames"] / span["seconds"] for span in spans)
    return frames_per_s, float(np.mean([1000 * span["cpu_s"] / span["frames"] for span in spans]))


def _cpu_s(line: Line) -> dict[str, float]:
    """User and system time of every process of the line so far, by name; those that have ended are left out."""
    spent: dict[str, float] = {}
    for name, pid in {"supervisor": line.process.pid, **line.pids()}.items():
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            spent[name] = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    return spent
