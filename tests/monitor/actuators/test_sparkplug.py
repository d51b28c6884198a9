"""A host that knows Sparkplug B by another library understands our births, data and deaths, on a real broker."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pysparkplug
import pytest

import monitor.actuators.sparkplug
from benchmarks.brokers import BROKERS, a_broker
from benchmarks.gate import free_port
from config.onlookers import Sparkplug
from monitor.actuators.sparkplug import SparkplugNode
from monitor.actuators.sparkplug_payload import CommandError, asks_for_rebirth
from monitor.messages import Counter, Disposition, Outcome
from monitor.rules.sparkplug import GATE_METRICS, NODE_METRICS
from tests.monitor.actuators.brokered import Plain, a_plain, until

TOPIC = "spBv1.0/works/{}/rail-03"
AS_A_PROCESS = """
import sys, time
from pathlib import Path
from config.onlookers import Sparkplug
from monitor.actuators.sparkplug import SparkplugNode
facts = Sparkplug(host="127.0.0.1", port=int(sys.argv[1]), group_id="works", edge_node="rail-03")
node = SparkplugNode(facts, state=Path(sys.argv[2]))
time.sleep(60)
"""


def facts(port: int) -> Sparkplug:
    return Sparkplug(host="127.0.0.1", port=port, group_id="works", edge_node="rail-03", every_ms=20.0)


@contextmanager
def a_node(port: int, state: Path) -> Iterator[SparkplugNode]:
    node = SparkplugNode(facts(port), state=state)
    try:
        yield node
    finally:
        node.close()


def a_disposition(slot: int, outcome: Outcome) -> Disposition:
    return Disposition(slot=slot, outcome=outcome, reason=None, due_count=None)


def decoded(host: Plain) -> list[Any]:
    """All that the host has heard, as pysparkplug reads it."""
    return [pysparkplug.Message.from_mqtt_message(message) for message in list(host.heard)]


def of(host: Plain, kind: str) -> list[Any]:
    """Without the commands, one of which is none."""
    ours = [message for message in list(host.heard) if "/NCMD/" not in message.topic]
    read: list[Any] = [pysparkplug.Message.from_mqtt_message(message) for message in ours]
    return [each for each in read if each.topic.message_type.value == kind]


def bd_seq(death: Any) -> object:
    return death.payload.bd_seq_metric.value


def values(message: Any) -> dict[str, Any]:
    return {metric.name: metric.value for metric in message.payload.metrics}


def test_birth_data_and_death_in_order(broker_port: int, tmp_path: Path) -> None:
    with a_plain(broker_port, "spBv1.0/#") as host:
        with a_node(broker_port, tmp_path) as node:
            until(lambda: of(host, "NBIRTH"))
            for slot in range(1, 4):
                node.tell(a_disposition(slot, Outcome.PASS))
            node.tell(a_disposition(4, Outcome.REJECT))
            node.tell(Counter(cameras=(), trigger_count=4, encoder_count=-9, counts_per_s=2.5, at_ns=1))
            until(lambda: of(host, "DBIRTH"))
        time.sleep(0.3)  # a second death, by the broker, would come by then
        until(lambda: of(host, "NDEATH"))
        heard = decoded(host)

    birth, device, (death,) = of(host, "NBIRTH")[0], of(host, "DBIRTH")[0], of(host, "NDEATH")
    assert set(values(birth)) == {"bdSeq", "Node Control/Rebirth", *NODE_METRICS}
    assert set(values(device)) == set(GATE_METRICS)
    assert (values(device)["Encoder"], values(device)["Speed"], values(device)["Triggers"]) == (-9, 2.5, 4)
    assert device.topic.device_id == "gate"
    assert values(birth)["bdSeq"] == bd_seq(death)
    told: dict[str, Any] = {}
    for each in of(host, "NDATA"):
        told |= values(each)
    assert (told["Parts/Passed"], told["Parts/Rejected"], told["Part/Outcome"]) == (3, 1, "REJECT")
    numbered = [each.payload.seq for each in heard if each.topic.message_type.value != "NDEATH"]
    assert numbered == list(range(len(numbered)))
    assert heard[-1] == death
    assert not any(each.retain for each in heard)


def test_seq_goes_round_on_the_wire(broker_port: int, tmp_path: Path) -> None:
    with a_plain(broker_port, "spBv1.0/#") as host, a_node(broker_port, tmp_path) as node:
        until(lambda: of(host, "NBIRTH"))
        for slot in range(1, 400):
            before = len(host.heard)
            node.tell(a_disposition(slot, Outcome.PASS))
            until(lambda before=before: len(host.heard) > before)  # type: ignore[misc]
            if slot > 270:
                break
        numbered = [each.payload.seq for each in decoded(host)]

    assert numbered == [n % 256 for n in range(len(numbered))]
    assert len(numbered) > 256


def test_a_killed_process_dies_by_the_brokers_word_under_the_number_of_its_birth(
    broker_port: int, tmp_path: Path
) -> None:
    with a_plain(broker_port, "spBv1.0/#") as host:
        for life in range(2):
            command = [sys.executable, "-c", AS_A_PROCESS, str(broker_port), str(tmp_path)]
            with subprocess.Popen(command) as process:
                try:
                    until(lambda life=life: len(of(host, "NBIRTH")) > life)  # type: ignore[misc]
                finally:
                    process.kill()
            until(lambda life=life: len(of(host, "NDEATH")) > life)  # type: ignore[misc]
        births, deaths = of(host, "NBIRTH"), of(host, "NDEATH")

    assert [values(birth)["bdSeq"] for birth in births] == [0, 1]
    assert [bd_seq(death) for death in deaths] == [0, 1]


def test_a_host_that_missed_something_asks_for_a_rebirth(broker_port: int, tmp_path: Path) -> None:
    wanted = pysparkplug.Metric(
        timestamp=1, name="Node Control/Rebirth", datatype=pysparkplug.DataType.BOOLEAN, value=True
    )
    command = pysparkplug.NCmd(timestamp=1, metrics=(wanted,)).encode(include_dtypes=True)
    with a_plain(broker_port, "spBv1.0/#") as host, a_node(broker_port, tmp_path) as node:
        until(lambda: of(host, "NBIRTH"))
        node.tell(a_disposition(1, Outcome.PASS))
        until(lambda: of(host, "NDATA"))
        host.say(TOPIC.format("NCMD"), b"\xff\xff no command")
        host.say(TOPIC.format("NCMD"), command)
        until(lambda: len(of(host, "NBIRTH")) == 2)
        first, second = of(host, "NBIRTH")

    assert second.payload.seq == 0
    assert values(second)["bdSeq"] == values(first)["bdSeq"]
    assert values(second)["Parts/Passed"] == 1


@pytest.mark.parametrize(
    ("command", "why"),
    [
        pytest.param(b"\xff\xff", "it begins with", id="no-protobuf"),
        pytest.param(b"\0" * 100_000, "100000 bytes; a command has at most 65536", id="too-big"),
    ],
)
def test_a_command_that_is_none_is_refused(command: bytes, why: str) -> None:
    """I11."""
    with pytest.raises(CommandError, match=why):
        asks_for_rebirth(command)


def test_a_broker_that_is_away_holds_nobody_up_and_gets_a_birth_when_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not BROKERS:
        pytest.skip("no MQTT broker is here")
    monkeypatch.setattr(monitor.actuators.sparkplug, "BACK_OFF_S", (0.1,))
    port = free_port()
    with a_node(port, tmp_path) as node:
        begun_s = time.monotonic()
        for slot in range(1, 1001):
            node.tell(a_disposition(slot, Outcome.PASS))
        took_s = time.monotonic() - begun_s
        with a_broker(port), a_plain(port, "spBv1.0/#") as host:
            rebirth = pysparkplug.Metric(
                timestamp=1, name="Node Control/Rebirth", datatype=pysparkplug.DataType.BOOLEAN, value=True
            )
            command = pysparkplug.NCmd(timestamp=1, metrics=(rebirth,)).encode(include_dtypes=True)

            def born() -> bool:  # it may have been born before the host listened: a host asks, then
                host.say(TOPIC.format("NCMD"), command)
                time.sleep(0.1)
                return bool(of(host, "NBIRTH"))

            until(born)
            birth = of(host, "NBIRTH")[-1]

    assert took_s < 1.0
    assert values(birth)["Parts/Passed"] == 1000


def test_what_finds_no_room_is_counted_and_a_burst_is_logged_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """I7."""
    monkeypatch.setattr(SparkplugNode, "_take_in", lambda node, _for_s: node._over.wait(0.1))
    node = SparkplugNode(facts(free_port()).model_copy(update={"backlog": 10}), state=tmp_path)
    for slot in range(1, 101):
        node.tell(a_disposition(slot, Outcome.PASS))
    node.close()

    assert node._backlog.dropped == 90
    assert capsys.readouterr().out.count("backlog.full") == 1
