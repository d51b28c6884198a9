"""Every protocol brings each order to the right part in time, on real sockets, and says when the PLC is not there."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import gate
from benchmarks.gate import ACTUATORS, Plc, free_port, measure_gate, open_gate, simulated_plc
from config.actuators import ModbusActuator
from config.loader import load_station
from monitor.actuators import Actuator
from monitor.actuators.plc import PlcGate
from monitor.messages import Alarm, Counter, Disposition, Gate, Outcome
from monitor.rules.handshake import Acted, LineStatus, Mailbox, PlcStatus

PROTOCOLS = sorted(ACTUATORS)
WAIT_S = 8.0
A_PLC = PlcStatus(
    map_version=1, session=1, heartbeat=1, ready=True, held=False, fault=0, part_type=0, trigger_count=0,
    encoder_count=0, counts_per_s=0, line_heartbeat=0, result_ack=0, acted_count=0,
)  # fmt: skip


def until(true: Callable[[], object], *, within_s: float = WAIT_S) -> float:
    """How long it took; an assertion where it never came."""
    begun_s = time.monotonic()
    while not true():
        assert time.monotonic() - begun_s < within_s, "it never came"
        time.sleep(0.01)
    return time.monotonic() - begun_s


def raised(opened: Actuator, alarms: list[Alarm], number: int) -> float:
    """How long it took until so many alarms had come."""

    def enough() -> bool:
        alarms.extend(opened.alarms())
        return len(alarms) >= number

    return until(enough)


def first_count(opened: Actuator, at_least: int) -> Counter:
    found: list[Counter] = []

    def counted() -> bool:
        if counter := opened.counter():
            found.append(counter)
        return bool(found) and found[-1].trigger_count >= at_least

    until(counted)
    return found[-1]


def an_order(slot: int, outcome: Outcome) -> Disposition:
    return Disposition(slot=slot, outcome=outcome, reason=None, due_count=None)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_orders_arrive_in_time_at_the_right_part_whatever_the_belt_does(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "KNOB", ((0.0, 1.2), (0.8, 0.8), (1.6, 0.0), (1.9, -0.5), (2.2, 1.0)))
    monkeypatch.setattr(gate, "ROUND_S", 4.0)

    found = measure_gate(protocol, parts=60, rate=20.0, say=lambda _: None)

    assert found["triggers"] == 60
    assert found["sent"] == found["confirmed"] > 0
    assert (found["late"], found["wrong_slot"], found["released_without_pass"]) == (0, 0, 0)
    assert 0 < found["released"] < 60


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_row_51_a_plc_that_stops_and_comes_back_is_said_once_each(protocol: str, tmp_path: Path) -> None:
    """I2, I12: meanwhile the belt stands, and no order is lost."""
    with simulated_plc(protocol, tmp_path, port=free_port(), rate=10.0, parts=10) as plc:
        opened = open_gate(protocol, plc.port)
        alarms: list[Alarm] = []
        try:
            first_count(opened, 3)
            plc.say("stall on")
            raised(opened, alarms, 1)
            opened.send(an_order(2, Outcome.PASS))
            time.sleep(0.3)
            plc.say("stall off")
            raised(opened, alarms, 2)
            heard = told(opened, plc, 10)
        finally:
            opened.close()

    assert [alarm.name for alarm in alarms] == ["plc.lost", "plc.back"]
    assert {slot for slot, end in heard.items() if end is Gate.RELEASED} <= {2}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_row_54_a_plc_that_forgot_everything_is_resumed(protocol: str, tmp_path: Path) -> None:
    with simulated_plc(protocol, tmp_path, port=free_port(), rate=10.0, parts=25) as plc:
        opened = open_gate(protocol, plc.port)
        try:
            before = first_count(opened, 4).trigger_count
            plc.say("forget")
            after = first_count(opened, before + 3).trigger_count
            alarms = opened.alarms()
        finally:
            opened.close()
        slots = [part["slot"] for part in plc.parts()]

    assert after > before
    assert "plc.restarted" in [alarm.name for alarm in alarms]
    assert len(slots) == len(set(slots))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_row_14_while_the_line_pauses_the_plc_triggers_nothing_and_its_count_is_known_to_stand(
    protocol: str, tmp_path: Path
) -> None:
    with simulated_plc(protocol, tmp_path, port=free_port(), rate=10.0, parts=None) as plc:
        opened = open_gate(protocol, plc.port)
        try:
            first_count(opened, 2)
            opened.stand(paused=True, needs_person=False)
            time.sleep(0.5)
            while opened.counter():
                """What was counted before."""
            stood = first_count(opened, 2)
            time.sleep(0.5)
            stands = first_count(opened, 2)
            opened.stand(paused=False, needs_person=False)
            goes_on = first_count(opened, stands.trigger_count + 2)
        finally:
            opened.close()

    assert stood.trigger_count == stands.trigger_count
    assert stood.steady_ns == stands.steady_ns
    assert stands.asked_ns - stands.steady_ns > 400_000_000
    assert stands.asked_ns <= stands.at_ns
    assert goes_on.steady_ns > stands.at_ns


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_plc_that_is_killed_is_said_within_its_time(protocol: str, tmp_path: Path) -> None:
    """I12."""
    with simulated_plc(protocol, tmp_path, port=free_port(), rate=10.0, parts=None) as plc:
        opened = open_gate(protocol, plc.port)
        alarms: list[Alarm] = []
        try:
            first_count(opened, 1)
            plc.process.kill()
            took_s = raised(opened, alarms, 1)
        finally:
            opened.close()

    assert alarms[0].name == "plc.lost"
    assert took_s < 3.0


def told(opened: Actuator, plc: Plc, parts: int) -> dict[int, Gate]:
    """What the gate did with so many parts, as it told the line; it agrees with the PLC's own log."""
    heard: dict[int, Gate] = {}

    def complete() -> bool:
        heard.update({actuated.slot: actuated.gate for actuated in opened.heard()})
        return len(heard) >= parts

    until(complete)
    assert heard == {part["slot"]: Gate(part["gate"]) for part in plc.parts()}
    return heard


