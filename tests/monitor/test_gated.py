"""Capture leases no frame that fails its gates, says why, and keeps what the camera itself found wrong."""

import random
import time
from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from monitor.bus.wire import Publisher, Pusher, Router
from monitor.cameras import Exposed
from monitor.capture import Desk
from monitor.messages import Captured, Reason
from monitor.rules.health import LEARNED
from tests.monitor.builders import a_station
from tests.monitor.exposures import a_surface
from tests.monitor.test_said_until_answered import LossyPipe


class AnySize(Desk):
    """The guard taken out: whatever the camera sends has the right size."""

    def _examine(self, pixels: npt.NDArray[np.uint8], *, whole: bool) -> tuple[Reason | None, dict[str, float]]:
        return None, {}


def announced(kind: type[Desk], *exposures: Exposed) -> tuple[list[Captured], int]:
    """What decision hears, and how many frames a worker gets."""
    station = a_station()
    decision, workers, viewers = (LossyPipe(0.0, random.Random(1)) for _ in range(3))
    desk = kind(
        station,
        station.cameras[0],
        epoch=1,
        decision=cast("Pusher", decision),
        workers=cast("Router", workers),
        viewers=cast("Publisher", viewers),
    )
    for exposed in exposures:
        desk.leases.credit("w", p99_ms=1.0, serves=1, now_ns=time.monotonic_ns())
        desk.expose(exposed)
        desk.lend()
    return [said[0] for said in decision.take()], len(workers.take())


def an_exposure(pixels: npt.NDArray[np.uint8] | None, refusal: Reason | None = None) -> Exposed:
    return Exposed(slot=1, trigger_count=1, at_count=0, at_ns=time.monotonic_ns(), pixels=pixels, refusal=refusal)


DARK = np.zeros((1000, 160), np.uint8)


@pytest.mark.parametrize(
    ("exposed", "reason"),
    [
        pytest.param(an_exposure(DARK), Reason.DARK, id="row-6"),
        pytest.param(an_exposure(DARK, Reason.INCOMPLETE), Reason.INCOMPLETE, id="what-the-camera-knows-goes-first"),
        pytest.param(an_exposure(a_surface()[:900]), Reason.WRONG_SIZE, id="row-13-size"),
        pytest.param(an_exposure(np.zeros((1000, 160, 3), np.uint8)), Reason.WRONG_FORMAT, id="row-13-format"),
        pytest.param(an_exposure(None, Reason.UNREADABLE), Reason.UNREADABLE, id="nothing-to-measure"),
    ],
)
def test_what_fails_is_announced_and_not_leased(exposed: Exposed, reason: Reason) -> None:
    [captured], leased = announced(Desk, exposed)

    assert captured.refusal is reason
    assert leased == 0


def test_row_13_without_the_guard_a_frame_of_the_wrong_size_is_leased() -> None:
    [captured], leased = announced(AnySize, an_exposure(a_surface()[:900]))

    assert captured.refusal is None
    assert leased == 1


def test_row_4_a_camera_that_hangs_is_leased_once() -> None:
    still = an_exposure(a_surface())

    said, leased = announced(Desk, still, replace(still, slot=2, trigger_count=2), replace(still, slot=3))

    assert [captured.refusal for captured in said] == [None, Reason.FROZEN, Reason.FROZEN]
    assert leased == 1


def test_every_frame_of_this_camera_carries_its_measures() -> None:
    said, _ = announced(Desk, an_exposure(a_surface()), an_exposure(DARK, Reason.INCOMPLETE))

    assert all(set(LEARNED) < set(captured.measures) for captured in said)
