"""What the tests of the nets share: a core for each of the tests that run at a time."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_core() -> None:
    """Two of torch's threads spin while either waits for a core that another test has."""
    torch.set_num_threads(1)
