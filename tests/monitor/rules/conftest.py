"""Sound surfaces and what was learned from half of them."""

import pytest

from monitor.rules.baseline import Baseline
from tests.monitor.exposures import Pixels, a_baseline, surfaces


@pytest.fixture(scope="session")
def drawn() -> list[Pixels]:
    return surfaces(64)


@pytest.fixture(scope="session")
def learned(drawn: list[Pixels]) -> Baseline:
    return a_baseline(drawn[::2])
