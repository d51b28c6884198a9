"""A frame that is frozen, dark or saturated is not inspected, and slow drift of the light warns before."""

import math
from pathlib import Path

import numpy as np
import pytest

from config.health import Health
from monitor.messages import Reason
from monitor.rules.baseline import Baseline, typical
from monitor.rules.health import BRIGHT, CONTRAST, FOCUS, LEARNED, MEAN, REPEAT, Average, Drift, Finding, Gates, measure
from tests.monitor.exposures import GuardOut, Pixels, a_surface, exposed, read, surfaces

# --- rows 4 and 5: frozen, and a loop ----------------------------------------------------------------------------


def replayed(gates: Gates, loop: list[Pixels], rounds: int = 2) -> list[Reason | None]:
    return [gates.inspect(pixels).refusal for _ in range(rounds) for pixels in loop]


def test_row_4_the_second_of_two_equal_frames_is_frozen() -> None:
    gates = Gates(Health(), None)
    first, second = a_surface(1), a_surface(2)

    refusals = [gates.inspect(pixels).refusal for pixels in (first, second, second, second, first)]

    assert refusals == [None, None, Reason.FROZEN, Reason.FROZEN, Reason.FROZEN]


def test_row_4_the_same_surface_seen_again_is_not_frozen_as_a_sensor_has_noise() -> None:
    gates, still = Gates(Health(), None), a_surface()

    refusals = [gates.inspect(exposed(still, seed=n)).refusal for n in range(10)]

    assert refusals == [None] * 10


@pytest.mark.parametrize("period", [1, 2, 3, 17, 63, 64])
def test_row_5_a_loop_is_found_with_its_period(drawn: list[Pixels], period: int) -> None:
    gates, loop = Gates(Health(), None), drawn[:period]

    refusals = replayed(gates, loop)
    measures = gates.inspect(loop[0]).measures

    assert refusals == [None] * period + [Reason.FROZEN] * period
    assert measures[REPEAT] == period


def test_row_5_a_longer_loop_than_the_station_looks_back_is_not_found(drawn: list[Pixels]) -> None:
    assert replayed(Gates(Health(loop_frames=3), None), drawn[:4]) == [None] * 8
    assert replayed(Gates(Health(loop_frames=3), None), drawn[:3]) == [None] * 3 + [Reason.FROZEN] * 3


def test_rows_4_and_5_a_station_of_copied_files_can_do_without(drawn: list[Pixels]) -> None:
    gates = Gates(Health(loop_frames=0), None)

    assert replayed(gates, drawn[:1], rounds=5) == [None] * 5


def test_rows_4_and_5_without_the_guard_a_loop_passes(drawn: list[Pixels]) -> None:
    assert replayed(GuardOut("_frozen", Health()), drawn[:3]) == [None] * 6


def test_row_4_equal_bytes_of_another_shape_are_another_frame() -> None:
    gates, pixels = Gates(Health(), None), a_surface()

    gates.inspect(pixels)

    assert gates.inspect(pixels.reshape(500, 320)).refusal is None


# --- row 6: dark -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dead",
    [
        pytest.param(np.zeros((1000, 160), np.uint8), id="black"),
        pytest.param(exposed(np.zeros((1000, 160), np.uint8), offset=8.0), id="black-level-and-noise"),
        pytest.param(exposed(a_surface(), gain=0.08), id="a-twelfth-of-the-light"),
    ],
)
def test_row_6_a_dead_lamp_is_dark(dead: Pixels) -> None:
    assert Gates(Health(), None).inspect(dead).refusal is Reason.DARK
    assert GuardOut("_dark", Health()).inspect(dead).refusal is None


def test_row_6_black_frames_stay_dark_however_often_they_come() -> None:
    assert replayed(Gates(Health(), None), [np.zeros((1000, 160), np.uint8)], rounds=3) == [Reason.DARK] * 3


def test_row_6_a_small_part_on_a_black_ground_is_not_dark() -> None:
    ground = np.zeros((1000, 540), np.uint8)
    ground[:, 200:220] = a_surface()[:, 60:80]  # 3.7 % of the frame

    assert Gates(Health(), None).inspect(exposed(ground)).refusal is None


# --- row 7: saturated --------------------------------------------------------------------------------------------


def test_row_7_an_overexposed_frame_is_saturated() -> None:
    burnt = exposed(a_surface(), gain=4.0)

    assert Gates(Health(), None).inspect(burnt).refusal is Reason.SATURATED
    assert GuardOut("_saturated", Health()).inspect(burnt).refusal is None


def test_row_7_a_glare_on_bright_metal_is_not() -> None:
    assert Gates(Health(), None).inspect(exposed(a_surface(), gain=1.3)).refusal is None


# --- row 9: slow drift of light ----------------------------------------------------------------------------------


