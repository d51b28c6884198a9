"""A drawn surface is a function of (seed, slot), its mask is exact, and what it calls defective can be seen."""

import time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.twin import defects, surface
from monitor.twin.defects import DefectKind
from monitor.twin.surface import Defect, Surface, SurfaceSpec, draw, planned
from monitor.twin.truth import TruthClass, class_of

SPEC = SurfaceSpec()


@pytest.fixture(scope="module")
def part_list() -> list[Surface]:
    return [draw(SPEC, seed=3, slot=slot) for slot in range(300)]


@pytest.fixture(scope="module")
def defective_list() -> list[Surface]:
    return [draw(SPEC, seed=900 + k, slot=k, wanted=TruthClass.DEFECTIVE) for k in range(80)]


def test_the_same_seed_and_slot_give_the_same_pixels() -> None:
    first, again = draw(SPEC, seed=3, slot=17), draw(SPEC, seed=3, slot=17)

    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.mask, again.mask)
    assert first.defects == again.defects


@pytest.mark.parametrize(("seed", "slot"), [pytest.param(3, 18, id="slot"), pytest.param(4, 17, id="seed")])
def test_another_seed_or_slot_gives_another_picture(seed: int, slot: int) -> None:
    assert not np.array_equal(draw(SPEC, seed=3, slot=17).pixels, draw(SPEC, seed=seed, slot=slot).pixels)


def test_a_part_is_grey_and_fills_its_frame(part_list: list[Surface]) -> None:
    for part in part_list[:20]:
        assert part.pixels.shape == part.mask.shape == (1000, 160)
        assert part.pixels.dtype == np.uint8
        assert 40 < part.pixels.mean() < 200
        assert part.pixels.std() > 15


def test_one_part_in_each_ten_is_defective(part_list: list[Surface]) -> None:
    for first in range(0, 300, 10):
        block = part_list[first : first + 10]

        assert sum(part.truth is TruthClass.DEFECTIVE for part in block) == 1


def test_good_parts_have_blemishes_and_some_parts_are_borderline(part_list: list[Surface]) -> None:
    blemished = [part for part in part_list if part.truth is TruthClass.GOOD and part.mask.any()]

    assert len(blemished) > 60
    assert all(part.severity < 0.7 for part in blemished)
    assert 8 <= sum(part.truth is TruthClass.BORDERLINE for part in part_list) <= 60


def test_all_kinds_and_sizes_appear(part_list: list[Surface]) -> None:
    found = [defect for part in part_list for defect in part.defects]

    assert {defect.kind for defect in found} == set(DefectKind)
    assert min(defect.area_mm2 for defect in found) < 8
    assert max(defect.area_mm2 for defect in found) > 200


def test_the_plan_and_the_drawn_truth_agree(part_list: list[Surface]) -> None:
    assert all(planned(seed=3, slot=slot) is part.truth for slot, part in enumerate(part_list))


@pytest.mark.parametrize(
    ("severity", "truth"),
    [
        pytest.param(0.0, TruthClass.GOOD, id="sound"),
        pytest.param(0.699, TruthClass.GOOD, id="below"),
        pytest.param(0.7, TruthClass.BORDERLINE, id="from"),
        pytest.param(1.3, TruthClass.BORDERLINE, id="to"),
        pytest.param(1.301, TruthClass.DEFECTIVE, id="above"),
    ],
)
def test_truth_class(severity: float, truth: TruthClass) -> None:
    assert class_of(severity) is truth


@pytest.mark.parametrize(
    ("squares_px", "severity"),
    [
        pytest.param([4], 0.0, id="16 px are 3.6 mm², below the least"),
        pytest.param([20], 400 * 0.225 / 80, id="one region: by the limit of all together or of one"),
        pytest.param([10, 10, 10], 100 * 3 * 0.225 / 80, id="three add up"),
    ],
)
def test_severity_is_the_deciding_area_over_its_limit(squares_px: list[int], severity: float) -> None:
    mask = np.zeros((1000, 160), bool)
    for k, side in enumerate(squares_px):
        mask[100 * k : 100 * k + side, 20 : 20 + side] = True
    expected = max(severity, max(squares_px) ** 2 * 0.225 / 40) if severity else 0.0

    assert surface.severity(SPEC, mask) == pytest.approx(expected)


