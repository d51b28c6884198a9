"""What every test shares: the real images where they are given, and skips that CI does not let pass."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from benchmarks.brokers import BROKERED, BROKERS, a_broker

NO_BROKER = "no MQTT broker is here: install mosquitto, or python -m pip install amqtt"
MAY_SKIP = ("LINE_DATA", "GPU")  # what CI does not have


@pytest.fixture(scope="session")
def line_data() -> Path:
    """The folder of real image sets. They may not be copied into the project, so CI has none."""
    given = os.environ.get("LINE_DATA")
    if not given:
        pytest.skip("LINE_DATA is not set: the real images are not here")
    return Path(given)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What goes through a broker starts one of its own."""
    given = getattr(item, "callspec", None)
    if not BROKERS and given is not None and given.params.get("protocol") in BROKERED:
        pytest.skip(NO_BROKER)


@pytest.fixture
def broker_port() -> Iterator[int]:
    """Of a broker that lives as long as the test."""
    if not BROKERS:
        pytest.skip(NO_BROKER)
    from benchmarks.gate import free_port  # only here: it brings numpy and the twin with it

    port = free_port()
    with a_broker(port):
        yield port


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a skip is a failure: there the test must find, or start, what it needs."""
    report = yield
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if report.skipped and os.environ.get("CI") == "true" and not any(word in reason for word in MAY_SKIP):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped under CI: {reason}"
    return report
