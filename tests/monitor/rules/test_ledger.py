"""One verdict for each trigger, whatever is lost, doubled, late or out of order on the way."""

from collections import Counter as Bag
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.messages import Reason
from monitor.rules.belt import BeltClock
from monitor.rules.ledger import Closing, Ledger, Open
from tests.monitor.builders import MODEL, MS, OTHER_MODEL, a_captured, a_counter, a_frame, a_segmentation, a_station

SLOTS = 6
FAR_NS = 10_000 * MS  # past every deadline


class Forgetful(Ledger):
    """The guard taken out: it does not remember what it has closed."""

    def is_closed(self, camera: str, slot: int) -> bool:
        return False


def a_ledger(kind: type[Ledger] = Ledger) -> Ledger:
    return kind("rail-03", {"head": 0}, BeltClock(a_station()), MODEL)


@dataclass
class History:
    """What a ledger was told, and what it closed."""

    ledger: Ledger
    closed: list[Closing] = field(default_factory=list)

    def captured(self, slot: int) -> None:
        self._keep(self.ledger.captured(a_captured(slot), {}))

    def refused(self, slot: int) -> None:
        self._keep(self.ledger.captured(a_captured(slot, refusal=Reason.OVERLOAD), {}))

    def segmented(self, slot: int) -> None:
        self._keep(self.ledger.segmented(a_segmentation(slot), {}, now_ns=0))

    def foreign(self, slot: int) -> None:
        self._keep(self.ledger.segmented(a_segmentation(slot, model=OTHER_MODEL), {}, now_ns=0))

    def counted(self, slot: int) -> None:
        self.ledger.counted(a_counter(slot), now_ns=0)

    def overdue(self, slot: int) -> None:
        del slot
        for closing in self.ledger.overdue(now_ns=FAR_NS):
            self._keep(closing)

    def _keep(self, closing: Closing | None) -> None:
        if closing:
            self.closed.append(closing)


TOLD: list[Callable[[History, int], None]] = [
    History.captured,
    History.refused,
    History.segmented,
    History.foreign,
    History.counted,
    History.overdue,
]
TALE = st.lists(st.tuples(st.sampled_from(TOLD), st.integers(1, SLOTS)), max_size=60)


def once_each(tale: Sequence[tuple[Callable[[History, int], None], int]], kind: type[Ledger]) -> None:
    """Every trigger that the source counted is closed exactly once, and no slot twice."""
    history = History(a_ledger(kind))
    for tell, slot in tale:
        tell(history, slot)
    history.counted(SLOTS)
    history.overdue(0)

    assert Bag(closing.slot for closing in history.closed) == dict.fromkeys(range(1, SLOTS + 1), 1)
    assert len(history.ledger) == 0


@given(TALE)
@settings(max_examples=300, deadline=None)
def test_each_trigger_is_closed_once(tale: list[tuple[Callable[[History, int], None], int]]) -> None:
    once_each(tale, Ledger)


def test_without_its_memory_the_ledger_closes_twice() -> None:
    twice = [(History.refused, 1), (History.refused, 1)]

    with pytest.raises(AssertionError):
        once_each(twice, Forgetful)


def test_an_answer_may_overtake_its_announcement() -> None:
    history = History(a_ledger())

    history.segmented(1)
    history.captured(1)

    assert [(c.slot, c.reason, c.frame) for c in history.closed] == [(1, None, a_frame(1))]


def test_the_first_answer_counts() -> None:
    ledger = a_ledger()
    ledger.segmented(a_segmentation(1, refusal=Reason.MODEL_NAN), {}, now_ns=0)
    ledger.segmented(a_segmentation(1), {}, now_ns=0)

    closing = ledger.captured(a_captured(1), {})

    assert closing is not None
    assert closing.reason is Reason.MODEL_NAN


def test_an_answer_of_another_model_is_without_effect() -> None:
    history = History(a_ledger())

    history.captured(1)
    history.foreign(1)

    assert history.closed == []


def test_an_answer_of_another_epoch_is_without_effect() -> None:
    ledger = a_ledger()
    ledger.segmented(a_segmentation(1, epoch=1), {}, now_ns=0)

    closing = ledger.captured(a_captured(1, epoch=2), {})

    assert closing is None
    assert len(ledger) == 1


def test_a_trigger_that_no_camera_announced_has_no_camera() -> None:
    history = History(a_ledger())

    history.counted(2)
    history.overdue(0)

    assert [(c.reason, c.frame.epoch, c.frame.seq) for c in history.closed] == [
        (Reason.NO_CAMERA, 0, 1),
        (Reason.NO_CAMERA, 0, 2),
    ]


def test_an_announced_frame_without_answer_is_closed_when_it_is_due() -> None:
    belt = BeltClock(a_station())
    ledger = Ledger("rail-03", {"head": 0}, belt, MODEL)
    ledger.captured(a_captured(1, at_count=1000), {})
    due = 1000 + (2400 - 150) * 25  # ms to the gate less actuation's, times 25 counts/ms

    belt.hear(a_counter(1, count=due - 1, at_ns=1))
    before = ledger.overdue(now_ns=1)
    belt.hear(a_counter(1, count=due, at_ns=2))
    after = ledger.overdue(now_ns=2)

    assert before == []
    assert [closing.reason for closing in after] == [Reason.NO_ANSWER]


def test_nothing_is_due_while_the_belt_stands() -> None:
    belt = BeltClock(a_station())
    ledger = Ledger("rail-03", {"head": 0}, belt, MODEL)
    ledger.captured(a_captured(1, at_count=1000), {})

    belt.hear(a_counter(1, count=2000, counts_per_s=0.0, at_ns=1))

    assert ledger.overdue(now_ns=FAR_NS) == []


def test_a_held_line_closes_what_still_comes() -> None:
    history = History(a_ledger())
    history.ledger.held = True

    history.captured(1)

    assert [closing.reason for closing in history.closed] == [Reason.HELD]


def test_what_recovery_closed_is_not_opened_again() -> None:
    ledger = Ledger("rail-03", {"head": 7}, BeltClock(a_station()), MODEL)

    closing = ledger.captured(a_captured(7), {})

    assert closing is None
    assert len(ledger) == 0
    assert ledger.is_closed("head", 7)


def test_open_entries_keep_the_pictures_of_both_messages() -> None:
    ledger = a_ledger()
    ledger.segmented(a_segmentation(1), {"crop-0": b"crop"}, now_ns=0)

    closing = ledger.captured(a_captured(1), {"frame": b"frame"})

    assert closing is not None
    assert closing.payload == {"crop-0": b"crop", "frame": b"frame"}
    assert Open(camera="head", slot=1, since_ns=0, at_count=None).payload == {}
