"""The encoder says when a part is due; without one a fixed transit time does, and the start says so."""

import pytest

from config.station import Station
from config.timing import transit_text, verdict_due_ms
from monitor.dispositions import UNCONFIRMED_NS, Dispositions
from monitor.messages import Outcome
from monitor.rules.belt import BeltClock
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


@pytest.mark.parametrize("encoder", [True, False])
def test_a_disposition_that_the_gate_never_answers_is_lost_past_the_gate(encoder: bool) -> None:
    station = a_line(encoder=encoder)
    assert station.belt is not None
    dispositions = Dispositions(belt=a_clock(station, counts_per_s=station.belt.counts_per_s))
    part = PartOutcome(slot=1, outcome=Outcome.PASS, reason=None, at_count=0)
    dispositions.give(part, {}, resumed=False, now_s=0.0)

    way_ns = round(station.belt.way_ms * MS)
    before = dispositions.lost(way_ns - MS)
    first = dispositions.lost(way_ns + MS)
    lost = dispositions.lost(way_ns + UNCONFIRMED_NS + 2 * MS)

    assert (before, first) == ([], [])
    assert [pending.disposition.slot for pending in lost] == [1]
    assert (lost[0].disposition.due_count is None) is not encoder


def test_a_station_without_an_encoder_says_so() -> None:
    assert transit_text(a_line(encoder=True)) == ""
    assert "2400 ms after their trigger" in transit_text(a_line(encoder=False))
