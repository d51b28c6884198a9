"""Real images through folder cameras to the end, one verdict a file. They stay where LINE_DATA says."""

import shutil
from pathlib import Path

import pytest

from benchmarks.line import Line
from tests.line.test_station import verified

SOME = 6


def replay(station: str, state: Path, line_data: Path, *arguments: str) -> dict[str, object]:
    with Line(station, state, *arguments, env={"LINE_DATA": str(line_data)}) as line:
        code = line.wait_end(220)
    assert code == 0
    verified(line)
    return line.summary()


@pytest.mark.parametrize("station", ["rail-07", "commutator-01"])
def test_some_files_of_each_set(station: str, tmp_path: Path, line_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_DATA", str(line_data))

    summary = replay(station, tmp_path, line_data, "--frames", str(SOME))

    assert summary["triggers"] == SOME
    assert summary["not_inspected"] == 0


@pytest.mark.real
@pytest.mark.parametrize(("station", "files"), [("rail-07", 140), ("commutator-01", 64)])
def test_every_file_of_each_set(
    station: str, files: int, tmp_path: Path, line_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINE_DATA", str(line_data))

    summary = replay(station, tmp_path, line_data)

    assert summary["triggers"] == summary["journal_rows"] == summary["audit_rows"] == files
    assert summary["not_inspected"] == 0


def test_a_real_frame_cut_short_is_seen(tmp_path: Path, line_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "rail400"
    root.mkdir()
    for path in sorted((line_data / "rail400").glob("*.jpg"))[:2]:
        shutil.copy(path, root)
    cut = sorted(root.glob("*.jpg"))[0]
    cut.chmod(0o644)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 2 // 3])
    monkeypatch.setenv("LINE_DATA", str(tmp_path))

    summary = replay("rail-07", tmp_path / "state", tmp_path)

    assert summary["not_inspected_reasons"] == {"incomplete": 1}
    assert summary["triggers"] == 2