class Listens:
    """A wire to a PLC that has nothing to say, and keeps what the line says."""

    def __init__(self) -> None:
        self.heard: list[LineStatus] = []

    def open(self) -> None:
        """It can be opened."""

    def status(self) -> PlcStatus:
        return A_PLC

    def acted(self, wanted: range) -> list[Acted]:
        return []

    def write(self, line: LineStatus, mailbox: Mailbox | None) -> None:
        self.heard.append(line)

    def close(self) -> None:
        """There is nothing to let go of."""


@pytest.mark.parametrize(
    ("paused", "needs_person"),
    [
        pytest.param(False, True, id="fault"),
        pytest.param(True, False, id="not-ready"),
        pytest.param(False, False, id="all-is-well"),
    ],
)
def test_the_plc_sees_that_the_line_pauses_and_that_an_alarm_waits_for_a_person(
    paused: bool, needs_person: bool
) -> None:
    wire = Listens()
    opened = PlcGate(load_station("rail-03"), ModbusActuator(kind="modbus", host="127.0.0.1"), wire)
    opened.resume_from(0)
    opened.go()

    opened.stand(paused=paused, needs_person=needs_person)
    said = len(wire.heard)
    until(lambda: len(wire.heard) > said + 2)
    opened.close()

    assert (wire.heard[said + 1].ready, wire.heard[said + 1].fault) == (not paused, needs_person)


class Breaks:
    """A wire with a mistake in it."""

    def open(self) -> None:
        """It can be opened."""

    def status(self) -> PlcStatus:
        raise KeyError("a mistake")

    def acted(self, wanted: range) -> list[Acted]:
        raise KeyError("a mistake")

    def write(self, line: LineStatus, mailbox: Mailbox | None) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """There is nothing to let go of."""


def test_a_mistake_in_the_thread_ends_actuation_and_is_no_silence() -> None:
    """I12: a thread that is gone keeps up no heartbeat, and nobody would say so."""
    station = load_station("rail-03")
    opened = PlcGate(station, ModbusActuator(kind="modbus", host="127.0.0.1"), Breaks())

    def heard() -> bool:
        opened.heard()
        return False

    with pytest.raises(KeyError, match="a mistake"):
        until(heard)
    opened.close()
