"""What every test shares: the real images where they are given, and skips that CI does not let pass."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

MAY_SKIP = ("LINE_DATA", "GPU")  # what CI does not have


@pytest.fixture(scope="session")
def line_data() -> Path:
    """The folder of real image sets. They may not be copied into the project, so CI has none."""
    given = os.environ.get("LINE_DATA")
    if not given:
        pytest.skip("LINE_DATA is not set: the real images are not here")
    return Path(given)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI a skip is a failure: there the test must find, or start, what it needs."""
    report = yield
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if report.skipped and os.environ.get("CI") == "true" and not any(word in reason for word in MAY_SKIP):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skipped under CI: {reason}"
    return report
