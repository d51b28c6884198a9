"""A kill at any call, or of all processes at any moment, loses nothing promised, and the next start goes on."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.storage.left import CHECKS, check_audit, check_images
from tests.storage.traces import ROOT, prepared, written

POINTS: dict[str, dict[str, tuple[int, ...]]] = {  # call → how often it was made before
    "journal": {"pwrite64": (7, 90), "fdatasync": (40,)},
    "images": {"rename": (2, 9), "fsync": (17,)},
    "audit": {"pwrite64": (40,)},
    "checkpoints": {"fsync": (9,)},
    "migration": {"pwrite64": (30,)},
    "aside": {"rename": (6,)},
}
ROW = {"images": "row-70", "migration": "row-71", "aside": "row-69"}
SEEDS, SOAK_SEEDS = range(10), range(100)


@pytest.mark.parametrize(
    ("scenario", "call", "count"),
    [
        pytest.param(scenario, call, count, id=f"{ROW.get(scenario, 'row-68')}-{scenario}-{call}-{count}")
        for scenario, calls in POINTS.items()
        for call, counts in calls.items()
        for count in counts
    ],
)
def test_a_kill_at_any_call_loses_nothing_promised(
    strace: str, tmp_path: Path, scenario: str, call: str, count: int
) -> None:
    assert killed_at(strace, tmp_path, scenario, call, count)


@pytest.mark.soak
@pytest.mark.parametrize("call", ["write", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "mkdir", "ftruncate"])
@pytest.mark.parametrize("scenario", CHECKS)
def test_a_kill_at_each_call(strace: str, tmp_path: Path, scenario: str, call: str) -> None:
    """All of them, for an hour or two."""
    count = 1
    while killed_at(strace, tmp_path / str(count), scenario, call, count):
        count += 1


def killed_at(strace: str, place: Path, scenario: str, call: str, count: int) -> bool:
    """Kills the writer at this call and looks at what it left; False where it came to its end before."""
    place.mkdir(exist_ok=True)
    folder, _ = prepared(place, scenario)
    inject = f"inject={call}:signal=KILL:when={count}"
    ended = place / "ended"
    tracer = [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject]
    said = written(tracer, scenario, str(folder), "", str(ended))
    CHECKS[scenario](place, said)
    return not ended.exists()


@pytest.fixture(scope="module")
def pairs() -> Iterator["Pairs"]:
    with Pairs() as started:
        yield started


@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"row-68-{seed}") for seed in SEEDS])
def test_all_processes_killed_at_a_random_moment(pairs: "Pairs", tmp_path: Path, seed: int) -> None:
    killed_together(pairs, tmp_path, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"row-68-soak-{seed}") for seed in SOAK_SEEDS])
def test_all_processes_killed_at_a_hundred_moments(pairs: "Pairs", tmp_path: Path, seed: int) -> None:
    killed_together(pairs, tmp_path, seed + 1000)


def killed_together(pairs: "Pairs", place: Path, seed: int) -> None:
    """Twice in a row, the second time while they take up what the first had left."""
    folder, chance = place / "rail-03", random.Random(seed)
    folder.mkdir()
    for _ in range(2):
        pairs.run(folder, chance.uniform(0.0, 0.3))
    said = tuple((place / "said").read_text().splitlines())

    shutil.copytree(place, place / "again")
    check_images(place, said)
    check_audit(place / "again", said)


class Pairs:
    """The process of pair.py."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.storage.pair"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def run(self, folder: Path, seconds: float) -> None:
        """A pair on this folder, both killed so long after they have begun."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{folder}\n")
        self._process.stdin.flush()
        while not (line := self._process.stdout.readline().strip()).isdecimal():
            assert self._process.poll() is None
        time.sleep(seconds)
        os.killpg(int(line), signal.SIGKILL)

    def __enter__(self) -> "Pairs":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)
