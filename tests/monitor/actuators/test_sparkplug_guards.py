"""On a real broker a host finds out each guard that is taken out of the edge node: birth, death, rebirth, and room."""

import contextlib
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pysparkplug
import pytest
from paho.mqtt import client as paho

import monitor.actuators.sparkplug
import monitor.actuators.sparkplug_payload
from benchmarks.gate import free_port
from config.onlookers import Sparkplug
from monitor.actuators.mqtt_client import BrokerLost, Heard, Said
from monitor.actuators.sparkplug import SparkplugNode
from monitor.actuators.sparkplug_payload import CommandError, asks_for_rebirth, encode
from monitor.messages import Disposition, Outcome
from monitor.onlookers import Backlog
from monitor.rules.sparkplug import SEQS, Report, Told, Verb
from tests.monitor import sparkplug_host
from tests.monitor.actuators.brokered import Plain, a_plain, until

COMMANDS = "spBv1.0/works/NCMD/rail-03"
REBIRTH = pysparkplug.Metric(
    timestamp=1, name="Node Control/Rebirth", datatype=pysparkplug.DataType.BOOLEAN, value=True
)


class SpeaksUnborn(SparkplugNode):
    """The guard taken out: data leave as soon as there is a connection."""

    def _be_born(self) -> None:
        will = self._node.will()
        self._connection.open(Said(topic=self._topic(will.verb), payload=encode(will)))


class LeavesSilently(SparkplugNode):
    """The guard taken out: an orderly end says no death, and so keeps the broker from saying it."""

    def _say(self, reports: list[Report]) -> None:
        super()._say([report for report in reports if report.verb is not Verb.NDEATH])


class Deaf(SparkplugNode):
    """The guard taken out: no host is listened to."""

    def _hears(self, heard: Heard) -> None:
        """Nothing."""


class ObeysOldCommands(SparkplugNode):
    """The guard taken out: what a broker has kept is a command, too."""

    def _hears(self, heard: Heard) -> None:
        time.sleep(0.2)  # after the birth, which answers all that was asked until then
        super()._hears(replace(heard, retained=False))


class SpeaksForItself(SparkplugNode):
    """The guard taken out: who tells it something waits for the broker."""

    def tell(self, told: Told) -> None:
        self._node.hears(told)
        with contextlib.suppress(BrokerLost):
            self._be_born()

    def _keep_telling(self) -> None:
        """There is no thread."""


class Unbounded(Backlog[Told]):
    """The guard taken out: there is always room."""

    def __init__(self, name: str, *, most: int) -> None:
        del most
        super().__init__(name, most=0)


@contextmanager
def a_node(port: int, state: Path, kind: type[SparkplugNode] = SparkplugNode, **more: Any) -> Iterator[SparkplugNode]:
    given = {"every_ms": 20.0} | more
    node = kind(Sparkplug(host="127.0.0.1", port=port, group_id="works", edge_node="rail-03", **given), state=state)
    try:
        yield node
    finally:
        node.close()


def a_disposition(slot: int) -> Disposition:
    return Disposition(slot=slot, outcome=Outcome.PASS, reason=None, due_count=None)


def a_command(*more: pysparkplug.Metric) -> bytes:
    return pysparkplug.NCmd(timestamp=1, metrics=(*more, REBIRTH)).encode(include_dtypes=True)


def heard_by(host: Plain) -> list[sparkplug_host.Heard]:
    """In order; without commands."""
    found = []
    for message in [each for each in list(host.heard) if "/NCMD/" not in each.topic]:
        read: Any = pysparkplug.Message.from_mqtt_message(message)
        verb = read.topic.message_type.value
        metrics = [read.payload.bd_seq_metric] if verb == "NDEATH" else list(read.payload.metrics)
        values = {metric.name: metric.value for metric in metrics}
        found.append(
            sparkplug_host.Heard(
                verb=verb,
                device=read.topic.device_id or "",
                seq=getattr(read.payload, "seq", None),
                bd_seq=values.get("bdSeq"),
                metrics=frozenset(values),
            )
        )
    return found


def numbers(host: Plain, verb: str) -> list[object]:
    """The bdSeq of each of these."""
    return [heard.bd_seq for heard in heard_by(host) if heard.verb == verb]


def believes(host: Plain) -> sparkplug_host.Host:
    """What a host makes of all that it has heard."""
    judged = sparkplug_host.Host()
    for heard in heard_by(host):
        judged.hear(heard)
    return judged


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        pytest.param(SparkplugNode, [], id="guarded"),
        pytest.param(SpeaksUnborn, ["NDATA before its birth"], id="guard-taken-out"),
    ],
)
def test_birth_comes_before_data(kind: type[SparkplugNode], wrong: list[str], broker_port: int, tmp_path: Path) -> None:
    with a_plain(broker_port, "spBv1.0/#") as host:
        with a_node(broker_port, tmp_path, kind) as node:
            until(lambda: not node._connection.lost)
            node.tell(a_disposition(1))
            until(lambda: any(heard.verb == "NDATA" for heard in heard_by(host)))
        until(lambda: numbers(host, "NDEATH"))

    assert believes(host).wrong == wrong


