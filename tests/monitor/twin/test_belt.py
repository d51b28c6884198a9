"""The twin rejects by default, counts every part, and remembers what was on the belt when it died."""

from pathlib import Path
from typing import Any

import pytest

from config.station import Belt
from monitor.jsonlog import read_lines
from monitor.messages import Command, Gate, Gated, Outcome
from monitor.twin.belt import TwinBelt

BELT = Belt(speed_mm_s=1000.0, counts_per_mm=1.0, part_pitch_mm=100.0, camera_to_gate_mm=500.0)
MS = 1_000_000
FACTS: dict[str, Any] = {"true_areas_mm2": [60.0], "class": "defective", "defects": ["spall"]}


def a_belt(state: Path, run: str = "r") -> TwinBelt:
    belt = TwinBelt(BELT, state, run=run)
    belt.start(0)
    return belt


def feed(belt: TwinBelt, now_ns: int) -> int:
    trigger = belt.due_trigger(now_ns)
    assert trigger is not None
    belt.place(trigger, FACTS)
    return trigger.slot


@pytest.mark.parametrize(
    ("commands", "gate"),
    [
        pytest.param([], Gate.REJECTED, id="no-command"),
        pytest.param([Outcome.PASS], Gate.RELEASED, id="pass"),
        pytest.param([Outcome.REJECT], Gate.REJECTED, id="reject"),
        pytest.param([Outcome.NOT_INSPECTED], Gate.REJECTED, id="not-inspected"),
        pytest.param([Outcome.PASS, Outcome.PASS], Gate.RELEASED, id="said-twice"),
        pytest.param([Outcome.PASS, Outcome.REJECT], Gate.REJECTED, id="taken-back"),
        pytest.param([Outcome.REJECT, Outcome.PASS], Gate.REJECTED, id="a-reject-stays"),
    ],
)
def test_the_gate_opens_for_a_pass_and_nothing_else(commands: list[Outcome], gate: Gate, tmp_path: Path) -> None:
    belt = a_belt(tmp_path)
    slot = feed(belt, 100 * MS)

    for outcome in commands:
        belt.command(Command(slot=slot, outcome=outcome, reason_code=0), 200 * MS)
    early = belt.act(599 * MS)
    acted = belt.act(600 * MS)

    assert early == []
    assert [gated.gate for gated in acted] == [gate]
    assert [part["gate"] for part in read_lines(tmp_path / "twin.jsonl")] == [gate]


def test_a_command_after_the_part_is_answered_with_what_happened(tmp_path: Path) -> None:
    belt = a_belt(tmp_path)
    slot = feed(belt, 100 * MS)
    belt.act(600 * MS)

    late = belt.command(Command(slot=slot, outcome=Outcome.PASS, reason_code=0), 650 * MS)

    assert late == Gated(slot=slot, outcome=None, gate=Gate.REJECTED, at_count=600, late_ms=50.0, seen=False)


def test_a_command_said_again_after_the_part_is_not_late(tmp_path: Path) -> None:
    belt = a_belt(tmp_path)
    slot = feed(belt, 100 * MS)
    command = Command(slot=slot, outcome=Outcome.PASS, reason_code=0)
    belt.command(command, 200 * MS)
    belt.act(600 * MS)

    again = belt.command(command, 650 * MS)

    assert again is not None
    assert (again.gate, again.late_ms) == (Gate.RELEASED, 0.0)


def test_what_was_on_the_belt_when_it_died_was_rejected(tmp_path: Path) -> None:
    first = a_belt(tmp_path)
    for n in (1, 2, 3):
        feed(first, n * 100 * MS)
    first.command(Command(slot=2, outcome=Outcome.PASS, reason_code=0), 400 * MS)
    first.act(600 * MS)

    again = a_belt(tmp_path, run="s")
    acted = again.act(10_000 * MS)
    slot = feed(again, 10_000 * MS)

    parts = read_lines(tmp_path / "twin.jsonl")
    assert acted == []
    assert slot == 4
    assert [(p["slot"], p["gate"], p["command"]) for p in parts] == [
        (1, Gate.REJECTED, None),
        (2, Gate.REJECTED, None),
        (3, Gate.REJECTED, None),
    ]


def test_the_encoder_never_counts_back_over_a_restart(tmp_path: Path) -> None:
    first = a_belt(tmp_path)
    feed(first, 100 * MS)
    feed(first, 200 * MS)

    again = a_belt(tmp_path)

    assert again.count(0) >= first.count(200 * MS)


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    first = a_belt(tmp_path)
    feed(first, 100 * MS)
    first.act(600 * MS)
    with (tmp_path / "twin.jsonl").open("a") as torn:
        torn.write('{"slot":2,"tr')

    again = a_belt(tmp_path)

    assert [part["slot"] for part in read_lines(tmp_path / "twin.jsonl")] == [1]
    assert again.slot == 1