def test_no_defect_comes_near_the_edge_of_its_part(part_list: list[Surface], defective_list: list[Surface]) -> None:
    for part in part_list + defective_list:
        inner = part.mask[4:-4, 4:-4]

        assert inner.sum() == part.mask.sum()


def test_the_mask_is_what_the_defects_cover(defective_list: list[Surface]) -> None:
    for part in defective_list:
        boxed = np.zeros_like(part.mask)
        for defect in part.defects:
            x, y, width, height = defect.box
            boxed[y : y + height, x : x + width] = True

        assert not (part.mask & ~boxed).any()
        assert sum(defect.area_mm2 for defect in part.defects) == pytest.approx(part.mask.sum() * SPEC.px_mm2)


def test_a_defect_over_the_limit_stands_out_three_times_the_texture(defective_list: list[Surface]) -> None:
    deciding = [(part, max(part.defects, key=lambda each: each.area_mm2)) for part in defective_list]

    assert min(contrast(part, defect) for part, defect in deciding) >= 3.0


def test_without_the_contrast_floor_some_defects_would_not_stand_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defects, "CONTRAST_FLOOR", 0.0)
    monkeypatch.setattr(defects, "_DEPTH", dict.fromkeys(DefectKind, (0.02, 0.2)))
    faint = [draw(SPEC, seed=900 + k, slot=k, wanted=TruthClass.DEFECTIVE) for k in range(30)]

    assert min(contrast(part, max(part.defects, key=lambda each: each.area_mm2)) for part in faint) < 3.0


def test_benign_specks_are_far_smaller_than_a_region_that_counts() -> None:
    rough = np.zeros((1000, 160), bool)
    for slot in range(20):
        flat = np.full((1000, 160), 100.0, np.float32)
        surface._specks(flat, np.random.Generator(np.random.PCG64(slot)), SPEC)
        rough = np.abs(flat - 100.0) > 12.0
        _, _, stats, _ = cv2.connectedComponentsWithStats(rough.astype(np.uint8), connectivity=8)
        alone = np.median(stats[1:, cv2.CC_STAT_AREA]) * SPEC.px_mm2

        assert alone < SPEC.min_region_mm2 / 2


def test_the_lamp_drifts_slowly() -> None:
    sound = [slot for slot in range(400) if planned(seed=3, slot=slot) is TruthClass.GOOD]
    means = np.array([draw(SPEC, seed=3, slot=slot).pixels.mean() for slot in sound[::12]])

    assert np.ptp(means) > 4
    assert np.abs(np.diff(means)).max() < 0.1 * means.mean()


def test_a_part_of_another_scale_keeps_its_truth() -> None:
    fine = SurfaceSpec(height=1400, width=240, mm_per_px_across=0.3, mm_per_line=0.35)

    part = draw(fine, seed=3, slot=1, wanted=TruthClass.DEFECTIVE)

    assert part.pixels.shape == (1400, 240)
    assert part.truth is TruthClass.DEFECTIVE


def test_drawing_keeps_up_with_the_line() -> None:
    start = time.process_time()
    for slot in range(40):
        draw(SPEC, seed=5, slot=slot)

    assert (time.process_time() - start) / 40 < 0.05  # 10 ms alone on a core; CPU time, with room for slow machines


def contrast(part: Surface, defect: Defect) -> float:
    """From the pixels alone: how far the defect is from the surface above and below, in spreads of that surface."""
    x, y, width, height = defect.box
    box = np.s_[max(y - 14, 0) : y + height + 14, x : x + width]
    grey, inside = part.pixels[box].astype(np.float64), part.mask[box]
    grown = cv2.dilate(part.mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    outside: NDArray[np.bool_] = ~grown[box]
    columns = [k for k in range(grey.shape[1]) if inside[:, k].any() and outside[:, k].sum() >= 3]
    around = {k: grey[outside[:, k], k].mean() for k in columns}
    spread = np.concatenate([grey[outside[:, k], k] - around[k] for k in columns]).std()
    away = np.concatenate([grey[inside[:, k], k] - around[k] for k in columns]).mean()
    return float(abs(away) / spread)
