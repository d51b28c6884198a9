"""A lag is as old as the oldest row that a store lacks; a store that fails is asked less and less often."""

from storage.breaker import MOST_S, Breaker
from storage.lag import MARKS_MOST, LagClock


def test_the_oldest_row_that_is_missing_tells_the_age() -> None:
    clock = LagClock()
    for row in range(1, 11):
        clock.saw(row, now_s=float(row))

    assert clock.seconds(0, 20.0) == 19.0
    assert clock.seconds(4, 20.0) == 15.0
    assert clock.seconds(10, 20.0) == 0.0


def test_a_long_outage_is_remembered_in_little_and_told_nearly() -> None:
    clock = LagClock()
    for row in range(1, 50_001):
        clock.saw(row, now_s=float(row))

    assert len(clock._marks) <= MARKS_MOST
    assert clock.seconds(0, 50_000.0) == 49_999.0
    assert abs(clock.seconds(25_000, 50_000.0) - 25_000.0) < 200.0


def test_a_breaker_opens_for_longer_each_time_and_an_answer_closes_it() -> None:
    breaker = Breaker()
    waits = []
    for _ in range(6):
        breaker.failed(100.0)
        waits.append(round(breaker.wait_s(100.0), 3))

    assert waits == [0.2, 0.4, 0.8, 1.6, MOST_S, MOST_S]
    assert breaker.wait_s(102.0) == 0.0  # half-open: one may ask
    breaker.answered()
    assert breaker.wait_s(100.0) == 0.0
    breaker.failed(200.0)
    assert round(breaker.wait_s(200.0), 3) == 0.2
