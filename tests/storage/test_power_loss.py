"""What was promised survives the loss of everything not synced, at any moment, and a start from there works."""

from pathlib import Path

import pytest

from tests.storage.left import CHECKS
from tests.storage.traces import Traced, prepared, traced


def trace(strace: str, tmp_path: Path, scenario: str, twin: str = "") -> Traced:
    folders = prepared(tmp_path, scenario)
    return traced(strace, tmp_path / "trace", folders, scenario, str(folders[0]), twin)


@pytest.mark.parametrize(
    ("scenario", "sample"),
    [
        pytest.param("journal", 0.3, id="row-68-journal"),
        pytest.param("images", 0.02, id="row-68-images"),
        pytest.param("audit", 0.1, id="row-68-audit"),
        pytest.param("checkpoints", 0.3, id="row-68-checkpoints"),
        pytest.param("counts", 1.0, id="row-68-counts"),
        pytest.param("aside", 0.3, id="row-69-damaged-journal"),
        pytest.param("migration", 0.02, id="row-71-migration"),
    ],
)
def test_a_power_loss_at_any_moment_loses_nothing_promised(
    strace: str, tmp_path: Path, scenario: str, sample: float
) -> None:
    writer = trace(strace, tmp_path, scenario)

    assert list(writer.losses(CHECKS[scenario], sample)) == []
    assert writer.said  # something was promised


@pytest.mark.soak
@pytest.mark.parametrize("scenario", CHECKS)
def test_a_power_loss_after_each_call(strace: str, tmp_path: Path, scenario: str) -> None:
    """All of them: some 4,000 disks."""
    assert list(trace(strace, tmp_path, scenario).losses(CHECKS[scenario], sample=1.0)) == []


@pytest.mark.parametrize(
    ("scenario", "twin"),
    [
        pytest.param("journal", "normal", id="journal-synchronous-normal"),
        pytest.param("journal", "no-folder-sync", id="journal-without-sync-of-the-folder"),
        pytest.param("images", "no-folder-sync", id="images-without-sync-of-the-folder"),
        pytest.param("images", "no-fsync", id="images-without-sync-before-the-rename"),
        pytest.param("images", "cursor-first", id="images-cursor-before-the-pictures"),
        pytest.param("audit", "cursor-first", id="audit-cursor-before-the-rows"),
        pytest.param("checkpoints", "no-fsync", id="checkpoints-without-sync"),
        pytest.param("counts", "no-fsync", id="counts-without-sync"),
        pytest.param("aside", "no-plan", id="damaged-journal-moved-without-a-plan"),
        pytest.param("migration", "no-transaction", id="migration-without-one-transaction"),
    ],
)
def test_without_its_guard_a_power_loss_is_seen(strace: str, tmp_path: Path, scenario: str, twin: str) -> None:
    """The broken twins."""
    writer = trace(strace, tmp_path, scenario, twin)

    assert next(writer.losses(CHECKS[scenario]), None) is not None
