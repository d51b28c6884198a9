"""Line and PLC agree on each part, whatever is lost, forgotten or said twice between them; the default is reject."""

from pathlib import Path

import msgspec
import pytest

import monitor.twin.plc_program
from benchmarks.plc_loop import MS, Line, a_plc
from monitor.messages import Gate, Outcome
from monitor.rules.handshake import RESULTS_MOST, Handshake
from monitor.rules.slots import Tag

PASS, REJECT, NOT_INSPECTED = Outcome.PASS, Outcome.REJECT, Outcome.NOT_INSPECTED


def fates(line: Line) -> dict[int, Gate]:
    return {actuated.slot: actuated.gate for actuated in line.told}


def released_without_pass(line: Line, passed: set[int]) -> list[int]:
    return [slot for slot, gate in fates(line).items() if gate is Gate.RELEASED and slot not in passed]


def test_each_part_ends_as_it_was_ordered_and_an_unordered_one_is_rejected(tmp_path: Path) -> None:
    with a_plc(tmp_path) as line:
        line.run(600)
        for slot, outcome in ((1, PASS), (2, REJECT), (3, NOT_INSPECTED), (5, PASS)):
            line.order(slot, outcome)
        line.run(1500)

    assert line.slots == [1, 2, 3, 4, 5]
    assert list(fates(line).values()) == [
        Gate.RELEASED,
        Gate.REJECTED,
        Gate.REJECTED,
        Gate.REJECTED,
        Gate.RELEASED,
    ]
    assert [actuated.outcome for actuated in line.told] == [PASS, REJECT, NOT_INSPECTED, None, PASS]


def test_row_49_an_order_said_again_by_a_restarted_line_moves_no_second_part(tmp_path: Path) -> None:
    """I5: commands by slot."""
    with a_plc(tmp_path) as line:
        line.run(600)
        line.order(1, PASS)
        line.run(40)
        line.handshake = Handshake(repeat_ns=line.handshake.repeat_ns)  # actuation died, and started anew
        line.order(1, PASS)
        line.run(1500)

    assert [slot for slot, gate in fates(line).items() if gate is Gate.RELEASED] == [1]
    assert len([actuated for actuated in line.told if actuated.slot == 1]) == 1


def test_row_50_a_line_that_falls_silent_stops_the_belt(tmp_path: Path) -> None:
    """I2: absence is no release. A PASS that the PLC has, and nothing else, opens the gate."""
    with a_plc(tmp_path) as line:
        line.run(600)
        line.order(1, PASS)
        line.run(100)
        line.alive = False
        line.run(3000)

        assert line.program.held
        count = line.program.belt.count(line.now_ns)
        line.run(1000)
        assert line.program.belt.count(line.now_ns) == count
        line.alive = True
        line.run(3000)

    assert released_without_pass(line, {1}) == []
    assert len(line.told) == 5


def test_row_51_a_plc_that_stood_still_is_told_what_it_missed(tmp_path: Path) -> None:
    with a_plc(tmp_path) as line:
        line.run(600)
        line.program.faults.stalled = True
        line.order(2, PASS)
        line.run(300)
        line.program.faults.stalled = False
        line.run(2000)

    assert fates(line)[2] is Gate.RELEASED
    assert released_without_pass(line, {2}) == []


def test_row_52_a_lost_ack_costs_a_repeat_and_nothing_else(tmp_path: Path) -> None:
    with a_plc(tmp_path) as line:
        line.run(600)
        line.program.faults.drops_acks = True
        line.order(1, PASS)
        line.order(2, REJECT)
        line.run(300)
        line.program.faults.drops_acks = False
        line.order(3, PASS)
        line.run(2000)

    assert list(fates(line).values()) == [
        Gate.RELEASED,
        Gate.REJECTED,
        Gate.RELEASED,
        Gate.REJECTED,
        Gate.REJECTED,
    ]
    assert len(line.told) == 5


def test_row_53_a_part_that_the_gate_did_not_move_is_seen(tmp_path: Path) -> None:
    with a_plc(tmp_path) as line:
        line.program.belt.stuck = True
        line.run(600)
        line.order(1, REJECT)
        line.order(2, PASS)
        line.run(2000)

    seen = {actuated.slot: (actuated.gate, actuated.seen) for actuated in line.told}
    assert seen[1] == (Gate.REJECTED, True)
    assert seen[2] == (Gate.RELEASED, True)


