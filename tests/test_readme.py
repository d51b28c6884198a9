"""What the README says can be typed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"`linectl ((?:bench )?[a-z]+)", README)))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_there(command: str) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, run_line; sys.argv[0] = 'linectl'; run_line.main()",
            *command.split(),
            "--help",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0
    assert "--json" in ended.stdout


def test_the_two_commands_are_those_that_ci_runs() -> None:
    second = "python -m pip install -c constraints.txt -e '.[test]' && pytest"

    ci = (ROOT / ".ci/run").read_text()

    assert f"    {second}" in README
    assert ci.count(second) == 1


def test_every_picture_is_there() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("arguments", [[], ["--station", "rail-03", "--frames", "1", "--seconds", "1"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    ended = subprocess.run([sys.executable, ROOT / "run_line.py", *arguments], capture_output=True, check=False)

    assert ended.returncode == 2


def test_check_shows_processes_and_budget_and_starts_nothing() -> None:
    ended = subprocess.run(
        [sys.executable, ROOT / "run_line.py", "--station", "rail-03", "--check"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "inference-0" in ended.stdout
    assert "= 2400 ms" in ended.stdout