def first(findings: list[Finding], what: str) -> int | None:
    """The frame on which this came first."""
    return next((n for n, found in enumerate(findings) if (found.drifts if what == "drift" else found.refusal)), None)


def dimmed(gates: Gates, frames: list[Pixels], *, per_frame: float, count: int) -> list[Finding]:
    return [
        gates.inspect(exposed(frames[n % len(frames)], gain=max(0.0, 1 + per_frame * n), seed=n)) for n in range(count)
    ]


RAMP = Health(drift_frames=20)


@pytest.mark.parametrize("per_frame", [pytest.param(-0.004, id="dimmer"), pytest.param(0.012, id="brighter")])
@pytest.mark.parametrize("with_baseline", [True, False])
def test_row_9_a_slow_drift_warns_before_a_gate_trips(
    drawn: list[Pixels], learned: Baseline, per_frame: float, with_baseline: bool
) -> None:
    findings = dimmed(Gates(RAMP, learned if with_baseline else None), drawn[:16], per_frame=per_frame, count=260)

    warned, tripped = first(findings, "drift"), first(findings, "refusal")
    assert warned is not None
    assert tripped is not None
    assert warned < tripped - 50
    begun = [drift for found in findings for drift in found.drifts]
    assert {drift.measure for drift in begun} <= {MEAN, CONTRAST, FOCUS}
    assert [drift.measure for drift in begun].count(MEAN) == 1  # once an excursion
    assert math.copysign(1, next(d for d in begun if d.measure == MEAN).change_share) == math.copysign(1, per_frame)


class NeverAway(Average):
    """The guard taken out: nobody looks at where the average has got to."""

    def add(self, value: float) -> Drift | None:
        super().add(value)
        return None


def test_row_9_without_the_guard_the_gate_trips_unannounced(drawn: list[Pixels], learned: Baseline) -> None:
    gates = Gates(RAMP, learned)
    gates._averages = {name: NeverAway(name, RAMP, learned.measures[name]) for name in gates._averages}

    findings = dimmed(gates, drawn[:16], per_frame=-0.004, count=260)

    assert first(findings, "drift") is None
    assert first(findings, "refusal") is not None


def test_row_9_an_excursion_that_ends_and_comes_again_is_told_twice() -> None:
    average = Average(MEAN, Health(drift_frames=1), typical([{MEAN: 100.0}])[MEAN])

    drifts = [average.add(level) for level in (100, 125, 130, 118, 125, 105, 79)]

    assert [drift.change_share if drift else None for drift in drifts] == [
        None, pytest.approx(0.25), None, None, None, None, pytest.approx(-0.21),
    ]  # fmt: skip


def test_row_9_a_frame_that_was_not_whole_says_nothing_of_the_light(learned: Baseline) -> None:
    gates = Gates(Health(drift_frames=1), learned)
    half_sent = a_surface().copy()
    half_sent[300:] = 0

    found = gates.inspect(half_sent, whole=False)

    assert found.drifts == ()
    assert found.measures[f"{MEAN}_ewma"] == learned.measures[MEAN].median


def test_the_twins_own_lamp_is_no_drift(learned: Baseline) -> None:
    """It swings by a tenth over 700 parts."""
    gates = Gates(Health(drift_frames=20), learned)

    findings = [gates.inspect(pixels) for pixels in surfaces(128)]

    assert [(found.refusal, found.drifts) for found in findings] == [(None, ())] * 128


# --- any frame, and real ones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "files", "equal"),
    [
        pytest.param("rail400/*.jpg", 140, 0, id="rail400"),
        pytest.param("kolektorsdd/kos*/Part*.jpg", 320, 9, id="kolektorsdd"),  # the set has copies 1 and 48 back
        pytest.param("magnetic_tile/MT_*/*.jpg", 1095, 0, id="magnetic_tile"),
    ],
)
def test_real_frames_pass_the_absolute_gates(line_data: Path, pattern: str, files: int, equal: int) -> None:
    gates = Gates(Health(), None)

    findings = [gates.inspect(read(path)) for path in sorted(line_data.glob(pattern))]

    refusals = [found.refusal for found in findings]
    assert len(refusals) == files
    assert (refusals.count(None), refusals.count(Reason.FROZEN)) == (files - equal, equal)
    assert min(found.measures[BRIGHT] for found in findings) > 2 * Health().dark_below_level


def test_what_a_baseline_holds_is_what_a_frame_has() -> None:
    assert set(measure(a_surface(), Health())) == set(LEARNED)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (9, 300), (300, 9), (4000, 3000)])
def test_any_size_is_measured(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).integers(0, 255, shape, np.uint8)

    found = Gates(Health(), None).inspect(pixels)

    assert all(math.isfinite(value) for value in found.measures.values())
