"""A target of known millimetres is measured as closely as is said, and one that gives no calibration is refused."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from monitor.rules import calibration, targets
from monitor.rules.calibration import Fit, Unfit, fit
from monitor.rules.targets import Found, NoTarget, Pattern, Target, find_target
from tests.monitor.drawn_targets import Grey, Seen, a_chessboard, a_dot_grid

COLUMNS = {Pattern.CHESSBOARD: 9, Pattern.DOTS: 9, Pattern.STAGGERED: 4}
ROWS = 11
SEEDS = 16  # of each pattern


def a_target(pattern: Pattern, *, more_columns: int = 0, more_rows: int = 0) -> Target:
    return Target(pattern=pattern, columns=COLUMNS[pattern] + more_columns, rows=ROWS + more_rows, pitch_mm=10.0)


def pictured(pattern: Pattern, seen: Seen, seed: int = 0) -> Grey:
    if pattern is Pattern.CHESSBOARD:
        return a_chessboard(seen, columns=9, rows=ROWS, pitch_mm=10.0, seed=seed)
    staggered = pattern is Pattern.STAGGERED
    return a_dot_grid(seen, columns=COLUMNS[pattern], rows=ROWS, pitch_mm=10.0, staggered=staggered, seed=seed)


def measured(pattern: Pattern, seen: Seen, seed: int = 0) -> Fit:
    return fit(find_target(pictured(pattern, seen, seed), a_target(pattern)))


def misses(pattern: Pattern) -> Iterator[tuple[float, float, float]]:
    """(across, line, area): each error as a multiple of its stated uncertainty, over cameras of all kinds."""
    rng = np.random.default_rng(11)
    for seed in range(SEEDS):
        seen = Seen(
            mm_per_px_across=0.45 * rng.uniform(0.95, 1.05),
            mm_per_line=rng.choice([0.45, 0.6, 0.9]) * rng.uniform(0.95, 1.05),
            angle_deg=rng.uniform(-12.0, 12.0),
            shear_deg=rng.uniform(-4.0, 4.0),
            noise=rng.uniform(1.0, 8.0),
        )
        found = measured(pattern, seen, seed)
        area = found.mm_per_px_across * found.mm_per_line * np.cos(np.radians(found.shear_deg))
        yield (
            (found.mm_per_px_across / seen.mm_per_px_across - 1) / found.uncertainty_across,
            (found.mm_per_line / seen.mm_per_line - 1) / found.uncertainty_line,
            (area / seen.mm2_per_px - 1) / found.uncertainty_area,
        )


@pytest.mark.parametrize("pattern", list(Pattern))
def test_the_error_lies_within_the_uncertainty_as_often_as_it_should(pattern: Pattern) -> None:
    off = np.abs(np.array(list(misses(pattern))))  # (SEEDS, 3)

    within_one = (off < 1).sum(axis=0)

    # of a normal error 68 % lie within one: fewer than 6 of 16 has a chance of 1 %, that one lies beyond 5 of 10⁻⁵
    assert (within_one >= 6).all()
    assert (off < 5).all()
    assert (np.sqrt((off**2).mean(axis=0)) > 0.25).all()  # nor is it idly large


def test_without_the_second_look_at_corners_a_board_is_too_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "cornerSubPix", lambda _image, corners, *_: corners)

    off = np.abs(np.array(list(misses(Pattern.CHESSBOARD))))

    assert ((off < 1).sum(axis=0) < 6).any()


@pytest.mark.parametrize("pattern", list(Pattern))
def test_angle_and_shear_are_told_apart(pattern: Pattern) -> None:
    found = measured(pattern, Seen(angle_deg=7.0, shear_deg=3.0))

    assert found.angle_deg == pytest.approx(7.0, abs=0.05)
    assert found.shear_deg == pytest.approx(3.0, abs=0.05)
    assert found.points == COLUMNS[pattern] * ROWS


def test_scales_change_places_when_the_picture_is_turned_and_stay_when_it_is_mirrored() -> None:
    picture = pictured(Pattern.DOTS, Seen(mm_per_line=0.6, shear_deg=3.0))

    turned, mirrored = (
        fit(find_target(np.ascontiguousarray(each), a_target(Pattern.DOTS)))
        for each in (np.rot90(picture), picture[:, ::-1])
    )

    assert turned.mm_per_px_across == pytest.approx(0.6, rel=1e-3)
    assert turned.mm_per_line == pytest.approx(0.45, rel=1e-3)
    assert (mirrored.mm_per_px_across, mirrored.mm_per_line) == pytest.approx((0.45, 0.6), rel=1e-3)
    assert mirrored.shear_deg == pytest.approx(-3.0, abs=0.05)


@pytest.mark.parametrize("pattern", list(Pattern))
def test_light_on_dark_is_a_target_too(pattern: Pattern) -> None:
    faint = (100 + (255 - pictured(pattern, Seen())) // 5).astype(np.uint8)

    found = fit(find_target(faint, a_target(pattern)))

    assert found.mm_per_line == pytest.approx(0.5, rel=1e-3)


def half(picture: Grey) -> Grey:
    cut = picture.copy()
    cut[:, picture.shape[1] // 2 :] = 205
    return cut


@pytest.mark.parametrize("pattern", list(Pattern))
@pytest.mark.parametrize(
    ("picture", "more"),
    [
        pytest.param(lambda _: np.full((400, 320), 128, np.uint8), (0, 0), id="nothing"),
        pytest.param(
            lambda _: np.random.default_rng(1).integers(0, 255, (400, 320)).astype(np.uint8), (0, 0), id="noise"
        ),
        pytest.param(half, (0, 0), id="half-of-it"),
        pytest.param(lambda whole: whole, (1, 0), id="a-column-too-many"),
        pytest.param(lambda whole: whole, (-1, 0), id="a-column-too-few"),
        pytest.param(lambda whole: whole, (0, 1), id="a-row-too-many"),
        pytest.param(lambda whole: whole, (0, -1), id="a-row-too-few"),
    ],
)
def test_what_is_not_the_target_is_not_found(pattern: Pattern, picture: object, more: tuple[int, int]) -> None:
    assert callable(picture)
    wanted = a_target(pattern, more_columns=more[0], more_rows=more[1])

    with pytest.raises(NoTarget, match=r"seen whole in it|goes on beyond"):
        find_target(picture(pictured(pattern, Seen())), wanted)


def test_without_the_look_around_a_part_of_a_grid_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "BESIDE", 0.0)

    found = find_target(pictured(Pattern.DOTS, Seen()), a_target(Pattern.DOTS, more_columns=-1))

    assert len(found.px) == (COLUMNS[Pattern.DOTS] - 1) * ROWS


@pytest.mark.parametrize("pattern", list(Pattern))
def test_a_camera_that_looks_askew_is_refused_with_the_number(pattern: Pattern) -> None:
    with pytest.raises(Unfit, match=r"areas differ by \d+\.\d% .* at most 3%"):
        measured(pattern, Seen(perspective=0.12))


def test_a_little_perspective_stands_in_the_uncertainty() -> None:
    square, askew = (measured(Pattern.DOTS, Seen(perspective=share)) for share in (0.0, 0.03))

    # the target takes 200 px of 320, so 1.9 % of the 3 % of an area
    assert askew.perspective == pytest.approx(0.019, rel=0.2)
    assert askew.uncertainty_area > 0.019 / np.sqrt(12) * 0.8 > 20 * square.uncertainty_area


def test_without_its_limit_an_askew_camera_would_be_one_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "PERSPECTIVE_MOST", 1.0)

    assert measured(Pattern.DOTS, Seen(perspective=0.12)).perspective > 0.05


def bent(found: Found, amplitude_px: float) -> Found:
    """A belt that does not keep its speed."""
    wave = amplitude_px * np.sin(found.px[:, 1] / 12.0)
    return Found(px=found.px + np.column_stack([np.zeros_like(wave), wave]), mm=found.mm)


def test_points_off_their_places_are_refused_with_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    found = bent(find_target(pictured(Pattern.DOTS, Seen()), a_target(Pattern.DOTS)), 2.0)

    with pytest.raises(Unfit, match=r"by 0\.\d\d px \(root mean square\), at most 0\.5 px"):
        fit(found)

    monkeypatch.setattr(calibration, "RESIDUAL_MOST_PX", 9.0)
    assert fit(found).residual_px > 0.5


def test_lines_that_lean_too_far_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_target(pictured(Pattern.DOTS, Seen(shear_deg=20.0)), a_target(Pattern.DOTS))

    with pytest.raises(Unfit, match=r"lines lean by 20\.0°, at most 15°"):
        fit(found)

    monkeypatch.setattr(calibration, "SHEAR_MOST_DEG", 45.0)
    assert fit(found).shear_deg == pytest.approx(20.0, abs=0.1)


def test_a_pitch_that_is_not_sure_makes_an_area_twice_as_unsure() -> None:
    found = find_target(pictured(Pattern.DOTS, Seen()), a_target(Pattern.DOTS))

    unsure = fit(found, pitch_uncertainty=0.01)

    assert unsure.uncertainty_across == pytest.approx(0.01, rel=0.01)
    assert unsure.uncertainty_area == pytest.approx(0.02, rel=0.01)
