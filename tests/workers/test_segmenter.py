"""The station's net: its own weights, the frame's own size, and a canary that any machine draws alike."""

import datetime
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from config.models import Model
from monitor.twin.surface import SurfaceSpec, draw
from monitor.twin.truth import TruthClass
from tests.workers.builders import HEIGHT, SPEC, WIDTH, a_checkpoint, a_model, a_net
from workers.canary import Canary, answered, draw_canary
from workers.checkpoint import save_checkpoint
from workers.normalisation import standardise
from workers.scoring import probability
from workers.segmenter import WARM_UP_RUNS, Segmenter

WEIGHTS = "workers/weights/rail-03.safetensors"


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter.load(Model(weights=WEIGHTS), threads=2)


def a_colour_checkpoint(folder: Path) -> Path:
    spec = SPEC.model_copy(update={"channels": 3})
    path, net = folder / "colour.safetensors", a_net(spec)
    grey = draw_canary(height=HEIGHT, width=WIDTH, seed=7)
    found = probability(net, standardise(np.repeat(grey[..., None], 3, axis=2)))
    threshold = float((found.min() + found.max()) / 2)
    save_checkpoint(
        path,
        net,
        name="colour",
        net=spec,
        height=HEIGHT,
        width=WIDTH,
        normalisation="standardise",
        threshold=threshold,
        data="none",
        metrics={},
        licence="Apache-2.0",
        date=datetime.date(2026, 11, 22),
        canary=Canary(recipe="blots", seed=7, answer=answered(found, threshold=threshold)),
    )
    return path


def test_the_shipped_weights_load_and_name_themselves(segmenter: Segmenter) -> None:
    assert (segmenter.name, segmenter.engine) == ("rail-03", "openvino")
    assert len(segmenter.sha256) == 64
    assert 0 < segmenter.threshold < 1


def test_the_shipped_weights_answer_alike_on_both_engines(segmenter: Segmenter) -> None:
    reference = Segmenter.load(Model(weights=WEIGHTS, engine="torch"), threads=2)
    pixels = draw(SurfaceSpec(), seed=3, slot=5).pixels

    assert np.allclose(segmenter.probability(pixels), reference.probability(pixels), atol=1e-3)


def test_the_shipped_weights_find_a_defect_and_leave_sound_steel_alone(segmenter: Segmenter) -> None:
    bad = draw(SurfaceSpec(), seed=3, slot=0, wanted=TruthClass.DEFECTIVE)
    sound = next(part for slot in range(30) if not (part := draw(SurfaceSpec(), seed=3, slot=slot)).mask.any())

    found = segmenter.probability(bad.pixels) >= segmenter.threshold
    alarms = segmenter.probability(sound.pixels) >= segmenter.threshold

    assert found.sum() == pytest.approx(bad.mask.sum(), rel=0.15)
    assert alarms.sum() < 18  # px: less than the smallest region that counts


@pytest.mark.parametrize(
    "shape",
    [pytest.param((1000, 160), id="own"), pytest.param((2000, 540), id="larger"), pytest.param((97, 33), id="odd")],
)
def test_the_answer_has_the_frames_own_size(segmenter: Segmenter, shape: tuple[int, int]) -> None:
    found = segmenter.probability(np.full(shape, 90, np.uint8))

    assert found.shape == shape
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1


def test_frames_of_different_sizes_are_answered_together_as_one_by_one(segmenter: Segmenter) -> None:
    frames = [draw(SurfaceSpec(), seed=3, slot=slot, wanted=TruthClass.DEFECTIVE).pixels for slot in range(3)]
    frames[1] = np.ascontiguousarray(frames[1][:700, :120])

    found = segmenter.probabilities(frames)

    assert [each.shape for each in found] == [each.shape for each in frames]
    for each, pixels in zip(found, frames, strict=True):
        assert np.array_equal(each, segmenter.probability(pixels))


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_a_net_for_colour_takes_grey_and_colour_together(tmp_path: Path, engine: str) -> None:
    colour = Segmenter.load(a_model(a_colour_checkpoint(tmp_path), engine=engine), threads=1)
    grey = draw(SurfaceSpec(), seed=3, slot=0).pixels
    tinted = np.stack([grey, grey // 2, 255 - grey], axis=2)

    found = colour.probabilities([grey, tinted, np.repeat(grey[..., None], 3, axis=2)])

    assert [each.shape for each in found] == [grey.shape] * 3
    assert np.allclose(found[0], found[2], atol=1e-4)
    assert not np.allclose(found[0], found[1], atol=1e-2)


def test_the_station_says_how_many_frames_a_pass_may_have(tmp_path: Path) -> None:
    model = a_model(a_checkpoint(tmp_path)).model_copy(update={"batch": 5})

    assert Segmenter.load(model, threads=1).batch_most == 5
    assert Segmenter.load(model.model_copy(update={"engine": "openvino"}), threads=1).batch_most == 1


def test_the_station_may_set_its_own_threshold(tmp_path: Path) -> None:
    path = a_checkpoint(tmp_path)
    model = a_model(path).model_copy(update={"threshold": 0.123})

    assert Segmenter.load(model, threads=1).threshold == 0.123


def test_it_times_itself(tmp_path: Path) -> None:
    small = Segmenter.load(a_model(a_checkpoint(tmp_path)), threads=1)

    times_ms = small.time((200, 100), runs=3)

    assert len(times_ms) == 3
    assert all(0 < each < 5000 for each in times_ms)


def test_it_times_batches_of_whole_frames(tmp_path: Path) -> None:
    small = Segmenter.load(a_model(a_checkpoint(tmp_path)).model_copy(update={"batch": 2}), threads=1)
    shown: list[int] = []
    score = small.probabilities

    def counted(frames: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        shown.append(len(frames))
        return score(frames)

    small.probabilities = counted  # type: ignore[method-assign]  # a fake that remembers

    times_ms = small.time((200, 100), runs=3, together=2)

    assert len(times_ms) == 3
    assert shown == [2] * (3 + WARM_UP_RUNS)


def test_the_canary_is_drawn_alike_everywhere() -> None:
    drawn = draw_canary(height=1000, width=160, seed=7)

    assert hashlib.sha256(drawn.tobytes()).hexdigest() == (
        "1bd6fb4b3142cbc3d3c7882be2a029bf96de1bcfd280ccc2764e52835c3247d5"
    )


def test_standardised_pixels_forget_the_lamp() -> None:
    pixels = draw(SurfaceSpec(), seed=3, slot=2).pixels
    darker = (pixels // 2).astype(np.uint8)

    bright, dark = standardise(pixels), standardise(darker)

    assert bright.mean() == pytest.approx(0, abs=1e-3)
    assert bright.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(bright - dark).max() < 0.05


def test_a_flat_image_is_not_blown_up() -> None:
    flat = np.full((20, 20), 100, np.uint8)
    flat[3, 3] = 101

    assert np.abs(standardise(flat)).max() < 0.2
