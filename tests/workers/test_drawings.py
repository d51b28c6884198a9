"""Pictures show truth in green and prediction in red, and are there to be looked at."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from workers.canary import RECIPES, Recipe, draw_canary
from workers.drawings import FOUND, TRUTH, Picture, overlay, write_curves, write_sheet
from workers.run_folder import Epoch


def a_picture() -> Picture:
    truth, found = np.zeros((60, 40), np.bool_), np.zeros((60, 40), np.bool_)
    truth[10:20, 10:20], found[30:40, 10:20] = True, True
    return Picture(title="a part", pixels=np.full((60, 40), 120, np.uint8), truth=truth, found=found)


def test_truth_is_green_and_prediction_red() -> None:
    shown = overlay(a_picture())

    assert tuple(shown[10, 12]) == TRUTH
    assert tuple(shown[30, 12]) == FOUND
    assert tuple(shown[15, 15]) == tuple(shown[50, 30]) == (120, 120, 120)  # what is inside stays to be seen


def test_a_sheet_has_every_picture(tmp_path: Path) -> None:
    write_sheet(tmp_path / "none.png", [a_picture()], title="none")
    write_sheet(tmp_path / "none.png", [], title="none")
    write_sheet(tmp_path / "few.png", [a_picture()], title="one")
    write_sheet(tmp_path / "many.png", [a_picture()] * 11, title="eleven")

    few, many = (np.asarray(Image.open(tmp_path / name)).shape for name in ("few.png", "many.png"))
    assert few[0] < many[0]
    assert few[1] < many[1]
    assert not (tmp_path / "none.png").exists()


def test_curves_are_drawn(tmp_path: Path) -> None:
    epochs = [
        Epoch(epoch=n, step=n, loss=1 / n, rate=0.1, dsc_all=0.5, dsc_defective=0.4, dsc_pooled=0.3, area_ratio=1.0)
        for n in range(1, 4)
    ]

    write_curves(tmp_path / "curves.png", epochs, title="a run")

    assert np.asarray(Image.open(tmp_path / "curves.png")).std() > 5


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_canary_has_defects_that_are_dark_on_its_ground(recipe: Recipe) -> None:
    drawn = draw_canary(height=352, width=128, seed=7, recipe=recipe)

    dark = (drawn < 60).mean()
    assert 0.002 < dark < 0.1
    assert np.array_equal(drawn, draw_canary(height=352, width=128, seed=7, recipe=recipe))
    assert not np.array_equal(drawn, draw_canary(height=352, width=128, seed=8, recipe=recipe))
