"""No frame is lost with its worker: every frame offered is answered, or given up with a reason, in time."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.bus.leases import Leases
from monitor.messages import FrameId, Reason
from tests.monitor.builders import MS, a_frame

LEASE_NS, P99_MS = 200 * MS, 50.0


class Trusting(Leases):
    """The guard taken out: a lease never ends by itself."""

    def expired(self, now_ns: int) -> list[tuple[FrameId, Reason]]:
        return []


def some_leases(kind: type[Leases] = Leases, backlog: int = 4) -> Leases:
    leases = kind(lease_ns=LEASE_NS, backlog=backlog)
    leases.credit("a", p99_ms=P99_MS, serves=1, now_ns=0)
    return leases


def test_a_frame_goes_to_a_worker_with_a_credit_and_the_credit_is_used() -> None:
    leases = some_leases()

    leases.offer(a_frame(1), due_ns=0, now_ns=0)
    leases.offer(a_frame(2), due_ns=0, now_ns=0)

    assert leases.assign(1) == [("a", a_frame(1), 1)]
    assert leases.assign(1) == []


def test_there_is_room_for_one_frame_beside_the_one_at_work() -> None:
    leases = some_leases()

    rooms = []
    for seq in (1, 2):
        rooms.append(leases.room(0))
        leases.offer(a_frame(seq), due_ns=0, now_ns=0)
        leases.assign(0)

    assert rooms == [1, 1]
    assert leases.room(0) == 0


def test_a_credit_said_before_the_frame_arrived_is_no_second_one() -> None:
    leases = some_leases()
    leases.offer(a_frame(1), due_ns=0, now_ns=0)
    leases.assign(1)

    leases.credit("a", p99_ms=P99_MS, serves=1, now_ns=2)
    leases.offer(a_frame(2), due_ns=0, now_ns=3)

    assert leases.assign(3) == []


def test_a_dead_worker_s_frame_gets_a_second_attempt_at_once() -> None:
    leases = some_leases()
    leases.offer(a_frame(1), due_ns=0, now_ns=0)
    leases.assign(0)

    given_up = leases.gone("a", 1)
    leases.credit("b", p99_ms=P99_MS, serves=1, now_ns=2)

    assert given_up == []
    assert leases.assign(2) == [("b", a_frame(1), 2)]


def test_a_lease_ends_at_its_time_and_the_late_token_has_no_effect() -> None:
    leases = some_leases()
    leases.offer(a_frame(1), due_ns=0, now_ns=0)
    leases.assign(0)

    leases.expired(LEASE_NS)
    leases.credit("b", p99_ms=P99_MS, serves=1, now_ns=LEASE_NS)
    second = leases.assign(LEASE_NS)
    leases.done(a_frame(1), 1, "a")

    assert second == [("b", a_frame(1), 2)]
    assert leases.gone("b", LEASE_NS + 1) == [(a_frame(1), Reason.NO_ANSWER)]


def test_a_lease_lasts_as_long_as_the_worker_needs() -> None:
    leases = Leases(lease_ns=LEASE_NS, backlog=4)
    leases.credit("slow", p99_ms=300.0, serves=2, now_ns=0)
    leases.offer(a_frame(1), due_ns=0, now_ns=0)
    leases.assign(0)

    assert leases.expired(899 * MS) == []
    leases.expired(900 * MS)
    leases.credit("fast", p99_ms=1.0, serves=1, now_ns=900 * MS)
    assert leases.assign(900 * MS) == [("fast", a_frame(1), 2)]


def test_there_is_no_second_attempt_that_would_come_too_late() -> None:
    leases = some_leases()
    leases.credit("b", p99_ms=P99_MS, serves=1, now_ns=0)
    leases.offer(a_frame(1), due_ns=100 * MS, now_ns=0)
    [(worker, _, _)] = leases.assign(0)

    given_up = leases.gone(worker, 60 * MS)

    assert given_up == [(a_frame(1), Reason.NO_ANSWER)]


def test_a_frame_that_kills_two_workers_is_poison() -> None:
    leases = some_leases()
    leases.offer(a_frame(1), due_ns=0, now_ns=0)
    leases.assign(0)
    leases.gone("a", 1)
    leases.credit("b", p99_ms=P99_MS, serves=1, now_ns=1)
    leases.assign(1)

    assert leases.gone("b", 2) == [(a_frame(1), Reason.POISON)]


@pytest.mark.parametrize(
    ("heard", "reason"),
    [pytest.param(True, Reason.OVERLOAD, id="busy"), pytest.param(False, Reason.NO_WORKER, id="nobody")],
)
def test_past_the_backlog_the_newest_goes(heard: bool, reason: Reason) -> None:
    leases = some_leases(backlog=2) if heard else Leases(lease_ns=LEASE_NS, backlog=2)
    if heard:
        leases.offer(a_frame(9), due_ns=0, now_ns=0)
        leases.assign(0)

    taken = [leases.offer(a_frame(seq), due_ns=0, now_ns=1) for seq in (1, 2, 3)]

    assert taken == [None, None, reason]


def test_a_hung_worker_s_credit_grows_stale() -> None:
    leases = some_leases()
    leases.offer(a_frame(1), due_ns=0, now_ns=0)

    assert leases.assign(1_000 * MS) == []


def test_a_worker_that_is_not_there_costs_no_attempt() -> None:
    leases = some_leases()
    leases.offer(a_frame(1), due_ns=0, now_ns=0)
    leases.assign(0)

    leases.unsent(a_frame(1), 1)
    leases.credit("b", p99_ms=P99_MS, serves=1, now_ns=2)

    assert leases.assign(2) == [("b", a_frame(1), 1)]


@dataclass
class Bench:
    """Frames offered to workers of whom some never answer."""

    leases: Leases
    ended: set[FrameId] = field(default_factory=set)
    now_ns: int = 0

    def step(self, deaf: set[str], frame: FrameId | None) -> None:
        self.now_ns += 50 * MS
        for worker in ("a", "b"):
            self.leases.credit(worker, p99_ms=P99_MS, serves=1, now_ns=self.now_ns)
        if frame and self.leases.offer(frame, due_ns=self.now_ns + 900 * MS, now_ns=self.now_ns):
            self.ended.add(frame)
        self.ended |= {given_up for given_up, _ in self.leases.expired(self.now_ns)}
        for worker, lent, attempt in self.leases.assign(self.now_ns):
            if worker not in deaf:
                self.leases.done(lent, attempt, worker)
                self.ended.add(lent)


def all_end(kind: type[Leases], deafness: list[set[str]]) -> None:
    """Whoever falls silent when, each frame is answered or given up."""
    bench = Bench(some_leases(kind))
    for seq, deaf in enumerate(deafness, start=1):
        bench.step(deaf, a_frame(seq))
    for _ in range(40):
        bench.step(set(), None)

    assert bench.ended == {a_frame(seq) for seq in range(1, len(deafness) + 1)}


@given(st.lists(st.sets(st.sampled_from(["a", "b"])), max_size=30))
@settings(max_examples=200, deadline=None)
def test_every_frame_ends(deafness: list[set[str]]) -> None:
    all_end(Leases, deafness)


def test_without_an_end_of_leases_frames_are_lost() -> None:
    with pytest.raises(AssertionError):
        all_end(Trusting, [{"a", "b"}] * 3)
