"""The hybrid loss against numbers worked by hand."""

from math import log
from typing import get_args

import pytest
import torch
from torch import Tensor

from config.training import LossName
from workers.losses import (
    SMOOTH,
    SMOOTH_BY_IMAGE,
    cross_entropy_by_image,
    dice,
    dice_by_image,
    focal,
    focal_two_sided,
    loss_of,
)

# four pixels: p = 0.8, 0.5 on the defect, 0.5, 0.2 beside it
LOGITS = torch.tensor([log(4.0), 0.0, 0.0, -log(4.0)]).reshape(1, 1, 2, 2)
TRUTH = torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 2, 2)


def test_dice() -> None:
    hits, missed, false = 0.8 + 0.5, 0.2 + 0.5, 0.5 + 0.2

    assert dice(LOGITS, TRUTH).item() == pytest.approx(
        1 - (2 * hits + SMOOTH) / (2 * hits + missed + false + SMOOTH), abs=1e-6
    )


def test_focal_as_printed_counts_the_defect_alone() -> None:
    by_hand = -(0.1 * 0.2**2 * log(0.8) + 0.1 * 0.5**2 * log(0.5)) / 4

    assert focal(LOGITS, TRUTH).item() == pytest.approx(by_hand, abs=1e-7)


def test_focal_of_both_sides() -> None:
    defect = -(0.2**2 * log(0.8) + 0.5**2 * log(0.5))
    sound = -(0.5**2 * log(0.5) + 0.2**2 * log(0.8))

    assert focal_two_sided(LOGITS, TRUTH).item() == pytest.approx(0.5 * (defect + sound) / 2, abs=1e-6)


def test_a_defect_taken_for_sound_pulls_harder_with_both_sides_than_as_printed() -> None:
    truth = torch.zeros(1, 1, 64, 64)
    truth[..., 30:34, 30:34] = 1.0
    pulls = {}
    for name in get_args(LossName):
        logits = torch.full((1, 1, 64, 64), -8.0, requires_grad=True)
        loss_of(name, logits, truth, balance=1.0).backward()  # type: ignore[no-untyped-call]
        assert logits.grad is not None
        pulls[name] = float(-logits.grad[0, 0, 32, 32])

    assert pulls["hybrid_two_sided"] > 100 * pulls["hybrid"] > 0


@pytest.mark.parametrize("balance", [pytest.param(1.0, id="start"), pytest.param(0.05, id="end")])
def test_the_hybrid_weighs_its_focal_term(balance: float) -> None:
    expected = dice(LOGITS, TRUTH) + balance * focal(LOGITS, TRUTH)

    assert torch.equal(loss_of("hybrid", LOGITS, TRUTH, balance=balance), expected)


@pytest.mark.parametrize("name", [pytest.param("hybrid", id="paper"), pytest.param("hybrid_two_sided", id="two")])
@pytest.mark.parametrize("logit", [pytest.param(200.0, id="sure"), pytest.param(-200.0, id="sure-not")])
def test_a_saturated_logit_has_a_finite_loss_and_gradient(logit: float, name: str) -> None:
    logits = torch.full((1, 1, 4, 4), logit, requires_grad=True)

    loss_of(name, logits, torch.ones(1, 1, 4, 4), balance=1.0).backward()  # type: ignore[arg-type, no-untyped-call]

    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_logs_of_probabilities_would_not_be_finite() -> None:
    p = torch.sigmoid(torch.tensor(-200.0))

    assert not torch.isfinite(torch.log(p))


@pytest.mark.parametrize("half", [pytest.param(torch.bfloat16, id="bf16"), pytest.param(torch.float16, id="f16")])
def test_the_loss_is_float32_whatever_the_net_computes_in(half: torch.dtype) -> None:
    assert loss_of("hybrid", LOGITS.to(half), TRUTH, balance=1.0).dtype is torch.float32


def test_a_batch_without_a_defect_and_without_an_alarm_loses_nothing() -> None:
    quiet: Tensor = torch.full((1, 1, 8, 8), -30.0)

    assert loss_of("hybrid_two_sided", quiet, torch.zeros(1, 1, 8, 8), balance=1.0).item() < 1e-6


def test_dice_by_image_weighs_a_small_defect_as_a_large_one() -> None:
    truth = torch.zeros(2, 1, 32, 32)
    truth[0, 0, :20, :20] = 1.0
    truth[1, 0, :2, :2] = 1.0
    missed_small = torch.where(truth > 0, 30.0, -30.0)
    missed_small[1] = -30.0

    by_image = dice_by_image(missed_small, truth).item()

    assert by_image == pytest.approx(0.5 * (1 - SMOOTH_BY_IMAGE / (4 + SMOOTH_BY_IMAGE)), abs=1e-5)
    assert dice(missed_small, truth).item() < 0.1 * by_image  # pooled, the small one is nothing


def test_cross_entropy_by_image_lets_few_defect_pixels_weigh_a_hundredth() -> None:
    logits, truth = torch.zeros(1, 1, 100, 100), torch.zeros(1, 1, 100, 100)
    truth[..., 0, :10] = 1.0  # a thousandth
    sound = (10_000 - 10) * log(2) / 10_000

    assert cross_entropy_by_image(logits, truth).item() == pytest.approx(sound + 0.01 * log(2), rel=1e-4)


def test_many_defect_pixels_weigh_what_they_are() -> None:
    truth = torch.zeros(1, 1, 10, 10)
    truth[..., :5, :] = 1.0

    assert cross_entropy_by_image(torch.zeros(1, 1, 10, 10), truth).item() == pytest.approx(log(2), rel=1e-5)


def test_balanced_is_dice_and_weighed_cross_entropy() -> None:
    expected = dice(LOGITS, TRUTH) + cross_entropy_by_image(LOGITS, TRUTH)

    assert torch.equal(loss_of("balanced", LOGITS, TRUTH, balance=1.0), expected)
