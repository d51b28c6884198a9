"""Escapes and false rejects are counted by the line's own rules against the twin's exact mask."""

import numpy as np
import pytest
from numpy.typing import NDArray

from config.cameras import Calibration
from config.loader import load_station
from config.models import Model
from config.policy import Policy
from monitor.twin.surface import SurfaceSpec, draw
from monitor.twin.truth import TruthClass
from workers.datasets import twin
from workers.evaluate import Evaluation, evaluate_on_twin
from workers.segmenter import Segmenter

POLICY = Policy(min_region_mm2=4.0, reject_region_mm2=40.0, reject_total_mm2=80.0, grey_band=0.2)
CALIBRATION = Calibration(mm_per_px_across=0.45, mm_per_line=0.5)


class Fixed:
    """A segmenter that finds what a test says: all that is wrong, nothing, or a patch that is always there."""

    threshold = 0.5

    def __init__(self, sees: str) -> None:
        self.sees = sees
        masks = (draw(SurfaceSpec(), seed=twin.TEST_SEEDS[k // 10], slot=k) for k in range(10))
        self.answers = {part.pixels.tobytes(): part.mask for part in masks}

    def probability(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = np.zeros(pixels.shape, np.float32)
        match self.sees:
            case "all":
                found[self.answers[pixels.tobytes()]] = 0.9
            case "patch":
                found[100:130, 50:80] = 0.9
        return found


def evaluated(sees: str) -> Evaluation:
    stand_in: Segmenter = Fixed(sees)  # type: ignore[assignment]  # all that is asked of it
    return evaluate_on_twin(
        stand_in, POLICY, CALIBRATION, surfaces=10, first_seed=0, wanted=None, report=lambda _: None
    )


@pytest.mark.parametrize(
    ("sees", "escaped", "false_rejects"),
    [pytest.param("all", 0, 0, id="perfect"), pytest.param("nothing", 1, 0, id="blind")],
)
def test_escapes(sees: str, escaped: int, false_rejects: int) -> None:
    result = evaluated(sees)

    assert (result.defective, result.escaped, result.false_rejects) == (1, escaped, false_rejects)
    assert len(result.rows) == escaped


def test_false_rejects() -> None:
    result = evaluated("patch")

    assert result.false_rejects == result.good > 0
    assert {row.truth for row in result.rows} == {TruthClass.GOOD}


def test_a_perfect_mask_has_an_unbiased_area() -> None:
    result = evaluated("all")

    assert (result.dsc, result.area_ratio) == (1.0, 1.0)
    assert all(size.ratio_p50 == pytest.approx(1.0, abs=1e-6) for size in result.sizes)


def test_the_drawn_surfaces_have_the_limits_of_the_station() -> None:
    station, spec = load_station("rail-03"), SurfaceSpec()

    limits, calibration = station.policy.limits, station.cameras[0].calibration
    assert calibration is not None
    assert (spec.min_region_mm2, spec.reject_region_mm2, spec.reject_total_mm2) == (
        limits.min_region,
        limits.reject_region,
        limits.reject_total,
    )
    assert (spec.mm_per_px_across, spec.mm_per_line) == (calibration.mm_per_px_across, calibration.mm_per_line)


def test_the_station_draws_no_surface_that_was_trained_on() -> None:
    station = load_station("rail-03")

    assert station.twin is not None
    assert all(station.twin.seed not in seeds for seeds in (twin.TRAIN_SEEDS, twin.VALIDATION_SEEDS, twin.TEST_SEEDS))
    assert Model(weights="workers/weights/rail-03.safetensors") == station.model
