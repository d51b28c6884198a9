"""A station as an operator runs it: it ends as told, its count adds up, and an outside witness agrees."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.line import Line

FRAMES = 40


def verified(line: Line) -> None:
    """`linectl verify` finds nothing."""
    ended = line.linectl("verify", "--json", "-")
    report = json.loads(ended.stdout)
    assert report["rows"] == []
    assert report["ok"]
    assert ended.returncode == 0


def test_the_count_adds_up_and_the_witness_agrees(tmp_path: Path) -> None:
    with Line("rail-03", tmp_path, "--frames", str(FRAMES)) as line:
        code = line.wait_end(120)

    summary, truth = line.summary(), line.summary()["truth"]
    assert code == 0
    assert summary["triggers"] == summary["passed"] + summary["rejected"] + summary["not_inspected"] == FRAMES
    assert (
        summary["triggers"]
        == truth["triggers"]
        == summary["journal_rows"]
        == summary["audit_rows"]
        == summary["live_rows"]
    )
    assert (truth["escaped"], truth["released_uninspected"], summary["restarts"], summary["recovered"]) == (0, 0, 0, 0)
    assert truth["defective"] == truth["caught"] > 0
    assert summary["images"] > 0
    verified(line)
    rejects = json.loads(line.linectl("history", "--outcome", "reject", "--json", "-").stdout)["rows"]
    assert len(rejects) == summary["rejected"]
    assert all(row["crops"] and row["area_mm2"] for row in rejects)


def test_ctrl_c_drains_and_twice_aborts_and_the_next_run_counts_on(tmp_path: Path) -> None:
    """Three runs in one state folder, and a fourth that is refused while the first one runs."""
    with Line("rail-03", tmp_path) as line:
        line.wait_ready()
        names = set(line.pids())
        with Line("rail-03", tmp_path) as second:
            second_code = second.wait_end(30)
        line.wait_parts(5)
        asked_s = time.monotonic()
        line.ask_to_stop()
        code = line.wait_end(10)
        took_s = time.monotonic() - asked_s
    first = line.summary()["triggers"]

    with Line("rail-03", tmp_path) as aborted:
        aborted.wait_ready()
        aborted.wait_parts(first + 3)
        aborted.ask_to_stop()
        time.sleep(0.3)
        aborted.ask_to_stop()
        aborted_code = aborted.wait_end(5)

    with Line("rail-03", tmp_path, "--seconds", "2") as again:
        again_code = again.wait_end(60)

    assert names == {
        "plant",
        "capture-head",
        "inference-0",
        "decision",
        "actuation",
        "recorder",
        "redis",
    }
    assert (code, second_code, aborted_code, again_code) == (0, 1, 130, 0)
    assert took_s <= 5.0
    assert "runs already" in " ".join(second.log().split())  # wherever its line was broken
    parts = [json.loads(part) for part in (again.state / "twin.jsonl").read_text().splitlines()]
    assert [part["slot"] for part in parts] == list(range(1, len(parts) + 1))
    of_runs = list(Counter(part["run"] for part in parts).values())
    assert (of_runs[0], of_runs[-1], len(of_runs)) == (first, again.summary()["triggers"], 3)
    verified(again)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(
            lambda table: table.replace("rail-03.safetensors", "tampered.safetensors"), "SHA-256", id="tampered"
        ),
        pytest.param(lambda table: table.replace("rail-03.safetensors", "absent.safetensors"), "absent", id="absent"),
    ],
)
def test_a_model_that_is_not_its_manifest_s_never_starts(change: object, why: str, tmp_path: Path) -> None:
    from config.loader import PACKAGE, STATIONS

    weights = PACKAGE / "workers/weights/rail-03.safetensors"
    flipped = bytearray(weights.read_bytes())
    flipped[-100] ^= 1
    (tmp_path / "tampered.safetensors").write_bytes(flipped)
    (tmp_path / "tampered.json").write_bytes(weights.with_suffix(".json").read_bytes())
    table = (STATIONS / "rail-03.toml").read_text().replace("workers/weights/", f"{tmp_path}/")
    (tmp_path / "mine.toml").write_text(change(table) if callable(change) else table)

    with Line(str(tmp_path / "mine.toml"), tmp_path / "state", "--frames", "1") as line:
        code = line.wait_end(60)

    assert code == 78
    assert why in line.log()
