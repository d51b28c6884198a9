"""A part passes when each camera has passed it, whatever the order; one that has not is enough."""

from itertools import permutations

import pytest

from monitor.messages import Outcome, Reason
from monitor.rules.parts import Parts


@pytest.mark.parametrize("order", list(permutations(["web", "head", "foot"])))
def test_a_part_passes_with_the_last_camera(order: tuple[str, ...]) -> None:
    parts = Parts(cameras=frozenset(order))

    said = [parts.verdict(c, slot=1, outcome=Outcome.PASS, reason=None, at_count=0) for c in order]

    assert said[:-1] == [None, None]
    assert said[-1] is not None
    assert said[-1].outcome is Outcome.PASS


@pytest.mark.parametrize("doubtful", ["web", "head", "foot"])
def test_one_camera_is_enough_to_reject(doubtful: str) -> None:
    parts = Parts(cameras=frozenset(["web", "head", "foot"]))

    said = []
    for camera in ("web", "head", "foot"):
        outcome = Outcome.NOT_INSPECTED if camera == doubtful else Outcome.PASS
        said.append(parts.verdict(camera, slot=1, outcome=outcome, reason=Reason.DARK, at_count=0))

    assert [part.outcome for part in said if part] == [Outcome.NOT_INSPECTED]


def test_a_camera_that_says_it_twice_does_not_speak_for_another() -> None:
    parts = Parts(cameras=frozenset(["web", "head"]))

    said = [parts.verdict("web", slot=1, outcome=Outcome.PASS, reason=None, at_count=0) for _ in range(2)]

    assert said == [None, None]


def test_a_part_carries_the_area_of_the_camera_that_settled_it() -> None:
    parts = Parts(cameras=frozenset({"head", "web"}))
    parts.verdict("head", slot=1, outcome=Outcome.PASS, reason=None, at_count=0, area_mm2=1.0)

    settled = parts.verdict("web", slot=1, outcome=Outcome.REJECT, reason=None, at_count=0, area_mm2=41.0)

    assert settled is not None
    assert settled.area_mm2 == 41.0
