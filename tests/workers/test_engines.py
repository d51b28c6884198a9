"""One contract over every engine."""

from itertools import pairwise
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.workers.builders import HEIGHT, WIDTH, a_net
from workers.engines import Engine, EngineName, open_engine

ENGINES: tuple[EngineName, ...] = get_args(EngineName)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return open_engine(request.param, a_net(), height=HEIGHT, width=WIDTH, threads=1)


def an_image(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH), np.float32)


def test_it_says_its_name(engine: Engine) -> None:
    assert engine.name in ENGINES


def test_an_image_gives_a_probability_of_its_size(engine: Engine) -> None:
    found = engine(an_image())

    assert found.shape == (HEIGHT, WIDTH)
    assert found.dtype == np.float32
    assert 0 <= found.min() < found.max() <= 1


def test_the_same_image_gives_the_same_answer_and_keeps_it(engine: Engine) -> None:
    first = engine(an_image())
    kept = first.copy()

    engine(an_image(1))

    assert np.array_equal(first, kept)
    assert np.array_equal(engine(an_image()), kept)


def test_nan_comes_out_as_nan(engine: Engine) -> None:
    image = an_image()
    image[10, 10] = np.nan

    assert np.isnan(engine(image)).any()


def test_a_view_is_scored_as_its_copy(engine: Engine) -> None:
    wide = np.repeat(an_image(), 2, axis=1)

    assert np.array_equal(engine(wide[:, ::2]), engine(an_image()))


def test_the_engines_agree() -> None:
    net, image = a_net(), an_image()

    found = [open_engine(name, net, height=HEIGHT, width=WIDTH, threads=1)(image) for name in ENGINES]

    for one, other in pairwise(found):
        assert np.allclose(one, other, atol=1e-4)
