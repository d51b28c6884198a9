"""Warm-up, cosine and balance meet their ends."""

import pytest

from workers.schedule import BALANCE_END, balance, rate


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(0, 0.0, id="starts at nothing"),
        pytest.param(5, 0.00625, id="half way up"),
        pytest.param(10, 0.0125, id="peak"),
        pytest.param(55, (0.0125 + 1e-4) / 2, id="half way down"),
        pytest.param(100, 1e-4, id="last step"),
    ],
)
def test_rate(step: int, expected: float) -> None:
    assert rate(step, warmup=10, total=101, peak=0.0125, final=1e-4) == pytest.approx(expected)


def test_a_run_without_warm_up_starts_at_its_peak() -> None:
    assert rate(0, warmup=0, total=101, peak=0.0125, final=1e-4) == pytest.approx(0.0125)


def test_balance_falls_from_one() -> None:
    values = [balance(step, total=50) for step in range(50)]

    assert values[0] == 1.0
    assert values[-1] == pytest.approx(BALANCE_END)
    assert values == sorted(values, reverse=True)
