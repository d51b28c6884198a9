"""A batch is answered as its frames one by one: each its own Segmentation and Done, what is due first first."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from config.loader import load_station
from config.models import Model
from config.station import Station
from config.zones import Zone
from monitor.bus.wire import Dealer, Pusher
from monitor.lifeline import Lifeline
from monitor.messages import Credit, Done, Frame, FrameId, Reason, Segmentation
from monitor.twin.surface import SurfaceSpec, draw
from monitor.twin.truth import TruthClass
from tests.monitor.builders import a_mask
from tests.workers.builders import a_checkpoint, a_model
from workers.batching import Pace
from workers.inference import Desk, Work, answer_first, time_itself
from workers.segmenter import Segmenter

CAMERAS = ("head", "web", "foot")
LATE_NS = 10**18  # far from now: whatever is measured is in time


class Ear:
    """Remembers what it was told; `order` is shared, so that who heard first is seen."""

    def __init__(self, name: str, order: list[tuple[str, str]]) -> None:
        self.name, self.order = name, order
        self.heard: list[tuple[Any, Mapping[str, bytes]]] = []

    def send(self, message: Any, pictures: Mapping[str, bytes] | None = None) -> bool:
        self.heard.append((message, pictures or {}))
        self.order.append((self.name, type(message).__name__))
        return True


class Fails:
    """A segmenter whose net answers NaN to some frames of a batch, by their place."""

    def __init__(self, segmenter: Segmenter, *places: int) -> None:
        self._segmenter, self._places = segmenter, places
        self.sha256, self.threshold = segmenter.sha256, segmenter.threshold

    def probabilities(self, frames: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        found = self._segmenter.probabilities(frames)
        for place in self._places:
            found[place][3, 3] = np.nan
        return found


def a_station(model: Model, *, cameras: tuple[str, ...] = CAMERAS) -> Station:
    station = load_station("rail-03")
    each = tuple(station.cameras[0].model_copy(update={"name": name}) for name in cameras)
    return station.model_copy(update={"model": model, "cameras": each})


def a_work(camera: str, slot: int, *, due_ns: int = LATE_NS, attempt: int = 1) -> Work:
    frame = FrameId(station="rail-03", camera=camera, epoch=1, seq=slot)
    pixels = draw(SurfaceSpec(), seed=3, slot=slot, wanted=TruthClass.DEFECTIVE).pixels
    return camera, Frame(frame=frame, slot=slot, attempt=attempt, due_ns=due_ns), pixels


def a_pace(*, batches: bool = True) -> Pace:
    """Of a machine on which three frames cost little more than one, or as much as three."""
    pace = Pace([10.0])
    if batches:
        pace.measured(3, [11.0])
    return pace


@pytest.fixture(scope="module")
def model() -> Model:
    return load_station("rail-03").model


@pytest.fixture(scope="module")
def segmenter(model: Model) -> Segmenter:
    return Segmenter.load(model, threads=1)


@pytest.fixture
def desk(model: Model, segmenter: Segmenter) -> Desk:
    return Desk(a_station(model), segmenter, a_pace(), worker="w.1")


def timeless(answer: tuple[Segmentation, dict[str, bytes]]) -> tuple[Segmentation, dict[str, bytes]]:
    return msgspec.structs.replace(answer[0], started_ns=0, ended_ns=0), answer[1]


def test_a_batch_gives_the_answers_of_its_frames_one_by_one(desk: Desk) -> None:
    works = [a_work("head", 1), a_work("web", 2)]

    together = list(desk.segment(works))

    alone = [answer for work in works for answer in desk.segment([work])]
    assert [timeless(answer) for answer in together] == [timeless(answer) for answer in alone]
    assert [seen.slot for seen, _ in together] == [1, 2]
    assert all(seen.regions and pictures["frame"] for seen, pictures in together)


def test_every_frame_of_a_batch_carries_the_batch_s_times(desk: Desk) -> None:
    together = [seen for seen, _ in desk.segment([a_work("head", 1), a_work("web", 2)])]

    assert len({(seen.started_ns, seen.ended_ns) for seen in together}) == 1
    assert 0 < together[0].started_ns < together[0].ended_ns


def test_a_net_that_fails_on_one_frame_refuses_that_one_alone(desk: Desk, model: Model, segmenter: Segmenter) -> None:
    failing: Segmenter = Fails(segmenter, 1)  # type: ignore[assignment]  # all that is asked of it
    works = [a_work("head", 1), a_work("web", 2), a_work("foot", 3)]

    found = list(Desk(a_station(model), failing, a_pace(), worker="w.1").segment(works))

    sound = list(desk.segment(works))
    assert [seen.refusal for seen, _ in found] == [None, Reason.MODEL_NAN, None]
    assert [timeless(found[i]) for i in (0, 2)] == [timeless(sound[i]) for i in (0, 2)]


class Draws:
    """A segmenter whose net sees these squares of (x, y, side), whatever it is shown."""

    def __init__(self, *squares: tuple[int, int, int]) -> None:
        self._mask = a_mask(*squares, shape=(1000, 160))
        self.sha256, self.threshold = "a" * 64, 0.5

    def probabilities(self, frames: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        return [self._mask.astype(np.float32) for _ in frames]


def test_what_counts_in_its_zone_is_pictured_before_what_is_larger_and_does_not(model: Model) -> None:
    lax = Zone(
        name="lax",
        polygon_mm=((0.0, 0.0), (72.0, 0.0), (72.0, 100.0), (0.0, 100.0)),
        min_region_mm2=100.0,
        reject_region_mm2=100.0,
        reject_total_mm2=100.0,
    )
    station = a_station(model, cameras=("head",))
    zoned = station.model_copy(update={"cameras": (station.cameras[0].model_copy(update={"zones": (lax,)}),)})
    draws: Segmenter = Draws((10, 10, 20), (10, 500, 15))  # type: ignore[assignment]  # all that is asked of it

    [(seen, pictures)] = Desk(zoned, draws, a_pace(), worker="w.1").segment([a_work("head", 1)])

    assert [(region.y, region.zones) for region in seen.regions] == [(500, ("",)), (10, ("lax",))]
    assert len(seen.crops_px) == 1
    assert {name for name in pictures if name != "frame"} == {"crop-0", "mask-0"}
    assert "frame" in pictures  # 50 mm² in no zone: rejected
    [(plain, _)] = Desk(station, draws, a_pace(), worker="w.1").segment([a_work("head", 1)])
    assert [region.y for region in plain.regions] == [10, 500]  # largest first, as before


def answered(desk: Desk, held: list[Work]) -> tuple[list[Work], Ear, dict[str, Ear], list[tuple[str, str]]]:
    """What is left, what decision and each camera heard, and in which order."""
    order: list[tuple[str, str]] = []
    decision, dealers = Ear("decision", order), {name: Ear(name, order) for name in CAMERAS}
    ours, theirs = socket.socketpair()
    to_decision: Pusher = decision  # type: ignore[assignment]  # all that is asked of it
    to_cameras: dict[str, Dealer] = dealers  # type: ignore[assignment]
    with ours, theirs:
        left = answer_first(desk, held, to_cameras, to_decision, Lifeline(ours))
    return left, decision, dealers, order


def test_each_frame_is_answered_and_given_back_in_the_order_in_which_it_is_due(desk: Desk) -> None:
    held = [a_work("head", 1, due_ns=LATE_NS + 2), a_work("web", 2, due_ns=LATE_NS), a_work("foot", 3)]
    held[2] = (held[2][0], msgspec.structs.replace(held[2][1], due_ns=LATE_NS + 1), held[2][2])

    left, decision, dealers, order = answered(desk, held)

    assert left == []
    assert [seen.slot for seen, _ in decision.heard] == [2, 3, 1]
    assert order == [
        each
        for camera in ("web", "foot", "head")
        for each in (("decision", "Segmentation"), (camera, "Done"), (camera, "Credit"))
    ]
    for camera, frame, _ in held:
        done, credit = (message for message, _ in dealers[camera].heard)
        assert done == Done(frame=frame.frame, attempt=1, worker="w.1")
        assert isinstance(credit, Credit)
        assert credit.serves == len(CAMERAS)


def test_what_is_due_too_soon_is_scored_alone_and_the_others_stay_held(desk: Desk) -> None:
    held = [a_work("head", 1), a_work("web", 2, due_ns=1), a_work("foot", 3)]

    left, decision, _, _ = answered(desk, held)

    assert [seen.slot for seen, _ in decision.heard] == [2]
    assert [frame.slot for _, frame, _ in left] == [1, 3]


def test_what_comes_after_the_net_has_its_time_too(model: Model, segmenter: Segmenter) -> None:
    station = a_station(model)
    assert station.budget
    patient = station.budget.model_copy(update={"decision_ms": 1e14})
    desk = Desk(station.model_copy(update={"budget": patient}), segmenter, a_pace(), worker="w.1")

    left, _, _, _ = answered(desk, [a_work("head", 1), a_work("web", 2)])

    assert len(left) == 1


def test_where_batches_are_no_gain_there_are_none(model: Model, segmenter: Segmenter) -> None:
    desk = Desk(a_station(model), segmenter, a_pace(batches=False), worker="w.1")

    left, decision, _, _ = answered(desk, [a_work("head", 1, due_ns=0), a_work("web", 2, due_ns=0)])

    assert [seen.slot for seen, _ in decision.heard] == [1]
    assert len(left) == 1


def test_a_credit_covers_the_largest_batch(desk: Desk) -> None:
    assert desk.credit().p99_ms == pytest.approx(11)
    list(desk.segment([a_work("head", 1)]))

    assert desk.credit().p99_ms > 11


class Timed:
    """A segmenter on a machine where a batch costs what a test says."""

    def __init__(self, batch_most: int, *ms: float) -> None:
        self.batch_most, self._ms = batch_most, ms
        self.asked: list[int] = []

    def time(self, _shape: tuple[int, int], *, runs: int = 8, together: int = 1) -> list[float]:
        self.asked.append(together)
        return [self._ms[together - 1]] * runs


@pytest.mark.parametrize(
    ("batch", "most", "ms", "asked", "kept"),
    [
        pytest.param(1, 1, (10,), [1], 1, id="no-batches"),
        pytest.param(8, 8, (10, 11, 12), [1, 2, 3], 3, id="one-frame-of-each-camera"),
        pytest.param(2, 2, (10, 11), [1, 2], 2, id="as-the-station-says"),
        pytest.param(8, 8, (10, 20, 30), [1, 2], 1, id="no-gain-no-larger-one"),
        pytest.param(8, 1, (10,), [1], 1, id="engine-of-single-images"),
    ],
)
def test_it_times_itself_in_batches_that_can_be(
    model: Model, batch: int, most: int, ms: tuple[float, ...], asked: list[int], kept: int
) -> None:
    timed = Timed(most, *ms)
    stand_in: Segmenter = timed  # type: ignore[assignment]  # all that is asked of it

    pace = time_itself(a_station(model.model_copy(update={"batch": batch})), stand_in)

    assert timed.asked == asked
    assert pace.costs.most == kept
    assert pace.fps == pytest.approx(1000 * kept / ms[kept - 1])


def test_a_torch_worker_scores_a_batch_as_its_frames(tmp_path: Path) -> None:
    """In one pass, where the arithmetic may differ in its last digits."""
    model = a_model(a_checkpoint(tmp_path)).model_copy(update={"batch": 3, "device": "cpu"})
    desk = Desk(a_station(model), Segmenter.load(model, threads=1), a_pace(), worker="w.1")
    works = [a_work("head", 1), a_work("web", 2), a_work("foot", 3)]

    together = [seen for seen, _ in desk.segment(works)]

    alone = [seen for work in works for seen, _ in desk.segment([work])]
    assert [seen.frame for seen in together] == [frame.frame for _, frame, _ in works]
    for one, other in zip(together, alone, strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-4)
        assert len(one.regions) == pytest.approx(len(other.regions), abs=2)
