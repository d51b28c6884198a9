"""MQTT on a real broker: what is old counts as nothing, what does not fit is dropped, and a death is known."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

import monitor.twin.plc_program
from benchmarks.brokers import BROKERS, a_broker
from benchmarks.gate import free_port
from config.loader import load_station
from monitor.actuators import mqtt, topics
from monitor.actuators.mqtt_client import Heard
from monitor.actuators.plc import PlcGate, WireError
from monitor.messages import Alarm, Disposition, Gate, Outcome
from monitor.rules.handshake import Acted, LineStatus, Mailbox, Result
from monitor.twin.plc_program import PlcProgram
from tests.monitor.actuators.brokered import STATION, a_plain, a_plc_at, a_wire, facts, until
from tests.monitor.actuators.test_modbus import STATUS

TOPICS = topics.Topics("line", STATION)
LINE = LineStatus(heartbeat=5, ready=True, busy=True, hold=False, fault=False, hold_code=0, last_slot=0)
PASSES = Mailbox(
    batch=1, results=tuple(Result(slot=slot, outcome=Outcome.PASS, reason_code=0) for slot in range(1, 25))
)
ENTRY = Acted(n=1, slot=9, ordered=Outcome.PASS, gate=Gate.RELEASED, seen=True, at_count=-7, late_ms=0.0)


def status(**changed: object) -> bytes:
    return topics.status_payload(msgspec.structs.replace(STATUS, **changed))


def test_the_plcs_status_is_given_once_as_it_was_said(broker_port: int) -> None:
    with a_plain(broker_port) as plc, a_wire(broker_port, timeout_ms=300.0) as wire:
        plc.say(TOPICS.plc("status"), status())
        assert wire.status() == STATUS

        with pytest.raises(WireError, match=r"nothing on line/rail-03/plc/status for 300 ms"):
            wire.status()


def test_row_51_a_retained_status_of_a_dead_plc_does_not_count_as_alive(broker_port: int) -> None:
    with a_plain(broker_port) as plc:
        plc.say(TOPICS.plc("status"), status(), retained=True)
        with a_wire(broker_port, timeout_ms=300.0) as wire, pytest.raises(WireError, match="it is retained"):
            wire.status()


def test_a_line_that_takes_what_is_retained_would_be_seen(broker_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Heard, "retained", property(lambda _: False, lambda *_: None), raising=False)
    with a_plain(broker_port) as plc:
        plc.say(TOPICS.plc("status"), status(), retained=True)
        with a_wire(broker_port) as wire:
            assert wire.status() == STATUS


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        pytest.param(b"", "truncated", id="empty"),
        pytest.param(b"\xff\xfe{", "malformed", id="no-json"),
        pytest.param(b" " * (topics.PAYLOAD_MOST + 1), "65537 bytes; a payload has at most 65536", id="too-big"),
        pytest.param(b'{"map_version":' + b"[" * 30_000, "Expected `int`", id="deep"),
        pytest.param(b'{"x":' + b"[" * 30_000 + b"}", "recursion", id="deep-where-nobody-looks"),
        pytest.param(b'{"map_version":7}', "map_version is 7, not 1", id="another-map"),
        pytest.param(b'{"map_version":1}', "missing required field `session`", id="too-little"),
        pytest.param(status()[:-1] + b',"spare":1}', "unknown field `spare`", id="too-much"),
        pytest.param(status(session=0), r">= 1.*\$.session", id="session-0"),
        pytest.param(status(heartbeat=1 << 16), r"\$.heartbeat", id="heartbeat-of-17-bits"),
        pytest.param(status(encoder_count=10**30), r"\$.encoder_count", id="count-of-100-bits"),
        pytest.param(status().replace(b"-70002", b"NaN"), "malformed", id="nan"),
        pytest.param(status().replace(b'"ready":true', b'"ready":1'), r"\$.ready", id="no-bool"),
    ],
)
def test_a_payload_that_does_not_fit_is_dropped_and_the_line_goes_on(
    broker_port: int, payload: bytes, why: str
) -> None:
    """I11."""
    with a_plain(broker_port) as plc, a_wire(broker_port, timeout_ms=300.0) as wire:
        plc.say(TOPICS.plc("status"), payload)
        with pytest.raises(WireError, match=f"(?i)dropped: .*{why}"):
            wire.status()
        plc.say(TOPICS.plc("status"), status())

        assert wire.status() == STATUS


def test_what_met_the_gate_unheard_is_asked_for(broker_port: int) -> None:
    with a_plain(broker_port) as plc, a_wire(broker_port, timeout_ms=2000.0) as wire:
        plc.say(TOPICS.plc("status"), status(acted_count=3))
        wire.status()

        def answer() -> None:
            until(lambda: plc.on(TOPICS.line("acted")))
            entries = [msgspec.structs.replace(ENTRY, n=n) for n in (2, 3)]
            plc.say(TOPICS.plc("acted"), topics.acted_payload(8, [ENTRY]))  # of another session
            plc.say(TOPICS.plc("acted"), topics.acted_payload(9, entries))

        answering = threading.Thread(target=answer)
        answering.start()
        found = wire.acted(range(2, 4))
        answering.join()

    assert [entry.n for entry in found] == [2, 3]
    assert topics.read_wanted(plc.on(TOPICS.line("acted"))[0]) == (9, 2)


def test_row_49_a_line_that_starts_anew_hears_of_every_part_that_is_still_known(
    broker_port: int, tmp_path: Path
) -> None:
    with a_plc_at(broker_port, tmp_path, parts=6) as program:
        with a_wire(broker_port) as first:
            until(lambda: _beat(first, LINE) and len(program.acted) == 6)
        with a_wire(broker_port) as second:
            second.status()
            assert second.acted(range(1, 7)) == list(program.acted)


@pytest.mark.parametrize(
    ("session", "retained", "released"),
    [
        pytest.param(2, True, False, id="row-54-retained"),
        pytest.param(999, False, False, id="row-54-of-another-session"),
        pytest.param(2, False, True, id="of-this-session"),  # what the others would do, were they not refused
    ],
)
def test_a_batch_of_before_is_not_obeyed(
    broker_port: int, tmp_path: Path, session: int, retained: bool, released: bool
) -> None:
    """I2: slots may be numbered anew where a PLC lost its counter."""
    batch = topics.results_payload(session, PASSES)
    with a_plain(broker_port, "none") as other:
        if retained:
            other.say(TOPICS.line("results"), batch, retained=True)
        with a_plc_at(broker_port, tmp_path, parts=6) as program, a_wire(broker_port) as wire:
            assert program.session == 2
            until(lambda: _beat(wire, LINE) and program.belt.triggered >= 3)
            if not retained:
                other.say(TOPICS.line("results"), batch)
            until(lambda: _beat(wire, LINE) and len(program.acted) == 6)

    assert (Gate.RELEASED in {entry.gate for entry in program.acted}) is released


@pytest.mark.parametrize("obeys", [pytest.param(True, id="row-50"), pytest.param(False, id="broken-twin")])
def test_the_belt_is_held_when_the_lines_last_will_comes(
    broker_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obeys: bool
) -> None:
    monkeypatch.setattr(monitor.twin.plc_program, "HEARTBEAT_MOST_NS", 10**15)  # it is not the heartbeat
    if not obeys:
        monkeypatch.setattr(PlcProgram, "line_lost", lambda *_: None)
    with a_plc_at(broker_port, tmp_path) as program:
        with a_wire(broker_port) as wire:
            until(lambda: _beat(wire, LINE) and program.belt.triggered)
            assert not program.held
            wire._connection._client.socket().shutdown(socket.SHUT_RDWR)  # as when the line is killed
            if not obeys:
                time.sleep(0.5)
                assert not program.held
                return
            until(lambda: program.held)
        with a_wire(broker_port) as wire:
            until(lambda: _beat(wire, LINE) and not program.held)


def test_row_51_the_plcs_last_will_ends_the_wait_for_it(broker_port: int) -> None:
    with a_plain(broker_port) as plc, a_wire(broker_port, timeout_ms=5000.0) as wire:
        plc.say(TOPICS.plc("state"), topics.OFFLINE)

        with pytest.raises(WireError, match="offline, by its last will"):
            wire.status()


def test_row_32_a_broker_that_goes_and_comes_back_costs_no_order(tmp_path: Path) -> None:
    if not BROKERS:
        pytest.skip("no MQTT broker is here")
    port = free_port()
    alarms: list[Alarm] = []
    with a_broker(port) as broker, a_plc_at(port, tmp_path) as program:
        line = facts(port)
        gate = PlcGate(load_station("rail-03"), line, mqtt.MqttWire(line, station=STATION))
        gate.resume_from(0)
        gate.go()

        def raised(number: int) -> bool:
            alarms.extend(gate.alarms())
            return len(alarms) >= number

        try:
            until(lambda: program.belt.triggered >= 2)
            broker.kill()
            broker.wait()
            until(lambda: raised(1))
            until(lambda: program.held)
            slot = program.belt.slot
            gate.send(Disposition(slot=slot, outcome=Outcome.PASS, reason=None, due_count=None))
            with a_broker(port):
                until(lambda: raised(2))
                until(lambda: slot in {entry.slot for entry in program.acted})
        finally:
            gate.close()

    assert [alarm.name for alarm in alarms] == ["plc.lost", "plc.back"]
    assert "refused" in alarms[0].text or "lost" in alarms[0].text
    assert [entry.slot for entry in program.acted if entry.gate is Gate.RELEASED] == [slot]


def test_nobody_there_is_an_error_within_the_time() -> None:
    wire = mqtt.MqttWire(facts(free_port(), timeout_ms=200.0), station=STATION)

    with pytest.raises(WireError, match=r"mqtt 127\.0\.0\.1:\d+: .*refused"):
        wire.open()


def test_a_broker_that_takes_the_call_and_says_nothing_is_an_error_within_the_time() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        wire = mqtt.MqttWire(facts(mute.getsockname()[1], timeout_ms=200.0), station=STATION)
        begun_s = time.monotonic()

        with pytest.raises(WireError, match=r"did not let us in within 0\.2 s"):
            wire.open()
        wire.close()

    assert time.monotonic() - begun_s < 5.0


def test_of_two_lines_a_broker_that_follows_the_standard_keeps_one(broker_port: int) -> None:
    why = "connection is lost" if BROKERS[0] == "mosquitto" else "nothing on"  # amqtt 0.12 keeps both
    with (
        a_wire(broker_port) as first,
        a_wire(broker_port),
        pytest.raises(WireError, match=why),
    ):
        first.status()


def test_both_states_are_left_behind_truly(broker_port: int) -> None:
    with a_wire(broker_port):
        pass
    with a_plain(broker_port, "line/+/line/#") as late:
        until(lambda: late.heard)

    assert [(message.topic, message.payload) for message in late.heard] == [(TOPICS.line("state"), topics.OFFLINE)]


def test_the_contract_says_what_it_carries() -> None:
    for read, said, payload in (
        (topics.read_line, LINE, topics.line_payload(LINE)),
        (topics.read_results, (3, PASSES), topics.results_payload(3, PASSES)),
        (topics.read_acted, (3, [ENTRY]), topics.acted_payload(3, [ENTRY])),
    ):
        assert _read(read, payload) == said


def _read(read: Callable[[bytes], object], payload: bytes) -> object:
    return read(payload)


def _beat(wire: mqtt.MqttWire, line: LineStatus) -> bool:
    """One cycle of a line that orders nothing."""
    line = msgspec.structs.replace(line, heartbeat=time.monotonic_ns() // 1_000_000 % (1 << 16))
    wire.status()
    wire.write(line, None)
    return True


def test_row_32_a_plc_whose_broker_is_gone_ends_all_the_same(tmp_path: Path) -> None:
    if not BROKERS:
        pytest.skip("no MQTT broker is here")
    port = free_port()

    with a_broker(port) as broker, a_plc_at(port, tmp_path) as program:
        until(lambda: program.status(time.monotonic_ns()).heartbeat > 0)
        broker.kill()  # and nobody has noticed yet

    assert broker.wait() != 0
