"""Every net of the paper's tables: its size, any size of image, no dead parameter, the same answer in OpenVINO."""

import sys

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from tests.workers.builders import a_net
from workers.engines import open_engine
from workers.errors import ModelError
from workers.models import build_model
from workers.models.net import FIRST_LOGIT, SegmentationNet
from workers.models.paper import PAPER
from workers.models.spec import SPECS, AnomalySegSpec, NetSpec, net_spec

OURS = sorted(set(SPECS) - {"fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenetv3"})
ADAPTER: TypeAdapter[NetSpec] = TypeAdapter(NetSpec)
every_net = pytest.mark.parametrize("kind", sorted(SPECS))


def a_spec(kind: str, *, width: int | None = 4, channels: int = 1) -> NetSpec:
    return net_spec(kind, width=width, channels=channels, expansion=2, blocks=1, stem_stride=2)


def a_settled_net(kind: str) -> SegmentationNet:
    """Its normalisation has seen a batch, so that the answer depends on the image."""
    torch.manual_seed(1)
    net = build_model(a_spec(kind))
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    net.train()(torch.randn(4, 1, 70, 45))
    return net.eval()


@pytest.mark.parametrize(
    ("kind", "millions", "within"),
    [
        pytest.param("anomalyseg", 2.37, 0.01, id="anomalyseg"),
        pytest.param("anatomynet", 0.602, 0.01, id="anatomynet"),
        pytest.param("attentionunet", 34.88, 0.01, id="attentionunet"),
        pytest.param("unetplusplus", 9.16, 0.01, id="unetplusplus"),
        pytest.param("unet", 4.32, 0.001, id="unet"),
        pytest.param("fcn_resnet50", 32.947, 1e-4, id="fcn"),
        pytest.param("deeplabv3_resnet50", 39.63, 1e-3, id="deeplabv3"),
        pytest.param("lraspp_mobilenetv3", 3.218, 1e-4, id="lraspp"),
    ],
)
def test_it_has_its_number_of_parameters(kind: str, millions: float, within: float) -> None:
    with torch.device("meta"):
        net = build_model(net_spec(kind, width=None, channels=1, expansion=2, blocks=2, stem_stride=2))

    parameters = sum(parameter.numel() for parameter in net.parameters())

    assert parameters == pytest.approx(millions * 1e6, rel=within)


@pytest.mark.parametrize("kind", sorted(PAPER))
def test_where_the_paper_s_number_is_missed_its_note_says_why(kind: str) -> None:
    with torch.device("meta"):
        net = build_model(net_spec(kind, width=None, channels=1, expansion=2, blocks=2, stem_stride=2))

    parameters = sum(parameter.numel() for parameter in net.parameters())

    if parameters != pytest.approx(PAPER[kind].parameters_m * 1e6, rel=0.01):
        assert PAPER[kind].note


@pytest.mark.parametrize("kind", OURS)
@pytest.mark.parametrize(
    "size",
    [
        pytest.param((1250, 55), id="rsdds-2"),
        pytest.param((160, 1000), id="rsdds-1-lying"),
        pytest.param((1408, 512), id="kolektorsdd"),
        pytest.param((230, 630), id="kolektorsdd2"),
        pytest.param((7, 5), id="tiny"),
    ],
)
def test_any_size_comes_back_as_a_probability(kind: str, size: tuple[int, int]) -> None:
    assert_probability(build_model(a_spec(kind, width=2)).eval(), torch.randn(1, 1, *size))


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        pytest.param("fcn_resnet50", (1250, 55), id="fcn"),
        pytest.param("deeplabv3_resnet50", (230, 630), id="deeplabv3"),
        pytest.param("lraspp_mobilenetv3", (1250, 55), id="lraspp-tall"),
        pytest.param("lraspp_mobilenetv3", (1408, 512), id="lraspp-large"),
    ],
)
def test_torchvisions_too(kind: str, size: tuple[int, int]) -> None:
    assert_probability(build_model(a_spec(kind)).eval(), torch.randn(1, 1, *size))


def assert_probability(net: SegmentationNet, image: torch.Tensor) -> None:
    with torch.inference_mode():
        found = net.probability(image)

    assert found.shape == (1, 1, *image.shape[-2:])
    assert torch.isfinite(found).all()
    assert 0 <= found.min() <= found.max() <= 1


@every_net
def test_colour_goes_in_as_three_channels(kind: str) -> None:
    net = build_model(a_spec(kind, channels=3)).eval()

    with torch.inference_mode():
        found = net(torch.randn(1, 3, 33, 40))

    assert found.shape == (1, 1, 33, 40)


@every_net
def test_an_untrained_net_says_none(kind: str) -> None:
    net = build_model(a_spec(kind, width=8)).eval()

    with torch.inference_mode():
        found = net(torch.zeros(1, 1, 48, 40))

    assert found.median() == pytest.approx(FIRST_LOGIT, abs=1)


@every_net
def test_gradients_reach_every_parameter(kind: str) -> None:
    torch.manual_seed(0)
    net = build_model(a_spec(kind)).train()

    net(torch.randn(2, 1, 48, 40)).square().sum().backward()

    idle = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        *(pytest.param(kind, (70, 45), id=f"{kind}-odd") for kind in sorted(SPECS)),
        *(pytest.param(kind, (128, 96), id=f"{kind}-even") for kind in OURS),
    ],
)
def test_openvino_agrees_with_torch(kind: str, size: tuple[int, int]) -> None:
    net, image = a_settled_net(kind), np.random.default_rng(0).standard_normal(size, np.float32)

    reference, found = (
        open_engine(name, net, height=size[0], width=size[1], threads=1, device="cpu")(image[None])
        for name in ("torch", "openvino")
    )

    assert np.ptp(reference) > 1e-3  # a net that says the same everywhere agrees with everything
    assert np.allclose(found, reference, atol=1e-4)


@every_net
def test_a_spec_survives_json(kind: str) -> None:
    spec = a_spec(kind, width=6, channels=3)

    assert ADAPTER.validate_json(ADAPTER.dump_json(spec)) == spec
    assert spec.kind == kind


def test_a_kind_takes_only_its_own_numbers() -> None:
    spec = net_spec("unet", width=None, channels=1, expansion=7, blocks=5, stem_stride=4)

    assert spec.model_dump() == {"kind": "unet", "channels": 1, "width": 32}


def test_the_weights_of_the_paper_s_net_keep_their_names() -> None:
    names = set(a_net(AnomalySegSpec(width=2, blocks=1)).state_dict())

    assert {"encode1.0.safm.near.weight", "decode3.0.main.1.weight", "decode3.0.shortcut.weight"} <= names
    assert {"stem.0.weight", "refine.0.weight", "head.weight", "head.bias"} <= names


def test_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"'unet2' is not one of .*; 'unet' is near"):
        a_spec("unet2")

    with pytest.raises(ValidationError, match="'unet2'"):
        ADAPTER.validate_python({"kind": "unet2"})


def test_without_torchvision_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)

    with pytest.raises(ModelError, match=r"'fcn_resnet50' needs torchvision .*line-monitor\[paper\]"):
        build_model(a_spec("fcn_resnet50"))
