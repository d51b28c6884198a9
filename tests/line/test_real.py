"""Real images through folder cameras to the end, one verdict a file. They stay where LINE_DATA says."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks.line import Line
from storage.reader import JournalReader
from tests.line.test_station import verified
from workers.datasets.pictures import read_mask
from workers.datasets.stored import load_split

SOME = 6


def replay(station: str, state: Path, line_data: Path, *arguments: str) -> dict[str, object]:
    with Line(station, state, *arguments, env={"LINE_DATA": str(line_data)}) as line:
        code = line.wait_end(220)
    assert code == 0
    verified(line)
    return line.summary()


@pytest.mark.parametrize("station", ["rail-07", "commutator-01", "tile-02"])
def test_some_files_of_each_set(station: str, tmp_path: Path, line_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINE_DATA", str(line_data))

    summary = replay(station, tmp_path, line_data, "--frames", str(SOME))

    assert summary["triggers"] == SOME
    assert summary["not_inspected"] == 0


@pytest.mark.real
@pytest.mark.parametrize(("station", "files"), [("rail-07", 140), ("commutator-01", 64), ("tile-02", 277)])
def test_every_file_of_each_set(
    station: str, files: int, tmp_path: Path, line_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINE_DATA", str(line_data))

    summary = replay(station, tmp_path, line_data)

    assert summary["triggers"] == summary["journal_rows"] == summary["audit_rows"] == files
    assert summary["not_inspected"] == 0
    if station == "commutator-01":
        defective = defective_of("kolektorsdd", line_data)
        assert len(defective) == 8
        assert summary["rejected"] in {8, 9}
        assert defective <= rejected(tmp_path / station)
    if station == "tile-02":  # as its card says: for a first look
        defective, found = defective_of("magnetic_tile", line_data), rejected(tmp_path / station)
        assert (len(defective), len(defective & found), len(found - defective)) == (69, 58, 25)


def defective_of(dataset: str, line_data: Path) -> set[str]:
    """The names of the validation images with a defect."""
    split = load_split(dataset, str(line_data / dataset))
    return {item.name for item in split["val"] if item.mask is not None and read_mask(item.mask).any()}


def rejected(state: Path) -> set[str]:
    """The names, without their ending, of the files whose last verdict is REJECT."""
    [log] = state.glob("source-*.jsonl")
    drawn = map(json.loads, log.read_text().splitlines())
    files = {line["slot"]: line["file"] for line in drawn}
    with JournalReader(state) as journal:
        slots = {row.slot for row in journal.rows(0) if row.kind == "verdict" and row.outcome == "REJECT"}
    return {str(Path(files[slot]).with_suffix("")) for slot in slots}


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