@pytest.mark.parametrize("leaves_it", [pytest.param(True, id="guarded"), pytest.param(False, id="guard-taken-out")])
def test_the_broker_says_the_death_that_was_left_with_it(
    leaves_it: bool, broker_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not leaves_it:
        monkeypatch.setattr(paho.Client, "will_set", lambda *_, **__: None)
    with a_plain(broker_port, "spBv1.0/#") as host, a_node(broker_port, tmp_path) as node:
        until(lambda: numbers(host, "NBIRTH"))
        node._connection._client.socket().shutdown(socket.SHUT_RDWR)
        until(lambda: len(numbers(host, "NBIRTH")) == 2)
        time.sleep(0.3)  # a death that comes late comes by then
        births, deaths = numbers(host, "NBIRTH"), numbers(host, "NDEATH")
        online = believes(host).online

    assert births == [0, 1]
    assert deaths == ([0] if leaves_it else [])
    assert online


@pytest.mark.parametrize("says_it", [pytest.param(True, id="guarded"), pytest.param(False, id="guard-taken-out")])
def test_an_orderly_end_says_its_death_itself(says_it: bool, broker_port: int, tmp_path: Path) -> None:
    with a_plain(broker_port, "spBv1.0/#") as host:
        with a_node(broker_port, tmp_path, SparkplugNode if says_it else LeavesSilently):
            until(lambda: numbers(host, "NBIRTH"))
        time.sleep(0.3)

    assert believes(host).online is not says_it


@pytest.mark.parametrize(
    ("remembers", "lives"),
    [pytest.param(True, [0, 1], id="guarded"), pytest.param(False, [0, 0], id="guard-taken-out")],
)
def test_bd_seq_goes_on_over_restarts(
    remembers: bool, lives: list[int], broker_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not remembers:
        monkeypatch.setattr(monitor.actuators.sparkplug, "_last_life", lambda _: SEQS - 1)
    with a_plain(broker_port, "spBv1.0/#") as host:
        for life in (1, 2):
            with a_node(broker_port, tmp_path):
                until(lambda life=life: len(numbers(host, "NBIRTH")) == life)  # type: ignore[misc]
        will = next(heard for heard in heard_by(host) if heard.verb == "NBIRTH")
        judged = sparkplug_host.Host()
        for heard in [*heard_by(host)[:-1], replace(will, verb="NDEATH")]:  # the first life's will, late
            judged.hear(heard)

    assert numbers(host, "NBIRTH") == lives
    assert judged.online is remembers


@pytest.mark.parametrize("listens", [pytest.param(True, id="guarded"), pytest.param(False, id="guard-taken-out")])
def test_a_host_that_missed_the_birth_gets_one_when_it_asks(listens: bool, broker_port: int, tmp_path: Path) -> None:
    with a_node(broker_port, tmp_path, SparkplugNode if listens else Deaf) as node:
        until(lambda: not node._connection.lost)
        time.sleep(0.3)  # the birth has left
        with a_plain(broker_port, "spBv1.0/#") as host:
            host.say(COMMANDS, a_command())
            time.sleep(0.3)
            node.tell(a_disposition(1))
            until(lambda: any(heard.verb == "NDATA" for heard in heard_by(host)))
            judged = believes(host)

    assert (judged.online, judged.wrong == []) == (listens, listens)


@pytest.mark.parametrize(
    ("kind", "births"),
    [pytest.param(SparkplugNode, 1, id="guarded"), pytest.param(ObeysOldCommands, 2, id="guard-taken-out")],
)
def test_a_command_that_the_broker_kept_is_not_obeyed(
    kind: type[SparkplugNode], births: int, broker_port: int, tmp_path: Path
) -> None:
    with a_plain(broker_port, "spBv1.0/#") as host:
        host.say(COMMANDS, a_command(), retained=True)
        with a_node(broker_port, tmp_path, kind):
            until(lambda: len(numbers(host, "NBIRTH")) == births)
            time.sleep(0.5)

    assert len(numbers(host, "NBIRTH")) == births


def test_i11_without_its_bound_a_command_of_any_size_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    long = pysparkplug.Metric(timestamp=1, name="long", datatype=pysparkplug.DataType.STRING, value="x" * 100_000)
    command = a_command(long)
    with pytest.raises(CommandError, match="a command has at most 65536"):
        asks_for_rebirth(command)

    monkeypatch.setattr(monitor.actuators.sparkplug_payload, "COMMAND_MOST", 10**9)

    assert asks_for_rebirth(command)


@pytest.mark.parametrize(
    "kind", [pytest.param(SparkplugNode, id="guarded"), pytest.param(SpeaksForItself, id="guard-taken-out")]
)
def test_a_broker_that_takes_the_call_and_says_nothing_holds_nobody_up(
    kind: type[SparkplugNode], tmp_path: Path
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        a_node(mute.getsockname()[1], tmp_path, kind, timeout_ms=500.0) as node,
    ):
        begun_s = time.monotonic()
        for slot in range(3):
            node.tell(a_disposition(slot))
        took_s = time.monotonic() - begun_s

    assert (took_s < 0.4) is (kind is SparkplugNode)


@pytest.mark.parametrize(
    ("kind", "waiting"), [pytest.param(Backlog, 10, id="guarded"), pytest.param(Unbounded, 100, id="guard-taken-out")]
)
def test_i7_what_waits_for_a_broker_has_a_bound(
    kind: type[Backlog[Told]], waiting: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor.actuators.sparkplug, "Backlog", kind)
    monkeypatch.setattr(SparkplugNode, "_take_in", lambda node, _for_s: node._over.wait(0.1))  # nobody takes it
    with a_node(free_port(), tmp_path, backlog=10) as node:
        for slot in range(100):
            node.tell(a_disposition(slot))
        left = node._backlog._waiting.qsize()

    assert left == waiting
