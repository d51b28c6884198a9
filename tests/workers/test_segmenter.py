"""The station's net: its own weights, the frame's own size, and a canary that any machine draws alike."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from config.models import Model
from monitor.twin.surface import SurfaceSpec, draw
from monitor.twin.truth import TruthClass
from tests.workers.builders import a_checkpoint, a_model
from workers.canary import draw_canary
from workers.normalisation import standardise
from workers.segmenter import Segmenter

WEIGHTS = "workers/weights/rail-03.safetensors"


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter.load(Model(weights=WEIGHTS), threads=2)


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


def test_the_station_may_set_its_own_threshold(tmp_path: Path) -> None:
    path = a_checkpoint(tmp_path)
    model = a_model(path).model_copy(update={"threshold": 0.123})

    assert Segmenter.load(model, threads=1).threshold == 0.123


def test_it_times_itself(tmp_path: Path) -> None:
    small = Segmenter.load(a_model(a_checkpoint(tmp_path)), threads=1)

    times_ms = small.time((200, 100), runs=3)

    assert len(times_ms) == 3
    assert all(0 < each < 5000 for each in times_ms)


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
