"""No part leaves on another part's PASS, whatever order triggers, counts and orders come in, and however it slips."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.messages import Outcome
from monitor.rules.slots import EVERYTHING_ELSE, Passage, SlotTracker, Taken, Tracking
from tests.monitor.rules.test_slots import NOT_INSPECTED, ONE_GATE, PASS, PITCH, REJECT, SENSOR, WAY, WITH_SENSOR


@dataclass(kw_only=True)
class Thing:
    """A part as it lies on the belt, whatever anybody counts."""

    slots: list[int]  # the numbers under which it was triggered: none, one, or two
    x: int  # from the lens


@dataclass(kw_only=True)
class World:
    """Belt, parts and gate; the encoder may disagree with where the parts are."""

    tracker: SlotTracker
    encoder: int = 0
    slot: int = 0
    things: list[Thing] = field(default_factory=list)
    ordered: dict[int, list[Outcome]] = field(default_factory=dict)
    released: list[Thing] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)

    def feed(self, *, triggers: int) -> None:
        if any(abs(thing.x) < PITCH for thing in self.things):
            return  # there is no room for another
        thing = Thing(slots=[], x=0)
        self.things.append(thing)
        for _ in range(triggers):
            self.slot += 1
            thing.slots.append(self.slot)
            self.tracker.trigger(self.slot, self.encoder)

    def run(self, counts: int, *, slips: bool) -> None:
        step = 1 if counts > 0 else -1
        for n in range(abs(counts)):
            self.encoder += step
            moved = 0 if slips and n % 2 else step
            for thing in self.things:
                thing.x += moved
            if moved > 0:
                for thing in self.things:
                    if thing.x == SENSOR:
                        self.tracker.detected(self.encoder)
            self.passages += self.tracker.move(self.encoder)
            at_gate = [thing for thing in self.things if thing.x == WAY and moved > 0]
            for thing in at_gate:
                if self.tracker.lets_through(self.encoder)["scrap"]:
                    self.released.append(thing)
                else:
                    self.things.remove(thing)

    def order(self, back: int, outcome: Outcome) -> None:
        slot = self.slot - back
        if self.tracker.order(slot, outcome) is not Taken.UNKNOWN:
            self.ordered.setdefault(slot, []).append(outcome)

    def wrongly_released(self) -> list[Thing]:
        """Parts that went on without a PASS of their own."""
        return [thing for thing in self.released if not any(PASS in self.ordered.get(slot, []) for slot in thing.slots)]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("feed"), st.sampled_from([1, 1, 1, 1, 0, 2])),
        st.tuples(st.just("run"), st.integers(1, 40)),
        st.tuples(st.just("run"), st.integers(-30, -1)),
        st.tuples(st.just("slip"), st.integers(2, 30)),
        st.tuples(st.just("order"), st.tuples(st.integers(0, 6), st.sampled_from(Outcome))),
    ),
    max_size=60,
)
SLIPPED_BY_A_PITCH: list[tuple[str, Any]] = [
    ("feed", 1), ("run", 12), ("feed", 1), ("order", (0, PASS)), ("slip", 24), ("run", 60)
]  # fmt: skip
NEVER_TRIGGERED: list[tuple[str, Any]] = [("feed", 1), ("order", (0, PASS)), ("run", 12), ("feed", 0), ("run", 80)]


def played(steps: list[tuple[str, Any]], tracking: Tracking, *, slips: bool) -> World:
    world = World(tracker=SlotTracker(tracking))
    for step, what in steps:
        match step:
            case "feed":
                world.feed(triggers=what)
            case "run":
                world.run(what, slips=False)
            case "slip" if slips:
                world.run(what, slips=True)
            case "order":
                world.order(*what)
    return world


@given(steps=STEPS)
@example(steps=NEVER_TRIGGERED)
@settings(max_examples=300, deadline=None)
def test_row_55_no_part_leaves_on_another_parts_pass(steps: list[tuple[str, Any]]) -> None:
    world = played(steps, ONE_GATE, slips=False)

    assert world.wrongly_released() == []


@given(steps=STEPS)
@example(steps=SLIPPED_BY_A_PITCH)
@example(steps=NEVER_TRIGGERED)
@settings(max_examples=300, deadline=None)
def test_row_15_with_a_sensor_a_slipping_belt_releases_no_part_on_another_parts_pass(
    steps: list[tuple[str, Any]],
) -> None:
    world = played(steps, WITH_SENSOR, slips=True)

    assert world.wrongly_released() == []


@given(steps=STEPS)
@settings(max_examples=200, deadline=None)
def test_each_slot_ends_once_and_is_let_through_by_its_own_pass_alone(steps: list[tuple[str, Any]]) -> None:
    world = played(steps, ONE_GATE, slips=False)

    slots = [passage.slot for passage in world.passages]
    assert len(slots) == len(set(slots))
    through = [passage.slot for passage in world.passages if passage.diverted_at is None]
    assert all(PASS in world.ordered.get(slot, []) for slot in through)
    assert len(slots) + len(world.tracker) == world.slot


@pytest.mark.parametrize(
    ("taken_out", "stub", "steps"),
    [
        pytest.param("_look_for_missing", lambda *_: None, SLIPPED_BY_A_PITCH, id="missing-parts-are-no-fault"),
        pytest.param("detected", lambda *_: None, SLIPPED_BY_A_PITCH, id="blind-sensor"),
    ],
)
def test_without_the_guard_a_part_leaves_on_another_parts_pass(
    taken_out: str, stub: Callable[..., None], steps: list[tuple[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = played(steps, WITH_SENSOR, slips=True)
    monkeypatch.setattr(SlotTracker, taken_out, stub)
    if taken_out == "detected":
        monkeypatch.setattr(SlotTracker, "_look_for_missing", stub)

    broken = played(steps, WITH_SENSOR, slips=True)

    assert guarded.wrongly_released() == []
    assert broken.wrongly_released()


def test_without_the_default_an_unordered_part_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[tuple[str, Any]] = [("feed", 1), ("run", 80)]
    monkeypatch.setattr("monitor.rules.slots.Tag.passes", property(lambda tag: tag.ordered in (None, PASS)))

    assert played(steps, ONE_GATE, slips=False).wrongly_released()
    assert {REJECT, NOT_INSPECTED} == EVERYTHING_ELSE
