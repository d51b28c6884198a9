"""Killed at any step on the way into the archive, no row is lost, and the next look brings it to its end."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import storage.packing
from storage.archive import archived_files
from tests.storage.archived import FILES, archive, everything, fill, is_whole, names

STEPS = 12  # at least: the syncs, renames and removals of one file


@pytest.fixture
def full(folder: Path) -> Path:
    return fill(folder)


def killed_at(step: int, folder: Path, monkeypatch: pytest.MonkeyPatch, patch: Callable[[], None]) -> bool:
    """Archives in a process of its own, killed before its n-th sync, rename or removal; whether it was."""
    child = os.fork()
    if child == 0:
        left = step

        def counted(whole: Any) -> Any:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return whole(*arguments, **named)

            return call

        for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "unlink")):
            monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
        patch()
        try:
            archive(folder)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def kill_everywhere(
    full: Path, monkeypatch: pytest.MonkeyPatch, patch: Callable[[], None] = lambda: None
) -> tuple[int, list[int]]:
    """At each step in turn, going on from there; how many, and after which of them rows were missing."""
    lost, steps = [], 0
    while killed_at(1 + steps, full, monkeypatch, patch):
        steps += 1
        if not is_whole(full, 55):
            lost.append(steps)
    return steps, lost


def test_killed_at_any_step_nothing_is_lost_and_it_is_done_in_the_end(
    full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(full)

    steps, lost = kill_everywhere(full, monkeypatch)
    archive(full)

    assert steps >= STEPS
    assert lost == []
    assert everything(full) == before
    assert len(archived_files(full / "journal")) == 3
    assert list((full / "journal" / "archive").glob("*.new")) == []


def test_removing_the_plain_file_first_would_lose_rows(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def patch() -> None:
        whole = storage.packing._read_back

        def read_back(packed: Path, manifest: Any, pace: Any) -> None:
            whole(packed, manifest, pace)
            storage.packing._remove(full / "journal" / f"{manifest.number:06d}.sqlite")

        monkeypatch.setattr(storage.packing, "_read_back", read_back)

    assert kill_everywhere(full, monkeypatch, patch)[1] != []


def test_what_was_archived_and_not_yet_removed_goes_the_next_time(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(storage.packing, "_remove", lambda _: None)
        archive(full)
    assert len(names(full)) == FILES

    archive(full)

    assert len(names(full)) == 3
    assert is_whole(full, 55)


def test_a_plain_file_whose_archive_is_not_whole_is_packed_again(full: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(storage.packing, "_remove", lambda _: None)
        archive(full)
    packed = full / "journal" / "archive" / "000001.sqlite.xz"
    packed.write_bytes(packed.read_bytes()[:-20])

    archive(full)

    assert len(names(full)) == 3
    assert is_whole(full, 55)
