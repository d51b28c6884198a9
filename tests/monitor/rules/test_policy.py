"""What the limits say of a mask: exact regions, areas that add up, and a band in which a person decides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from config.cameras import Calibration
from config.policy import Policy
from monitor.messages import Outcome
from monitor.rules.policy import judge
from monitor.rules.regions import Mask, decode_mask, encode_mask, find_regions, has_nan, regions_of_mask
from tests.monitor.builders import a_mask, a_region

POLICY = Policy(min_region_mm2=4.0, reject_region_mm2=40.0, reject_total_mm2=80.0, grey_band=0.2)
IN_PX = Policy(min_region_px=4.0, reject_region_px=40.0, reject_total_px=80.0, grey_band=0.2)
CALIBRATION = Calibration(mm_per_px_across=0.5, mm_per_line=2.0)


@pytest.mark.parametrize(
    ("areas", "outcome", "grey"),
    [
        pytest.param((), Outcome.PASS, False, id="nothing"),
        pytest.param((3.9, 3.9, 3.9) * 20, Outcome.PASS, False, id="specks-do-not-count"),
        pytest.param((31.9,), Outcome.PASS, False, id="below-the-band"),
        pytest.param((32.0,), Outcome.REJECT, True, id="grey-from-below"),
        pytest.param((48.0,), Outcome.REJECT, True, id="grey-to-above"),
        pytest.param((48.1,), Outcome.REJECT, False, id="clear-reject"),
        pytest.param((30.0, 30.0), Outcome.PASS, False, id="together-below-the-total"),
        pytest.param((30.0, 30.0, 5.0), Outcome.REJECT, True, id="areas-add-up"),
        pytest.param((30.0,) * 4, Outcome.REJECT, False, id="areas-add-up-clearly"),
    ],
)
def test_judge(areas: tuple[float, ...], outcome: Outcome, grey: bool) -> None:
    regions = tuple(a_region(area) for area in areas)

    judgement = judge(regions, POLICY)

    assert (judgement.outcome, judgement.grey) == (outcome, grey)


def test_severity_is_the_nearer_of_both_limits() -> None:
    judgement = judge((a_region(20.0), a_region(20.0), a_region(20.0)), POLICY)

    assert judgement.severity == pytest.approx(0.75)  # 60 of 80, not 20 of 40
    assert judgement.counted == 3


def test_limits_in_px_need_no_calibration() -> None:
    regions = regions_of_mask(a_mask((10, 10, 7)), None)

    assert regions[0].area_mm2 is None
    assert judge(regions, IN_PX).outcome is Outcome.REJECT


def test_regions_touch_by_their_corners() -> None:
    mask = a_mask((10, 10, 3), (13, 13, 3), (40, 40, 4))

    regions = regions_of_mask(mask, CALIBRATION)

    assert [(r.x, r.y, r.width, r.height, r.area_px) for r in regions] == [(10, 10, 6, 6, 18), (40, 40, 4, 4, 16)]
    assert regions[0].area_mm2 == pytest.approx(18.0)  # 0.5 mm across × 2 mm a line


def test_a_region_has_the_largest_probability_inside_it() -> None:
    probability = np.zeros((20, 20), np.float32)
    probability[2:5, 2:5], probability[3, 3] = 0.6, 0.95

    regions, mask = find_regions(probability, threshold=0.5, calibration=None)

    assert regions[0].score == pytest.approx(0.95)
    assert int(mask.sum()) == 9


def test_a_nan_is_seen() -> None:
    probability = np.zeros((4, 4), np.float32)
    assert not has_nan(probability)

    probability[2, 2] = np.nan

    assert has_nan(probability)


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_a_mask_survives_its_runs(mask: Mask) -> None:
    height, width = mask.shape

    again = decode_mask(encode_mask(mask), height=height, width=width)

    assert np.array_equal(again, mask)


def test_runs_that_do_not_fill_the_mask_are_refused() -> None:
    runs = encode_mask(a_mask((1, 1, 2)))

    with pytest.raises(ValueError, match="do not fill 10 × 10"):
        decode_mask(runs, height=10, width=10)
