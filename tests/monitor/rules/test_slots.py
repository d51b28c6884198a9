"""Only a trusted PASS is let through; what is in doubt is diverted, however the belt runs."""

import dataclasses
from typing import Any

import pytest

from monitor.messages import Outcome
from monitor.rules.slots import GateSpot, SlotTracker, Taken, Tracking

WAY, PITCH, WINDOW = 60, 12, 4
SENSOR, TOLERANCE = 52, 3
ONE_GATE = Tracking(gates=(GateSpot(name="scrap", way_counts=WAY),), window_counts=WINDOW, least_pitch_counts=PITCH)
WITH_SENSOR = Tracking(
    gates=ONE_GATE.gates,
    window_counts=WINDOW,
    least_pitch_counts=PITCH,
    sensor_way_counts=SENSOR,
    tolerance_counts=TOLERANCE,
)
TWO_GATES = Tracking(
    gates=(
        GateSpot(name="scrap", way_counts=40, diverts=frozenset({Outcome.REJECT})),
        GateSpot(name="rework", way_counts=60),
    ),
    window_counts=WINDOW,
)
PASS, REJECT, NOT_INSPECTED = Outcome.PASS, Outcome.REJECT, Outcome.NOT_INSPECTED


def ends(tracker: SlotTracker, *counts: int) -> list[tuple[int, str | None]]:
    return [(p.slot, p.diverted_at) for count in counts for p in tracker.move(count)]


def a_tracker(*at_counts: int, tracking: Tracking = ONE_GATE) -> SlotTracker:
    tracker = SlotTracker(tracking)
    for slot, at_count in enumerate(at_counts, start=1):
        tracker.move(at_count)
        tracker.trigger(slot, at_count)
    return tracker


@pytest.mark.parametrize(
    ("orders", "end"),
    [
        pytest.param([], "scrap", id="no-order"),
        pytest.param([PASS], None, id="pass"),
        pytest.param([PASS, PASS], None, id="said-twice"),
        pytest.param([REJECT], "scrap", id="reject"),
        pytest.param([NOT_INSPECTED], "scrap", id="not-inspected"),
        pytest.param([PASS, REJECT], "scrap", id="taken-back"),
        pytest.param([REJECT, PASS], "scrap", id="a-reject-stays"),
    ],
)
def test_only_a_pass_is_let_through(orders: list[Outcome], end: str | None) -> None:
    tracker = a_tracker(0)

    for outcome in orders:
        tracker.order(1, outcome)

    assert ends(tracker, 57) == []
    assert ends(tracker, 58, 200) == [(1, end)]


def test_an_order_is_answered_with_what_became_of_it() -> None:
    tracker = a_tracker(0, 20)

    answers = [tracker.order(slot, outcome) for slot, outcome in ((1, REJECT), (1, REJECT), (1, PASS), (9, PASS))]
    tracker.move(58)

    assert answers == [Taken.TAKEN, Taken.TAKEN, Taken.KEPT, Taken.UNKNOWN]
    assert tracker.order(1, PASS) is Taken.LATE


@pytest.mark.parametrize(
    ("ordered", "end"),
    [
        pytest.param(PASS, None, id="pass"),
        pytest.param(REJECT, "scrap", id="reject-to-scrap"),
        pytest.param(NOT_INSPECTED, "rework", id="not-inspected-to-rework"),
        pytest.param(None, "scrap", id="no-order-to-the-first-gate"),
    ],
)
def test_each_outcome_has_its_gate(ordered: Outcome | None, end: str | None) -> None:
    tracker = a_tracker(0, tracking=TWO_GATES)
    if ordered:
        tracker.order(1, ordered)

    assert ends(tracker, 38, 58, 100) == [(1, end)]


def test_a_gate_has_power_only_while_a_released_part_is_in_front_of_it() -> None:
    tracker = a_tracker(0, 20)
    tracker.order(1, PASS)

    powered = []
    for count in range(50, 90):
        tracker.move(count)
        powered += [count] if tracker.lets_through(count)["scrap"] else []

    assert powered == [58, 59, 60, 61, 62]


