"""An edge node's life in its right order: born with all, counted by seq, dead under the number of its birth."""

import pytest

import monitor.rules.sparkplug
from monitor.messages import Actuated, Alarm, Counter, Disposition, Gate, Hold, Outcome, Reason
from monitor.rules.sparkplug import BD_SEQ, GATE_METRICS, NODE_METRICS, REBIRTH, EdgeNode, Report, Verb


def a_disposition(slot: int, outcome: Outcome = Outcome.PASS) -> Disposition:
    reason = Reason.DARK if outcome is Outcome.NOT_INSPECTED else None
    return Disposition(slot=slot, outcome=outcome, reason=reason, due_count=None)


def a_counter(triggers: int, *, encoder: int | None = 5) -> Counter:
    return Counter(cameras=(), trigger_count=triggers, encoder_count=encoder, counts_per_s=2.5, at_ns=1)


def an_alarm(name: str) -> Alarm:
    return Alarm(key=name, name=name, about="plc", text="why", raised_at=1)


def values(report: Report) -> dict[str, object]:
    return {metric.name: metric.value for metric in report.metrics}


def shape(reports: list[Report]) -> list[tuple[Verb, int | None]]:
    return [(report.verb, report.seq) for report in reports]


def test_it_is_born_with_every_metric_and_the_number_of_its_will() -> None:
    node = EdgeNode(bd_seq=7)

    (birth,) = node.births()

    assert (birth.verb, birth.seq) == (Verb.NBIRTH, 0)
    assert set(values(birth)) == {BD_SEQ, REBIRTH, *NODE_METRICS}
    assert values(birth)[BD_SEQ] == values(node.will())[BD_SEQ] == 7
    assert node.will().seq is None


def test_the_gate_is_a_device_that_is_born_with_its_first_count_and_dies_with_its_controller() -> None:
    node = EdgeNode(bd_seq=0)
    node.births()
    node.hears(a_counter(3, encoder=-4))
    (born,) = node.news()
    node.hears(an_alarm("plc.lost"))
    lost = node.news()
    node.hears(an_alarm("plc.back"))
    back = node.news()

    assert (born.verb, born.device, born.seq) == (Verb.DBIRTH, "gate", 1)
    assert set(values(born)) == set(GATE_METRICS)
    assert values(born)["Encoder"] == -4
    assert shape(lost) == [(Verb.NDATA, 2), (Verb.DDEATH, 3)]
    assert values(lost[0])["Line/Fault"] is True
    assert shape(back) == [(Verb.NDATA, 4), (Verb.DBIRTH, 5)]
    assert shape(node.births()) == [(Verb.NBIRTH, 0), (Verb.DBIRTH, 1)]


def test_only_what_has_changed_is_news_and_nothing_said_twice_counts_twice() -> None:
    """I5."""
    node = EdgeNode(bd_seq=0)
    node.births()
    for _ in range(2):
        node.hears(a_disposition(1))
        node.hears(a_disposition(2, Outcome.NOT_INSPECTED))
    (news,) = node.news()

    assert values(news) == {
        "Parts/Passed": 1,
        "Parts/Not Inspected": 1,
        "Part/Slot": 2,
        "Part/Outcome": "NOT_INSPECTED",
        "Part/Reason": "dark",
    }
    assert node.news() == []


def test_what_the_gate_did_is_counted_by_slot() -> None:
    node = EdgeNode(bd_seq=0)
    node.hears(a_counter(2))
    node.births()
    for slot, gate, late_ms, seen in ((1, Gate.RELEASED, 0.0, True), (2, Gate.REJECTED, 3.0, True)) * 2:
        node.hears(Actuated(slot=slot, outcome=None, gate=gate, at_count=1, late_ms=late_ms, seen=seen))
    (news,) = node.news()

    assert values(news) == {"Released": 1, "Rejected": 1, "Late": 1, "Escaped": 1}


def test_hold_alarms_and_what_was_dropped_are_told() -> None:
    node = EdgeNode(bd_seq=0)
    node.births()
    node.hears(Hold(reason="dark"))
    node.hears(an_alarm("plc.restarted"))
    node.dropped(4)
    (news,) = node.news()

    assert values(news) == {
        "Line/Hold": True,
        "Line/Hold Reason": "dark",
        "Alarms/Raised": 1,
        "Alarms/Last": "plc.restarted: why",
        "Line/Dropped": 4,
    }


def test_seq_and_bd_seq_go_round_at_256() -> None:
    node = EdgeNode(bd_seq=255)
    node.births()
    seqs = []
    for slot in range(1, 300):
        node.hears(a_disposition(slot))
        seqs += [report.seq for report in node.news()]
    node.next_life()

    assert seqs == [n % 256 for n in range(1, 300)]
    assert node.bd_seq == 0


def test_what_is_remembered_has_a_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    """I7."""
    monkeypatch.setattr(monitor.rules.sparkplug, "REMEMBERED", 10)
    node = EdgeNode(bd_seq=0)
    for slot in range(100):
        node.hears(a_disposition(slot))

    assert len(node._disposed) == 10
