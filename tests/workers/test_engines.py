"""One contract over every engine, on every device, for grey and colour: a batch answers as its images one by one."""

from itertools import pairwise
from typing import NamedTuple, get_args

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from config.loader import ConfigError, load_station, parse_station
from config.training import DeviceName
from tests.workers.builders import HEIGHT, SPEC, WIDTH, a_net
from workers.engines import Engine, EngineLost, EngineName, open_engine
from workers.engines.passes import scored
from workers.errors import ModelError

NAMES: tuple[EngineName, ...] = get_args(EngineName)


class Kind(NamedTuple):
    name: EngineName
    device: DeviceName
    batch_most: int
    channels: int


RUNTIMES: tuple[tuple[EngineName, DeviceName, int], ...] = (
    ("openvino", "cpu", 1),
    ("torch", "cpu", 1),
    ("torch", "cpu", 3),
    ("torch", "cuda", 3),
)
KINDS = [
    pytest.param(Kind(name, device, most, channels), id=f"{name}-{device}-{most}-{'grey' if channels == 1 else 'rgb'}")
    for name, device, most in RUNTIMES
    for channels in (1, 3)
]
HALF = 0.03  # half precision on CUDA: 8 bits of a logit, and other kernels for another batch


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    if chosen.device == "cuda" and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    return chosen


@pytest.fixture(scope="module")
def engine(kind: Kind) -> Engine:
    return an_engine(kind)


def an_engine(kind: Kind) -> Engine:
    return open_engine(
        kind.name,
        a_net(SPEC.model_copy(update={"channels": kind.channels})),
        height=HEIGHT,
        width=WIDTH,
        channels=kind.channels,
        threads=1,
        device=kind.device,
        batch_most=kind.batch_most,
    )


def some_images(kind: Kind, n: int = 1, *, seed: int = 0) -> NDArray[np.float32]:
    shape = (n, HEIGHT, WIDTH) if kind.channels == 1 else (n, HEIGHT, WIDTH, kind.channels)
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def tolerance(kind: Kind) -> float:
    return HALF if kind.device == "cuda" else 1e-4


def test_it_says_its_name(engine: Engine, kind: Kind) -> None:
    assert engine.name == {"cpu": kind.name, "cuda": "torch-cuda"}[kind.device]
    assert engine.batch_most == kind.batch_most


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_images_give_a_probability_of_their_size(engine: Engine, kind: Kind, n: int) -> None:
    found = engine(some_images(kind, n))

    assert found.shape == (n, HEIGHT, WIDTH)
    assert found.dtype == np.float32
    assert 0 <= found.min() < found.max() <= 1


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_batch_answers_as_its_images_one_by_one(engine: Engine, kind: Kind, n: int) -> None:
    images = some_images(kind, n)

    found = engine(images)

    alone = np.concatenate([engine(images[i : i + 1]) for i in range(n)])
    assert np.ptp(alone, axis=0).max() > 0.01  # images that look alike would hide a mixed-up order
    assert np.allclose(found, alone, atol=tolerance(kind))


def test_the_same_images_give_the_same_answer_and_keep_it(engine: Engine, kind: Kind) -> None:
    first = engine(some_images(kind, 2))
    kept = first.copy()

    engine(some_images(kind, 2, seed=1))

    assert np.array_equal(first, kept)
    assert np.array_equal(engine(some_images(kind, 2)), kept)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [0, 1, 4])
def test_what_is_not_finite_comes_out_as_nan_of_that_image_alone(
    engine: Engine, kind: Kind, at: int, broken: float
) -> None:
    images = some_images(kind, 5)
    sound = engine(images)
    images[at, 10, 10] = broken

    found = engine(images)

    others = [i for i in range(5) if i != at]
    assert np.isnan(found[at]).all()
    assert np.allclose(found[others], sound[others], atol=tolerance(kind))


def test_nothing_but_broken_images_is_all_nan(engine: Engine, kind: Kind) -> None:
    found = engine(np.full_like(some_images(kind, 2), np.nan))

    assert found.shape == (2, HEIGHT, WIDTH)
    assert np.isnan(found).all()


