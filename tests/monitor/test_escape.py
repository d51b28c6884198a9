"""Row 53: a rejected part that is seen behind the gate holds the line, and is on record as an escape."""

import time
from typing import Any

import pytest

import monitor.desk
from monitor.desk import Desk
from monitor.messages import Actuated, Gate, Outcome
from monitor.recovery import Recovered
from monitor.rows import Kind
from tests.monitor.builders import PROVENANCE, a_captured, a_counter, a_region, a_segmentation, a_station
from tests.monitor.test_said_until_answered import MemoryJournal


def after_the_gate_said(*, gate: Gate, seen: bool | None) -> tuple[Desk, MemoryJournal]:
    """A part that was ordered out, and what became of it."""
    journal = MemoryJournal()
    recovered = Recovered(closed_to={"head": 0}, gaps=[], open_parts=[], run_row=None)
    desk = Desk(a_station(), PROVENANCE, journal, recovered)
    told: list[Any] = []
    desk.hear((a_counter(1, count=0, counts_per_s=0.0, at_ns=time.monotonic_ns()), {}))
    closings = [
        closing
        for message in (a_captured(1), a_segmentation(1, a_region(area_mm2=500.0)))
        for closing in desk.hear((message, {}))
    ]
    desk.settle(closings, send=told.append, answer=told.append, note=told.append)
    desk.hear((Actuated(slot=1, outcome=Outcome.REJECT, gate=gate, at_count=9, late_ms=0.0, seen=seen), {}))
    desk.settle([], send=told.append, answer=told.append, note=told.append)
    return desk, journal


def test_row_53_an_escape_holds_the_line_and_is_a_row() -> None:
    desk, journal = after_the_gate_said(gate=Gate.REJECTED, seen=True)

    assert desk.hold == "reject.escaped"
    assert [b"reject.escaped" in str(row.body).encode() for row in journal.of(Kind.ALARM)] == [True]


@pytest.mark.parametrize("seen", [False, None])
def test_a_part_that_was_taken_out_is_no_escape(seen: bool | None) -> None:
    desk, journal = after_the_gate_said(gate=Gate.REJECTED, seen=seen)

    assert desk.hold is None
    assert journal.of(Kind.ALARM) == []


@pytest.mark.parametrize(
    ("slot", "holds"),
    [pytest.param(3, "reject.escaped", id="of-this-start"), pytest.param(2, None, id="of-an-earlier")],
)
def test_row_53_a_part_that_nobody_had_ordered_escapes_as_well(slot: int, holds: str | None) -> None:
    recovered = Recovered(closed_to={"head": 2}, gaps=[], open_parts=[], run_row=None)
    desk = Desk(a_station(), PROVENANCE, MemoryJournal(), recovered)

    desk.hear((Actuated(slot=slot, outcome=None, gate=Gate.REJECTED, at_count=9, late_ms=0.0, seen=True), {}))

    assert desk.hold == holds


def test_row_53_without_the_sensors_word_the_line_would_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor.desk, "escaped", lambda _: False)
    desk, _ = after_the_gate_said(gate=Gate.REJECTED, seen=True)

    assert desk.hold is None
