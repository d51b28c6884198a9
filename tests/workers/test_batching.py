"""No frame comes late for a batch that alone would have been in time, and no frame waits for nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.messages import Frame, FrameId
from workers.batching import BATCH_MS_MOST, LATELY, SAVES_LEAST, Costs, Pace, plan, sizes

MS = 1_000_000
Planner = Callable[..., list[int]]


def a_held(due_ms: float = 0.0, *, seq: int = 1, attempt: int = 1) -> Frame:
    frame = FrameId(station="rail-03", camera=f"camera-{seq}", epoch=1, seq=seq)
    return Frame(frame=frame, slot=seq, attempt=attempt, due_ns=round(due_ms * MS))


def some_held(*due_ms: float) -> list[Frame]:
    return [a_held(due, seq=seq) for seq, due in enumerate(due_ms, start=1)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a worker holds at a moment, and what it knows of itself."""

    held: Sequence[Frame]
    now_ms: int
    most: int
    costs: Costs
    margin_ms: float

    def planned(self, planner: Planner = plan) -> list[int]:
        return planner(
            self.held,
            now_ns=self.now_ms * MS,
            most=self.most,
            cost_ms=self.costs.ms,
            margin_ms=self.margin_ms,
        )

    def in_time(self, i: int, n: int) -> bool:
        """Whether frame i, in a batch of n that begins now, leaves time for what comes after."""
        due_ns = self.held[i].due_ns
        return due_ns == 0 or self.now_ms * MS + (self.costs.ms(n) + self.margin_ms) * MS <= due_ns


@st.composite
def cases(draw: st.DrawFn) -> Case:
    measured = draw(st.dictionaries(st.integers(2, 16), st.floats(1, 400), max_size=4))
    dues = draw(st.lists(st.one_of(st.just(0), st.integers(1, 900)), min_size=1, max_size=12))
    attempts = draw(st.lists(st.sampled_from([1, 1, 1, 2]), min_size=len(dues), max_size=len(dues)))
    return Case(
        held=[a_held(due, seq=seq, attempt=attempts[seq - 1]) for seq, due in enumerate(dues, start=1)],
        now_ms=draw(st.integers(0, 500)),
        most=draw(st.integers(1, 16)),
        costs=Costs(
            measured_ms={1: draw(st.floats(1, 100))} | measured,
            slower=draw(st.floats(0.5, 3)),
            after_ms=draw(st.floats(0, 10)),
        ),
        margin_ms=draw(st.floats(0, 100)),
    )


def nobody_is_late_for_a_batch(case: Case, planner: Planner = plan) -> None:
    chosen = case.planned(planner)

    n = len(chosen)
    assert [i for i in chosen if case.in_time(i, 1) and not case.in_time(i, n)] == []


TIGHT = Case(held=some_held(100, 30), now_ms=0, most=2, costs=Costs(measured_ms={1: 20, 2: 35}), margin_ms=0)


@given(cases())
@example(TIGHT)
@settings(max_examples=500, deadline=None)
def test_a_batch_makes_no_frame_late_that_alone_would_be_in_time(case: Case) -> None:
    nobody_is_late_for_a_batch(case)


def greedy(held: Sequence[Frame], *, most: int, **_: object) -> list[int]:
    """The guard taken out: as many as there are, whenever they are due."""
    return sorted(range(len(held)), key=lambda i: held[i].due_ns)[:most]


def test_a_planner_that_does_not_ask_when_frames_are_due_makes_them_late() -> None:
    with pytest.raises(AssertionError):
        nobody_is_late_for_a_batch(TIGHT, greedy)


@given(cases())
@settings(max_examples=500, deadline=None)
def test_it_scores_at_least_one_and_in_the_order_in_which_they_are_due(case: Case) -> None:
    chosen = case.planned()

    dues = [case.held[i].due_ns or float("inf") for i in chosen]
    left = [case.held[i].due_ns or float("inf") for i in range(len(case.held)) if i not in chosen]
    assert 1 <= len(chosen) <= case.most
    assert len(set(chosen)) == len(chosen)
    assert dues == sorted(dues)
    assert not left or dues[-1] <= min(left)


@given(cases())
@settings(max_examples=500, deadline=None)
def test_a_batch_is_worth_its_wait_and_delays_nobody_outside_it(case: Case) -> None:
    n = len(case.planned())

    assert n == 1 or case.costs.ms(n) / n < case.costs.ms(1)
    assert case.costs.ms(n) <= n * case.costs.ms(1)  # when the next one begins, at the latest


@given(cases())
@settings(max_examples=500, deadline=None)
def test_no_larger_batch_would_have_done(case: Case) -> None:
    chosen = case.planned()

    order = sorted(range(len(case.held)), key=lambda i: case.held[i].due_ns or float("inf"))
    firsts = next((k for k, i in enumerate(order) if case.held[i].attempt > 1), len(order))
    for n in range(len(chosen) + 1, min(case.most, firsts) + 1):
        late = [i for i in order[:n] if not case.in_time(i, n)]
        assert late or case.costs.ms(n) > (1 - SAVES_LEAST) * n * case.costs.ms(1)


