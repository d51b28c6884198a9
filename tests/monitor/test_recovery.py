"""What an earlier process left open is settled before anything new is accepted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import pytest

from monitor.bus.wire import Ears, Puller
from monitor.lifeline import Lifeline
from monitor.messages import AnyMessage, Reason
from monitor.recovery import OpenPass, Recovered, SourceBehind, recover
from monitor.rows import RunBody
from tests.monitor.builders import PROVENANCE, a_captured, a_counter, a_station


@dataclass
class Memory:
    """A journal's memory, made up."""

    runs: set[str] = field(default_factory=set)
    missing: list[int] = field(default_factory=list)
    last: int = 0
    passes: list[OpenPass] = field(default_factory=list)

    def has_run(self, run: str) -> bool:
        return run in self.runs

    def missing_slots(self, camera: str) -> tuple[list[int], int]:
        return self.missing, self.last

    def open_passes(self) -> list[OpenPass]:
        return self.passes


@dataclass
class Heard:
    """An inlet, its poller and a rope that nobody cuts."""

    said: list[AnyMessage]
    cut: bool = False

    def wait(self, timeout_ms: float) -> None:
        del timeout_ms
        self.cut = not self.said  # a test that waits in vain ends

    def messages(self) -> Iterator[tuple[AnyMessage, dict[str, bytes]]]:
        said, self.said = self.said, []
        return ((message, {}) for message in said)


def recovered(memory: Memory, *said: AnyMessage) -> Recovered | None:
    heard = Heard(list(said))
    return recover(
        cast("Lifeline", heard),
        a_station(),
        PROVENANCE,
        memory,
        ears=cast("Ears", heard),
        inlet=cast("Puller", heard),
        config="{}",
    )


def test_triggers_that_nobody_closed_are_recovered() -> None:
    found = recovered(Memory(missing=[7], last=9), a_counter(12))

    assert found is not None
    assert [gap.slot for gap in found.gaps] == [7, 10, 11, 12]
    assert {gap.reason for gap in found.gaps} == {Reason.RECOVERED}
    assert found.closed_to == {"head": 12}


def test_a_run_has_one_row_and_says_where_it_began() -> None:
    first = recovered(Memory(), a_counter(12))
    again = recovered(Memory(runs={PROVENANCE.run}), a_counter(12))

    assert first is not None
    assert first.run_row is not None
    assert isinstance(first.run_row.body, RunBody)
    assert first.run_row.body.first_slots == {"head": 13}
    assert first.run_row.body.recovered == 12
    assert again is not None
    assert again.run_row is None


def test_a_source_that_counts_from_further_back_is_refused() -> None:
    with pytest.raises(SourceBehind, match="has counted to 3, the journal has slot 9"):
        recovered(Memory(last=9), a_counter(3))


def test_what_came_while_it_waited_is_kept() -> None:
    captured = a_captured(1)

    found = recovered(Memory(), captured, a_counter(0))

    assert found is not None
    assert [message for message, _ in found.backlog] == [captured, a_counter(0)]


def test_it_waits_for_the_source_of_every_camera() -> None:
    assert recovered(Memory(), a_captured(1)) is None


def test_passes_without_the_gate_s_word_come_back_by_slot() -> None:
    open_pass = OpenPass(seq=5, frame="rail-03/head/1/000003", camera="head", slot=3, at_count=15_000)

    found = recovered(Memory(last=3, passes=[open_pass]), a_counter(3))

    assert found is not None
    assert found.open_passes == {3: [open_pass]}