def test_a_view_is_scored_as_its_copy(engine: Engine, kind: Kind) -> None:
    wide = np.repeat(some_images(kind, 2), 2, axis=2)

    assert np.array_equal(engine(wide[:, :, ::2]), engine(some_images(kind, 2)))


def test_images_of_other_channels_are_refused_before_the_net_sees_them(engine: Engine, kind: Kind) -> None:
    other = some_images(kind._replace(channels=4 - kind.channels))

    with pytest.raises(ValueError, match=f"a net of {kind.channels} channels takes"):
        engine(other)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_engines_agree(channels: int) -> None:
    kinds = [Kind(name, "cpu", 2, channels) for name in NAMES]

    found = [an_engine(each)(some_images(each, 3)) for each in kinds]

    for one, other in pairwise(found):
        assert np.allclose(one, other, atol=1e-4)


def test_a_pass_has_as_many_images_as_it_may() -> None:
    shown: list[int] = []

    def run(planes: NDArray[np.float32]) -> NDArray[np.float32]:
        shown.append(len(planes))
        return np.nan_to_num(planes[:, 0])  # as a runtime may

    images = some_images(Kind("torch", "cpu", 3, 1), 8)
    images[2] = np.nan

    found = scored(images, run, channels=1, most=3)

    assert shown == [3, 3, 1]
    assert np.array_equal(found, images, equal_nan=True)


class Overrun(nn.Module):
    """A net whose logits run over, as half precision may."""

    def forward(self, image: Tensor) -> Tensor:
        return torch.where(image > 0, torch.inf, -torch.inf)


def test_a_logit_that_is_not_finite_is_nan_and_no_sound_part() -> None:
    engine = open_engine("torch", Overrun(), height=HEIGHT, width=WIDTH, threads=1, device="cpu")

    assert np.isnan(engine(some_images(Kind("torch", "cpu", 1, 1)))).all()


class Lost(nn.Module):
    """A net whose device is gone."""

    def __init__(self, error: RuntimeError) -> None:
        super().__init__()
        self.error = error

    def forward(self, image: Tensor) -> Tensor:
        raise self.error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        pytest.param(torch.OutOfMemoryError("no memory."), "no memory. A smaller model.batch", id="out-of-memory"),
        pytest.param(RuntimeError("CUDA error: unspecified\nCompile with"), "CUDA error: unspecified$", id="cuda"),
    ],
)
def test_a_device_that_fails_is_lost_with_its_own_words(error: RuntimeError, says: str) -> None:
    engine = open_engine("torch", Lost(error), height=HEIGHT, width=WIDTH, threads=1, device="cpu", batch_most=2)

    with pytest.raises(EngineLost, match=f"torch: a pass over 2 images failed: {says}"):
        engine(some_images(Kind("torch", "cpu", 2, 1), 2))


def test_a_gpu_that_is_asked_for_is_never_replaced_in_silence() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")

    with pytest.raises(ModelError, match="torch finds no such device"):
        open_engine("torch", a_net(), height=HEIGHT, width=WIDTH, threads=1, device="cuda")


def test_openvino_and_a_gpu_are_refused_where_the_station_names_them() -> None:
    table = load_station("rail-03").model_dump(exclude_none=True)
    table["model"]["device"] = "cuda"

    with pytest.raises(ConfigError, match=r"^rail-03\.model\.device: 'cuda': the engine 'openvino' runs on the CPU"):
        parse_station(table, at="rail-03")


def test_a_net_on_the_gpu_leaves_the_caller_s_where_it_is() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    net = a_net()

    open_engine("torch", net, height=HEIGHT, width=WIDTH, threads=1, device="cuda")

    assert {p.device.type for p in net.parameters()} == {"cpu"}


def test_cuda_agrees_with_the_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    on_cpu, on_gpu = Kind("torch", "cpu", 4, 1), Kind("torch", "cuda", 4, 1)

    assert np.allclose(an_engine(on_gpu)(some_images(on_gpu, 4)), an_engine(on_cpu)(some_images(on_cpu, 4)), atol=HALF)