@pytest.mark.parametrize(
    ("due_ms", "most", "chosen"),
    [
        pytest.param((0, 0, 0, 0), 4, [0, 1, 2, 3], id="never-due-all-at-once"),
        pytest.param((0, 0, 0, 0), 3, [0, 1, 2], id="as-many-as-it-may"),
        pytest.param((0, 0), 1, [0], id="one-at-a-time"),
        pytest.param((900, 300, 600), 4, [1, 2, 0], id="by-due"),
        pytest.param((300, 300), 4, [0, 1], id="as-they-came"),
        pytest.param((200, 140, 300), 4, [1, 0], id="two-are-in-time-three-not"),
        pytest.param((200, 125, 300), 4, [1], id="no-time-for-a-second"),
        pytest.param((200, 5, 300), 4, [1], id="late-anyway"),
        pytest.param((0, 900), 4, [1, 0], id="what-is-never-due-comes-last"),
    ],
)
def test_plan(due_ms: tuple[float, ...], most: int, chosen: list[int]) -> None:
    costs = Costs(measured_ms={1: 20, 2: 30, 4: 50})

    found = plan(some_held(*due_ms), now_ns=100 * MS, most=most, cost_ms=costs.ms, margin_ms=5)

    assert found == chosen


def test_a_second_attempt_is_scored_alone_as_it_may_have_killed_its_first_worker() -> None:
    held = [a_held(900, seq=1), a_held(800, seq=2, attempt=2), a_held(700, seq=3), a_held(950, seq=4)]
    costs = Costs(measured_ms={1: 20, 4: 21})

    first = plan(held, now_ns=0, most=4, cost_ms=costs.ms, margin_ms=0)
    then = plan(held[:2] + held[3:], now_ns=0, most=4, cost_ms=costs.ms, margin_ms=0)

    assert (first, then) == ([2], [1])


@pytest.mark.parametrize(
    ("most", "measured"), [(1, []), (2, [2]), (4, [2, 4]), (6, [2, 4, 6]), (64, [2, 4, 8, 16, 32, 64])]
)
def test_sizes(most: int, measured: list[int]) -> None:
    assert sizes(most) == measured


def test_costs_lie_on_a_line_between_sizes_and_in_proportion_past_the_last() -> None:
    costs = Costs(measured_ms={1: 10, 2: 12, 4: 20}, slower=2.0, after_ms=1.0)

    assert [costs.net_ms(n) for n in (1, 2, 3, 4, 8)] == [10, 12, 16, 20, 40]
    assert costs.ms(3) == 2 * 16 + 3 * 1


def test_where_batches_were_not_measured_none_is_worth_it() -> None:
    costs = Costs(measured_ms={1: 10.1}, slower=1.3)

    assert plan(some_held(0, 0, 0), now_ns=0, most=3, cost_ms=costs.ms, margin_ms=0) == [0]


@pytest.mark.parametrize(
    ("single_ms", "pair_ms", "gains"),
    [
        pytest.param(10, 12, True, id="gain"),
        pytest.param(10, 19.9, False, id="noise"),
        pytest.param(BATCH_MS_MOST, 1.2 * BATCH_MS_MOST, False, id="silent-too-long"),
    ],
)
def test_only_sizes_that_are_a_gain_are_kept(single_ms: float, pair_ms: float, gains: bool) -> None:
    pace = Pace([single_ms])

    assert pace.measured(2, [pair_ms]) is gains
    assert pace.costs.most == (2 if gains else 1)
    assert pace.fps == pytest.approx(2000 / pair_ms if gains else 1000 / single_ms)


def test_a_machine_that_slows_down_is_seen_at_every_size() -> None:
    pace = Pace([10.0])
    pace.measured(2, [12.0])

    for _ in range(LATELY):
        pace.scored(1, 30.0)
        pace.answered(33.0, after_ms=3.0)

    assert pace.costs.ms(2) == pytest.approx(3 * 12 + 2 * 3)


def test_one_slow_batch_is_forgotten_though_no_other_is_scored() -> None:
    pace = Pace([10.0])
    pace.measured(2, [12.0])

    pace.scored(2, 500.0)
    at_once = pace.costs.ms(2)
    for _ in range(LATELY):
        pace.scored(1, 10.0)

    assert at_once > 400
    assert pace.costs.ms(2) == pytest.approx(12)


def test_a_lease_is_long_enough_for_a_batch_in_hand_and_one_s_own_whatever_came_lately() -> None:
    pace = Pace([10.0])
    pace.measured(4, [30.0])

    for _ in range(LATELY):
        pace.scored(1, 10.0)
        pace.answered(11.0, after_ms=1.0)

    cameras = 4
    assert pace.p99_ms == pytest.approx(30 + 4 * 1)
    assert (cameras + 1) * pace.p99_ms >= 2 * pace.costs.ms(4)


def test_without_batches_a_credit_says_what_answers_took() -> None:
    pace = Pace([10.0])

    for _ in range(LATELY):
        pace.scored(1, 10.0)
        pace.answered(11.0, after_ms=1.0)

    assert pace.p99_ms == pytest.approx(11)
