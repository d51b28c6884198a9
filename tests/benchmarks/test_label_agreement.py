"""Labels of one tile that contradict each other leave nothing for a net to learn, and the figures say so."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.labels import measure_labels

SIZE = (40, 60)
TOP, BOTTOM = slice(0, 20), slice(20, 40)


def a_tile(root: Path, number: int, *marked: slice | None) -> None:
    """One tile's exposures, each with a mask of its own; None: it shows nothing."""
    for n, lines in enumerate(marked):
        folder = root / ("MT_Free" if lines is None else "MT_Uneven")
        folder.mkdir(parents=True, exist_ok=True)
        mask = np.zeros(SIZE, np.uint8)
        if lines is not None:
            mask[lines] = 255
        name = f"exp{n + 1}_num_{number + 20 * n}"
        cv2.imwrite(str(folder / f"{name}.jpg"), np.full(SIZE, 90, np.uint8))
        cv2.imwrite(str(folder / f"{name}_label.png"), mask)


@pytest.mark.parametrize(
    ("masks", "pooled"),
    [
        pytest.param((TOP, TOP, TOP), 1.0, id="they-agree"),
        pytest.param((TOP, TOP, TOP, BOTTOM), 0.75, id="one-of-four-differs"),
        pytest.param((TOP, BOTTOM), 0.0, id="they-contradict"),
        pytest.param((TOP,), 0.0, id="there-is-no-other"),
    ],
)
def test_each_mask_is_answered_by_the_others_of_its_tile(
    masks: tuple[slice, ...], pooled: float, tmp_path: Path
) -> None:
    a_tile(tmp_path, 1000, *masks)
    a_tile(tmp_path, 9000, None, None)

    found = measure_labels(tmp_path, "all")

    assert found["dsc"]["pooled"] == pytest.approx(pooled, abs=1e-3)
    assert [(row["exposures"], row["labelled"]) for row in found["rows"]] == [(len(masks), len(masks))]
    assert (found["images"], found["defective"]) == (len(masks) + 2, len(masks))


def test_an_image_is_scored_by_the_share_of_the_others_that_have_a_mask(tmp_path: Path) -> None:
    a_tile(tmp_path, 1000, TOP, TOP, TOP)
    a_tile(tmp_path, 9000, None, None, None)
    sure = measure_labels(tmp_path, "all")
    a_tile(tmp_path, 20000, TOP, None)

    unsure = measure_labels(tmp_path, "all")

    assert sure["image_ap"] == 1.0
    assert unsure["image_ap"] < 1.0
