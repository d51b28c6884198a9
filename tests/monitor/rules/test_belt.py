"""The encoder says when a part is due; without one a fixed transit time does, and the start says so."""

import pytest

from config.station import Station
from config.timing import transit_text, verdict_due_ms
from monitor.dispositions import UNCONFIRMED_NS, Dispositions, Pending
from monitor.messages import Outcome
from monitor.rules.belt import SILENT_NS, BeltClock
from monitor.rules.parts import PartOutcome
from tests.monitor.builders import a_counter, a_station

MS = 1_000_000


def a_line(*, encoder: bool) -> Station:
    station = a_station()
    assert station.belt is not None
    return station.model_copy(update={"belt": station.belt.model_copy(update={"encoder": encoder})})


def a_clock(station: Station, *, counts_per_s: float) -> BeltClock:
    clock = BeltClock(station)
    clock.hear(a_counter(1, count=0, counts_per_s=counts_per_s, at_ns=0))
    return clock


@pytest.mark.parametrize(
    ("encoder", "overdue"),
    [
        pytest.param(True, False, id="row-58-an-encoder-freezes-with-the-belt"),
        pytest.param(False, True, id="a-clock-does-not"),
    ],
)
def test_on_a_belt_that_stands_only_a_clock_runs_out(encoder: bool, overdue: bool) -> None:
    station = a_line(encoder=encoder)
    clock = a_clock(station, counts_per_s=0.0)

    late_ns = round(verdict_due_ms(station) * MS) + 1

    assert clock.overdue(at_count=0, since_ns=0, now_ns=late_ns) is overdue


class AlwaysHeard(BeltClock):
    """The guard taken out: the belt is taken to go on while nobody says so."""

    def is_heard(self, now_ns: int) -> bool:
        return True


@pytest.mark.parametrize("encoder", [True, False])
def test_a_disposition_that_the_gate_never_answers_is_lost_past_the_gate(encoder: bool) -> None:
    station = a_line(encoder=encoder)
    assert station.belt is not None
    dispositions = a_pass(BeltClock(station))
    way_ns = round(station.belt.way_ms * MS)

    before, first, lost = (
        lost_at(dispositions, ns) for ns in (way_ns - MS, way_ns + MS, way_ns + UNCONFIRMED_NS + 2 * MS)
    )

    assert (before, first) == ([], [])
    assert [pending.disposition.slot for pending in lost] == [1]
    assert (lost[0].disposition.due_count is None) is not encoder


@pytest.mark.parametrize(
    ("kind", "away"),
    [pytest.param(BeltClock, [], id="row-54-guarded"), pytest.param(AlwaysHeard, [1], id="guard-taken-out")],
)
def test_what_a_plc_that_is_away_has_done_is_not_lost_before_it_can_say(kind: type[BeltClock], away: list[int]) -> None:
    """I13: no clock stands in for the encoder."""
    station = a_station()
    assert station.belt is not None
    dispositions = a_pass(kind(station))
    way_ns = round(station.belt.way_ms * MS)
    minute_ns = 60_000 * MS

    lost_at(dispositions, way_ns + MS)  # and then it is gone
    lost = [
        pending.disposition.slot
        for ns in (SILENT_NS + 2 * MS, minute_ns)
        for pending in dispositions.lost(way_ns + MS + ns)
    ]
    back = [lost_at(dispositions, way_ns + minute_ns + ns) for ns in (MS, UNCONFIRMED_NS, UNCONFIRMED_NS + 2 * MS)]

    assert lost == away
    assert [len(each) for each in back] == ([0, 0, 0] if away else [0, 0, 1])  # it is there, and does not say


def a_pass(clock: BeltClock) -> Dispositions:
    """Of a part that was triggered at 0."""
    dispositions = Dispositions(belt=clock)
    part = PartOutcome(slot=1, outcome=Outcome.PASS, reason=None, at_count=0)
    dispositions.give(part, {}, resumed=False, now_s=0.0)
    return dispositions


def lost_at(dispositions: Dispositions, now_ns: int) -> list[Pending]:
    """When the encoder of a belt that ran all the time has just spoken."""
    dispositions.belt.hear(a_counter(1, count=25 * now_ns // MS, counts_per_s=25_000.0, at_ns=now_ns))
    return dispositions.lost(now_ns)


def test_a_station_without_an_encoder_says_so() -> None:
    assert transit_text(a_line(encoder=True)) == ""
    assert "2400 ms after their trigger" in transit_text(a_line(encoder=False))
