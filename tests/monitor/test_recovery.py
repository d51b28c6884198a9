"""What an earlier process left open is settled before anything new is accepted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import msgspec
import pytest

from monitor.bus.wire import Ears, Puller
from monitor.desk import Desk
from monitor.lifeline import Lifeline
from monitor.messages import AnyMessage, Outcome, Reason
from monitor.person import Person
from monitor.recovery import OpenPart, OpenVerdict, Recovered, SourceBehind, recover
from monitor.rows import AlarmBody, Journal, PersonBody, RunBody
from tests.monitor.builders import PROVENANCE, a_captured, a_counter, a_segmentation, a_station
from tests.monitor.test_said_until_answered import MemoryJournal, settled


@dataclass
class Memory:
    """A journal's memory, made up."""

    runs: set[str] = field(default_factory=set)
    missing: list[int] = field(default_factory=list)
    last: int = 0
    parts: list[OpenPart] = field(default_factory=list)
    last_started: RunBody | None = None
    undone: list[PersonBody] = field(default_factory=list)

    def has_run(self, run: str) -> bool:
        return run in self.runs

    def missing_slots(self, camera: str) -> tuple[list[int], int]:
        return self.missing, self.last

    def open_parts(self) -> list[OpenPart]:
        return self.parts

    def standing_alarms(self) -> list[AlarmBody]:
        return []

    def last_run(self) -> RunBody | None:
        return self.last_started

    def unrecorded(self) -> list[PersonBody]:
        return self.undone


@dataclass
class Heard:
    """An inlet, its poller and a rope that nobody cuts."""

    said: list[AnyMessage]
    cut: bool = False
    resumed: list[int] = field(default_factory=list)

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
        config='{"policy":{"min_region_mm2":4.0},"workers":1}',
        person=Person(who="kim", why="new recipe"),
        resume=heard.resumed.append,
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


def test_what_is_not_said_again_is_kept_while_it_waits() -> None:
    answer = a_segmentation(1)

    found = recovered(Memory(), a_captured(1), answer, a_counter(0))

    assert found is not None
    assert [message for message, _ in found.backlog] == [answer, a_counter(0)]


def test_it_waits_for_the_source_of_every_camera() -> None:
    assert recovered(Memory(), a_captured(1)) is None


def an_open_part(slot: int, *said: Outcome) -> OpenPart:
    cameras = ("head", "web")
    verdicts = tuple(
        OpenVerdict(seq=n, frame=f"rail-03/{camera}/1/{slot:06d}", camera=camera, outcome=outcome, reason=None)
        for n, (camera, outcome) in enumerate(zip(cameras, said, strict=False), start=1)
    )
    return OpenPart(slot=slot, at_count=15_000, verdicts=verdicts)


def a_desk(journal: Journal, *parts: OpenPart, cameras: int = 1) -> Desk:
    station = a_station()
    if cameras == 2:
        web = station.cameras[0].model_copy(update={"name": "web"})
        station = station.model_copy(update={"cameras": (station.cameras[0], web)})
    closed_to = {camera.name: 9 for camera in station.cameras}
    found = Recovered(closed_to=closed_to, gaps=[], open_parts=list(parts), run_row=None)
    return Desk(station, PROVENANCE, journal, found)


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.REJECT, Outcome.NOT_INSPECTED])
def test_a_part_without_the_gate_s_word_is_disposed_again(outcome: Outcome) -> None:
    said = settled(a_desk(MemoryJournal(), an_open_part(3, outcome)))

    assert [(d.slot, d.outcome, d.due_count) for d in said] == [(3, outcome, 75_000)]


@pytest.mark.parametrize(
    ("verdicts", "outcomes"),
    [
        pytest.param((Outcome.PASS, Outcome.PASS), [Outcome.PASS], id="both-passed"),
        pytest.param((Outcome.PASS, Outcome.REJECT), [Outcome.REJECT], id="one-rejected"),
        pytest.param((Outcome.PASS,), [], id="one-has-not-spoken"),
    ],
)
def test_a_part_of_two_cameras_waits_for_both(verdicts: tuple[Outcome, ...], outcomes: list[Outcome]) -> None:
    said = settled(a_desk(MemoryJournal(), an_open_part(3, *verdicts), cameras=2))

    assert [disposition.outcome for disposition in said] == outcomes


def test_a_half_judged_part_passes_with_the_second_camera_s_word() -> None:
    desk = a_desk(MemoryJournal(), an_open_part(10, Outcome.PASS), cameras=2)
    closings = [*desk.hear((a_captured(10, camera="web"), {})), *desk.hear((a_segmentation(10, camera="web"), {}))]

    said = settled(desk, closings)

    assert [(d.slot, d.outcome) for d in said] == [(10, Outcome.PASS)]


def test_what_a_person_changed_between_runs_is_written_behind_the_run() -> None:
    before = recovered(Memory(), a_counter(12))
    assert before is not None
    assert before.run_row is not None
    assert isinstance(before.run_row.body, RunBody)
    last = msgspec.structs.replace(before.run_row.body, config='{"policy":{"min_region_mm2":3.0},"workers":1}')

    found = recovered(Memory(last_started=last), a_counter(12))
    inside = recovered(Memory(last_started=last, runs={PROVENANCE.run}), a_counter(12))

    assert found is not None
    assert [(row.who, row.what, row.why) for row in found.people] == [("kim", "policy.change", "new recipe")]
    assert inside is not None
    assert inside.people == []  # a restart inside the run: it was said at its start


def test_people_come_behind_the_run_in_the_journal() -> None:
    act = PersonBody(who="kim", what="key.rotate", why="", old="a", new="b", at=1)
    found = recovered(Memory(undone=[act]), a_counter(12))
    journal = MemoryJournal()

    assert found is not None
    settled(Desk(a_station(), PROVENANCE, cast("Journal", journal), found))

    assert [str(entry.kind) for entry in journal.entries][:2] == ["run", "person"]
