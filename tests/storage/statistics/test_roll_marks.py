"""A pitch is found where there is one, named by its roll, and not seen in what chance scatters."""

import numpy as np
import pytest
from numpy.typing import NDArray

from storage.statistics.missing import Missing
from storage.statistics.roll_marks import Pitch, repeating_pitch

LENGTH = 60_000.0
ROLLS = {"work roll": 1_885.0, "bridle": 1_257.0, "pinch roll": 880.0}


def shown(found: Pitch | Missing) -> Pitch:
    assert isinstance(found, Pitch), found
    return found


def scattered(seed: int, number: int) -> NDArray[np.float64]:
    return np.random.Generator(np.random.PCG64(seed)).uniform(0, LENGTH, number)


def printed(pitch: float, *, seed: int = 0, seen: float = 1.0, blur_mm: float = 2.0) -> NDArray[np.float64]:
    """Once a turn, as far as it is seen."""
    rng = np.random.Generator(np.random.PCG64(seed))
    turns = np.arange(137.0, LENGTH - 50, pitch)
    return (turns + rng.normal(0, blur_mm, len(turns)))[rng.random(len(turns)) < seen]


def pitch_of(
    positions: NDArray[np.float64], *, surrogates: int = 199, merge_mm: float = 0, level: float = 0.01
) -> Pitch:
    return shown(
        repeating_pitch(
            positions,
            length_mm=LENGTH,
            shortest_mm=300,
            longest_mm=2_500,
            rolls_mm=ROLLS,
            surrogates=surrogates,
            merge_mm=merge_mm,
            level=level,
        )
    )


@pytest.mark.parametrize("roll", ROLLS)
@pytest.mark.parametrize("others", [0, 60])
def test_a_roll_is_named_by_its_circumference(roll: str, others: int) -> None:
    positions = np.concatenate([printed(ROLLS[roll]), scattered(1, others)])

    found = pitch_of(positions)

    assert found.significant
    assert found.p_value == pytest.approx(1 / 200)
    assert found.roll == roll
    assert found.period_mm == pytest.approx(ROLLS[roll], abs=found.uncertainty_mm)
    assert found.diameter_mm == pytest.approx(ROLLS[roll] / np.pi, rel=0.02)


def test_a_mark_that_is_seen_every_other_turn_is_found() -> None:
    found = pitch_of(np.concatenate([printed(880.0, seen=0.5), scattered(2, 30)]))

    assert found.roll == "pinch roll"


def test_a_sharp_mark_is_its_turn_and_not_a_fraction_of_it() -> None:
    """Without blur all fractions of the turn have the same power."""
    for seed in range(8):
        found = pitch_of(np.concatenate([printed(1_885.0, blur_mm=0.0), scattered(seed, 25)]))

        assert found.roll == "work roll"


def test_a_pitch_of_no_roll_is_told_without_a_name() -> None:
    found = pitch_of(printed(1_000.0))

    assert found.significant
    assert found.roll is None
    assert found.period_mm == pytest.approx(1_000, abs=1)


def test_chance_is_taken_for_a_pitch_no_more_often_than_the_level() -> None:
    p_values = np.array(
        [pitch_of(scattered(seed, 20 + 3 * (seed % 40)), surrogates=39, level=0.05).p_value for seed in range(250)]
    )

    assert np.mean(p_values <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 250)
    assert np.mean(p_values <= 0.5) == pytest.approx(0.5, abs=0.1)


def test_a_test_that_forgets_its_search_fires_nearly_always() -> None:
    """The broken twin: the best of many pitches, judged as if it were the only one."""
    pitches = 1 / np.linspace(1 / 2_500, 1 / 300, 400)
    fired = 0
    for seed in range(50):
        marks = scattered(seed, 80)
        powers = np.abs(np.exp(2j * np.pi * marks / pitches[:, None]).sum(axis=1)) ** 2 / len(marks)
        fired += bool(np.exp(-powers.max()) <= 0.01)

    assert fired > 40


@pytest.mark.parametrize(
    "positions",
    [
        pytest.param(LENGTH * np.random.Generator(np.random.PCG64(3)).beta(1, 3, 300), id="denser-at-the-head"),
        pytest.param(np.concatenate([scattered(4, 100), 0.2 * scattered(5, 200)]), id="a-bad-first-fifth"),
        pytest.param(np.concatenate([scattered(6, 60), 20_000 + scattered(7, 40) / 60]), id="a-burst-of-one-metre"),
        pytest.param(np.concatenate([scattered(8, 60), 20_000 + scattered(9, 90) / 300]), id="a-burst-of-20-cm"),
    ],
)
def test_what_is_dense_in_places_has_no_pitch(positions: NDArray[np.float64]) -> None:
    assert not pitch_of(positions).significant


def test_a_burst_would_have_one_if_each_mark_weighed_the_same() -> None:
    """The broken twin of the weights: power of a burst of 20 cm among few others, against any uniform scatter."""
    burst = np.concatenate([scattered(8, 60), 20_000 + scattered(9, 90) / 300])

    power = np.abs(np.exp(2j * np.pi * burst / 2_400).sum()) ** 2 / len(burst)

    assert np.exp(-power) < 1e-12


def test_regions_of_one_mark_are_one_mark() -> None:
    rng = np.random.Generator(np.random.PCG64(11))
    regions = (scattered(10, 25)[:, None] + rng.uniform(-15, 15, (25, 8))).clip(0, LENGTH).ravel()

    merged, apart = pitch_of(regions, merge_mm=50), pitch_of(regions)

    assert not merged.significant
    assert merged.marks < 30
    assert apart.significant  # the broken twin: each region for itself


def test_a_report_is_the_same_each_time() -> None:
    positions = np.concatenate([printed(880.0, seen=0.3), scattered(2, 90)])

    assert pitch_of(positions) == pitch_of(positions[::-1])


@pytest.mark.parametrize(
    ("positions", "longest_mm", "why"),
    [
        pytest.param([], 2_500, "0 marks", id="none"),
        pytest.param([1.0, 900.0, 1_800.0], 2_500, "3 marks", id="few"),
        pytest.param(list(range(0, 50_000, 1_000)), 20_000, "fewer than 5 turns", id="short-strip"),
    ],
)
def test_what_is_missing_is_said(positions: list[float], longest_mm: float, why: str) -> None:
    found = repeating_pitch(positions, length_mm=LENGTH, shortest_mm=300, longest_mm=longest_mm)

    assert isinstance(found, Missing)
    assert why in found.why


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        pytest.param({"positions_mm": [-1.0]}, "on the strip", id="off-the-strip"),
        pytest.param({"positions_mm": [float("nan")]}, "on the strip", id="nan"),
        pytest.param({"shortest_mm": 3_000.0}, "shortest", id="shortest-is-longer"),
        pytest.param({"merge_mm": 100.0}, "quarter", id="merges-a-pitch"),
        pytest.param({"shortest_mm": 1.0}, "more than 20000 turns", id="too-fine"),
        pytest.param({"surrogates": 19}, "surrogates reach 0.05", id="too-few-surrogates"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, float], what: str) -> None:
    asked = {"positions_mm": scattered(1, 30), "length_mm": LENGTH, "shortest_mm": 300.0, "longest_mm": 2_500.0}

    with pytest.raises(ValueError, match=what):
        repeating_pitch(**(asked | changed))  # type: ignore[arg-type]