@pytest.mark.parametrize("retentive", [pytest.param(True, id="retentive"), pytest.param(False, id="counter-lost")])
def test_row_54_after_a_restart_unknown_slots_are_rejected_and_numbers_go_on(tmp_path: Path, retentive: bool) -> None:
    """I2, I5: a PLC that forgot everything lets nothing through that it cannot prove."""
    with a_plc(tmp_path, parts=12) as line:
        line.run(600)
        for slot in (1, 2, 3):
            line.order(slot, PASS)
        line.run(100)
        line.program.restart(line.now_ns, retentive=retentive)
        line.run(700)
        for slot in line.slots[6:]:
            line.order(slot, PASS)
        line.run(3000)

    assert line.handshake.restarts == 1
    assert line.slots == list(range(1, len(line.slots) + 1))  # none twice, none left out
    released = [slot for slot, gate in fates(line).items() if gate is Gate.RELEASED]
    assert released
    assert min(released) > 6  # what lay on the belt was rejected


def test_row_58_orders_given_while_the_belt_stands_hold_when_it_runs_again(tmp_path: Path) -> None:
    """I13: the encoder, not the clock."""
    with a_plc(tmp_path) as line:
        line.run(600)
        line.program.drive(0.0, line.now_ns)
        line.run(60_000)
        assert line.told == []
        line.order(1, PASS)
        line.order(4, PASS)
        line.run(100)
        line.program.drive(1.0, line.now_ns)
        line.run(2000)

    assert [slot for slot, gate in fates(line).items() if gate is Gate.RELEASED] == [1, 4]


def test_row_15_a_belt_that_slips_lets_nothing_through_until_it_is_resynced(tmp_path: Path) -> None:
    """I2: no time, no guess stands in for the encoder."""
    with a_plc(tmp_path, parts=30) as line:
        line.run(600)
        line.program.belt.slip(1000)  # a whole pitch: each part is where its neighbour should be
        for slot in line.slots:
            line.order(slot, PASS)
        line.run(1500)
        fault, released = line.program.status(line.now_ns).fault, released_without_pass(line, set())
        line.program.belt.tracker.resync()
        after = line.slots[-1]
        line.run(200)
        for slot in line.slots:
            line.order(slot, PASS)
        line.run(1500)

    assert fault == 1
    assert released == []
    assert min(released_without_pass(line, set())) > after


def test_a_hold_stops_belt_and_triggers_until_it_is_taken_back(tmp_path: Path) -> None:
    with a_plc(tmp_path, parts=50) as line:
        line.run(600)
        line.hold = True
        line.run(200)
        before = list(line.slots)
        line.run(2000)
        assert line.slots == before
        line.hold = False
        line.run(1000)

    assert len(line.slots) > len(before)


def test_an_order_after_the_part_is_answered_as_late(tmp_path: Path) -> None:
    with a_plc(tmp_path) as line:
        line.run(1300)
        line.order(1, PASS)
        line.run(1000)

    answers = [(actuated.gate, actuated.outcome) for actuated in line.told if actuated.slot == 1]
    assert answers == [(Gate.REJECTED, None)] * 2  # the gate's word came first, and is said again


def test_a_gate_that_releases_by_default_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tag, "passes", property(lambda tag: tag.ordered in (None, PASS)))
    with a_plc(tmp_path) as line:
        line.run(3000)

    assert released_without_pass(line, set())


def test_row_54_what_a_restarted_plc_may_have_forgotten_is_written_again(tmp_path: Path) -> None:
    with a_plc(tmp_path) as line:
        line.run(600)
        for slot, outcome in ((1, PASS), (2, REJECT)):
            line.order(slot, outcome)
        line.run(60)
        assert line.handshake.outbox(line.now_ns) is None

        status = msgspec.structs.replace(line.program.status(line.now_ns), session=77, result_ack=0)
        line.handshake.heard(status)
        again = line.handshake.outbox(line.now_ns)

    assert again is not None
    assert (again.batch, [result.slot for result in again.results]) == (1, [1, 2])


def test_a_batch_is_written_again_until_it_is_acknowledged_and_then_the_next(tmp_path: Path) -> None:
    with a_plc(tmp_path) as line:
        line.run(600)
        line.alive = False
        for slot in range(1, RESULTS_MOST + 5):
            line.order(slot, REJECT)
        status = line.program.status(line.now_ns)

        first = line.handshake.outbox(0)
        between = line.handshake.outbox(100 * MS)
        again = line.handshake.outbox(200 * MS)
        assert first is not None
        line.handshake.heard(msgspec.structs.replace(status, result_ack=first.batch))
        rest = line.handshake.outbox(210 * MS)

    assert len(first.results) == RESULTS_MOST
    assert between is None
    assert again == first
    assert rest is not None
    assert (rest.batch, len(rest.results)) == (first.batch + 1, 4)


def test_a_line_that_is_not_heard_holds_the_belt_only_because_the_plc_watches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor.twin.plc_program, "HEARTBEAT_MOST_NS", 10**18)
    with a_plc(tmp_path, parts=50) as line:
        line.run(600)
        line.alive = False
        line.run(3000)

    assert not line.program.held