def test_a_released_part_that_comes_back_is_let_through_again() -> None:
    tracker = a_tracker(0)
    tracker.order(1, PASS)
    tracker.move(64)

    tracker.move(50)
    assert not tracker.lets_through(50)["scrap"]
    assert ends(tracker, 60) == []
    assert tracker.lets_through(60)["scrap"]


def test_row_58_slots_freeze_with_the_belt() -> None:
    tracker = a_tracker(0)

    for _ in range(1000):
        assert tracker.move(30) == []
    tracker.order(1, PASS)

    assert ends(tracker, 58) == [(1, None)]


def test_a_neighbour_goes_with_a_diverted_part_when_the_gate_cannot_swing_in_between() -> None:
    tracking = Tracking(gates=ONE_GATE.gates, window_counts=WINDOW, clearance_counts=15)
    tracker = a_tracker(0, 12, 24, 44, tracking=tracking)
    for slot, outcome in ((1, PASS), (2, REJECT), (3, PASS), (4, PASS)):
        tracker.order(slot, outcome)

    assert ends(tracker, *range(45, 120)) == [(1, "scrap"), (2, "scrap"), (3, "scrap"), (4, None)]


def test_row_14_two_triggers_closer_than_parts_can_lie_are_both_diverted() -> None:
    tracker = a_tracker(0, 3, 20)
    for slot in (1, 2, 3):
        tracker.order(slot, PASS)

    assert ends(tracker, *range(20, 100)) == [(1, "scrap"), (2, "scrap"), (3, None)]


def test_row_15_a_trigger_while_the_belt_is_set_back_is_diverted() -> None:
    tracker = a_tracker(0, 40)
    tracker.move(10)
    tracker.trigger(3, 10)
    for slot in (1, 2, 3):
        tracker.order(slot, PASS)

    # slot 3 may be slot 1 or 2 counted again: it lies within a pitch of the first
    assert sorted(ends(tracker, *range(10, 120))) == [(1, "scrap"), (2, None), (3, "scrap")]


def test_row_15_a_part_that_slipped_ends_all_trust_until_a_person_resyncs() -> None:
    tracker = a_tracker(0, 20, tracking=WITH_SENSOR)
    for slot in (1, 2):
        tracker.order(slot, PASS)
    tracker.move(SENSOR)
    tracker.detected(SENSOR)
    tracker.move(SENSOR + 10)
    tracker.detected(SENSOR + 10)  # slot 2 is half a pitch early

    assert "slipped" in tracker.fault
    assert ends(tracker, 80) == [(2, "scrap")]  # the first was let through at 58, while all was well
    tracker.trigger(3, 80)
    tracker.resync()
    tracker.trigger(4, 100)
    for slot in (3, 4):
        tracker.order(slot, PASS)
    ended = []
    for at_count in (80, 100):
        ended += ends(tracker, at_count + SENSOR)
        tracker.detected(at_count + SENSOR)
    assert ended + ends(tracker, 158) == [(3, "scrap"), (4, None)]


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        pytest.param({"gates": ()}, "there must be one", id="no-gate"),
        pytest.param({"gates": TWO_GATES.gates[::-1]}, "behind the one before", id="order"),
        pytest.param({"gates": TWO_GATES.gates[:1]}, "must divert whatever is no PASS", id="last-lets-through"),
        pytest.param(
            {"gates": (GateSpot(name="a", way_counts=1, diverts=frozenset(Outcome)), *TWO_GATES.gates)},
            "leaves nothing",
            id="diverts-all",
        ),
        pytest.param({"sensor_way_counts": 57, "tolerance_counts": 3}, "move the sensor up", id="sensor-late"),
    ],
)
def test_a_geometry_that_cannot_work_is_refused(facts: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        dataclasses.replace(ONE_GATE, **facts)
