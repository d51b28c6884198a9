"""The net of the paper: its size, any image size, and no dead parameter."""

import pytest
import torch

from tests.workers.builders import SPEC, a_net
from workers.models import build_model
from workers.models.anomalyseg import SAFM
from workers.models.spec import AnomalySegSpec


def test_the_papers_net_has_its_number_of_parameters() -> None:
    net = build_model(AnomalySegSpec())

    parameters = sum(parameter.numel() for parameter in net.parameters())

    assert parameters == pytest.approx(2.37e6, rel=0.01)


def test_without_the_depth_wise_convolution_the_number_is_missed() -> None:
    net = build_model(AnomalySegSpec())
    depth_wise = sum(p.numel() for m in net.modules() if isinstance(m, SAFM) for p in m.ffn[1].parameters())

    parameters = sum(parameter.numel() for parameter in net.parameters()) - depth_wise

    assert parameters != pytest.approx(2.37e6, rel=0.01)


@pytest.mark.parametrize("stride", [pytest.param(1, id="s1"), pytest.param(2, id="s2"), pytest.param(4, id="s4")])
@pytest.mark.parametrize(
    "size", [pytest.param((33, 21), id="odd"), pytest.param((16, 160), id="wide"), pytest.param((7, 5), id="tiny")]
)
def test_any_size_comes_back_as_it_went_in(size: tuple[int, int], stride: int) -> None:
    net = a_net(SPEC.model_copy(update={"stem_stride": stride}))

    logits = net(torch.randn(2, 1, *size))

    assert logits.shape == (2, 1, *size)
    assert torch.isfinite(logits).all()


def test_probability_is_the_sigmoid_of_the_logits() -> None:
    net, image = build_model(SPEC).eval(), torch.randn(1, 1, 32, 24)

    probability = net.probability(image)

    assert torch.equal(probability, torch.sigmoid(net(image)))


def test_gradients_reach_every_parameter() -> None:
    net = a_net(AnomalySegSpec(width=4, stem_stride=2)).train()

    net(torch.randn(2, 1, 32, 32)).square().sum().backward()

    idle = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"width": 4}, id="width"),
        pytest.param({"expansion": 4}, id="expansion"),
        pytest.param({"blocks": 2}, id="blocks"),
    ],
)
def test_each_number_of_the_spec_changes_the_size(change: dict[str, int]) -> None:
    sizes = [sum(p.numel() for p in build_model(spec).parameters()) for spec in (SPEC, SPEC.model_copy(update=change))]

    assert sizes[1] > sizes[0]
