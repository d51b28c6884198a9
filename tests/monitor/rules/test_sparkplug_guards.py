"""A host finds nothing wrong with the edge node's life, and finds out each guard that is taken out of it."""

import pytest

import monitor.rules.sparkplug
from monitor.messages import Alarm, Counter, Disposition, Outcome
from monitor.rules.sparkplug import EdgeNode, Metric, Report, Verb
from tests.monitor.sparkplug_host import Host, heard_of


class CountsEachAlone(EdgeNode):
    """The guard taken out: node and device have a seq each."""

    _other_seq = 0

    def _report(self, verb: Verb, metrics: tuple[Metric, ...], *, device: str = "") -> Report:
        if device:
            self._seq, self._other_seq = self._other_seq, self._seq
        report = super()._report(verb, metrics, device=device)
        if device:
            self._seq, self._other_seq = self._other_seq, self._seq
        return report


class NeverGoesRound(EdgeNode):
    """The guard taken out: seq has no end."""

    def _report(self, verb: Verb, metrics: tuple[Metric, ...], *, device: str = "") -> Report:
        seq, self._seq = self._seq, self._seq + 1
        return Report(verb=verb, device=device, seq=seq, metrics=metrics)


class CountsOnAfterABirth(EdgeNode):
    """The guard taken out: a birth does not begin at 0."""

    def births(self) -> list[Report]:
        before, born = self._seq, super().births()
        self._seq = before
        return [self._report(each.verb, each.metrics, device=each.device) for each in born]


class BornWithTheNewsAlone(EdgeNode):
    """The guard taken out: a birth names what has changed, not all there is."""

    def births(self) -> list[Report]:
        changed = self._node.news()
        first, *rest = super().births()
        return [Report(verb=first.verb, seq=first.seq, metrics=(self._bd_seq(), *changed)), *rest]


class DeviceUnborn(EdgeNode):
    """The guard taken out: the gate's data come without a birth of the gate."""

    def news(self) -> list[Report]:
        self._gate_is_born = self._gate_answers
        return super().news()


class OneLife(EdgeNode):
    """The guard taken out: each connection has the number of the one before."""

    def next_life(self) -> None:
        """As if bdSeq were the station's, not the life's."""


class DiesUnderAnotherNumber(EdgeNode):
    """The guard taken out: the will does not say which birth it ends."""

    def will(self) -> Report:
        will = super().will()
        return Report(verb=will.verb, seq=will.seq, metrics=())


def a_disposition(slot: int) -> Disposition:
    return Disposition(slot=slot, outcome=Outcome.PASS, reason=None, due_count=None)


def a_counter(triggers: int) -> Counter:
    return Counter(cameras=(), trigger_count=triggers, encoder_count=triggers, counts_per_s=1.0, at_ns=1)


def an_alarm(name: str) -> Alarm:
    return Alarm(key=name, name=name, about="plc", text="why", raised_at=1)


def a_life(kind: type[EdgeNode], *, parts: int = 300) -> tuple[bool, Host]:
    """Whether a host believes it alive after a reconnection with a late will of before; and the host at the end."""
    node, host = kind(bd_seq=255), Host()

    def say(*reports: Report) -> None:
        for report in reports:
            host.hear(heard_of(report))

    node.hears(a_disposition(1))
    will = node.will()
    say(*node.births(), *node.news())
    for slot in range(2, parts):
        node.hears(a_disposition(slot))
        node.hears(a_counter(slot))
        say(*node.news())
    for name in ("plc.lost", "plc.back"):
        node.hears(an_alarm(name))
        say(*node.news())
    say(*node.births())  # a host has asked
    node.next_life()
    say(*node.births(), will)
    reborn = host.online
    node.hears(a_counter(parts))
    say(*node.news(), node.will())
    return reborn, host


def test_a_host_finds_nothing_wrong_with_a_whole_life() -> None:
    reborn, host = a_life(EdgeNode)

    assert host.wrong == []
    assert reborn  # a will that comes late ends no later birth
    assert not host.online


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        pytest.param(CountsEachAlone, "DBIRTH has seq 0, not", id="one-seq-for-node-and-device"),
        pytest.param(NeverGoesRound, "has seq 256, not 0", id="seq-goes-round"),
        pytest.param(CountsOnAfterABirth, "NBIRTH has seq", id="a-birth-begins-at-0"),
        pytest.param(BornWithTheNewsAlone, "which its birth did not name", id="a-birth-names-all"),
        pytest.param(DeviceUnborn, "DDATA before its birth", id="birth-before-data"),
        pytest.param(OneLife, "before its birth", id="bd-seq-of-each-life"),
    ],
)
def test_a_host_finds_out_the_guard_taken_out(kind: type[EdgeNode], says: str) -> None:
    _, host = a_life(kind)

    assert [wrong for wrong in host.wrong if says in wrong]


def test_without_a_number_of_its_own_for_each_life_a_late_will_ends_the_living() -> None:
    reborn, _ = a_life(OneLife)

    assert not reborn


def test_a_will_without_the_number_of_its_birth_leaves_the_dead_alive() -> None:
    _, host = a_life(DiesUnderAnotherNumber)

    assert host.online


def test_without_its_memory_of_slots_a_part_said_again_counts_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """I5."""
    counted = []
    for most in (monitor.rules.sparkplug.REMEMBERED, 0):
        monkeypatch.setattr(monitor.rules.sparkplug, "REMEMBERED", most)
        node = EdgeNode(bd_seq=0)
        for slot in (1, 2, 1, 2):
            node.hears(a_disposition(slot))
        counted += [metric.value for metric in node.news()[0].metrics if metric.name == "Parts/Passed"]

    assert counted == [2, 4]


def test_i7_without_its_cap_the_memory_of_slots_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    for most in (10, 10**9):
        monkeypatch.setattr(monitor.rules.sparkplug, "REMEMBERED", most)
        node = EdgeNode(bd_seq=0)
        for slot in range(100):
            node.hears(a_disposition(slot))
        kept.append(len(node._disposed))

    assert kept == [10, 100]
