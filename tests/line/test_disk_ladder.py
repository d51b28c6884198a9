"""Row 66 on a line of real processes: its disk fills, pictures are shed, the line stands, and nothing passes then."""

import json
from pathlib import Path
from typing import Any

from benchmarks.line import Line
from config.loader import STATIONS
from monitor.messages import Outcome
from monitor.rows import AlarmBody, Kind, VerdictBody, read_body
from tests.line.test_kill import rows_of
from tests.line.test_station import verified
from tests.storage.small_disk import a_small_disk

LIMITS = {"no_pass_frames_mb": 70, "no_frames_mb": 60, "small_crops_mb": 50, "no_crops_mb": 40, "hold_mb": 20}


def a_station(folder: Path) -> str:
    """rail-03 on a disk of 100 MB."""
    limits = "".join(f"{key} = {mb}\n" for key, mb in LIMITS.items())
    (folder / "mine.toml").write_text((STATIONS / "rail-03.toml").read_text() + f"\n[disk]\n{limits}reserve_mb = 8\n")
    return str(folder / "mine.toml")


def test_row_66_pictures_are_shed_and_the_line_stands_before_its_disk_is_full(tmp_path: Path) -> None:
    with a_small_disk(tmp_path / "disk", 110) as disk:
        with Line(a_station(tmp_path), disk.at) as line:
            line.wait_ready()
            line.wait_parts(1)
            reserved = (line.state / "reserve").exists()
            disk.fill(leave_mb=35)
            line.wait_for("a verdict without pictures", lambda: any(each.disk_level == 4 for each in verdicts(line)))
            disk.empty()
            line.wait_for("all pictures", lambda: "all" in said(line, "disk.room"))
            disk.fill(leave_mb=12)
            line.wait_for("the hold", lambda: line.events("line.held"))
            line.ask_to_stop()
            code = line.wait_end(20)
            lasting = (line.state / "reserve").exists()
            disk.empty()

        rows = [(row, read_body(row)) for row in rows_of(line)]
        alarms = [(row.seq, body) for row, body in rows if isinstance(body, AlarmBody)]
        held_at = next(seq for seq, body in alarms if body.name == "disk.full")
        after = [row.outcome for row, _ in rows if row.kind is Kind.VERDICT and row.seq > held_at]
        shed = [body for body in verdicts(line) if body.disk_level >= 4]
        listed: list[dict[str, Any]] = json.loads(line.linectl("alarms", "--json", "-").stdout)["rows"]
        verified(line)

    assert (code, reserved, lasting) == (1, True, False)
    assert [body.about for _, body in alarms if body.name == "disk.low"][:4] == [
        "no_pass_frames", "no_frames", "small_crops", "no_crops",
    ]  # fmt: skip
    assert {"disk.full", "line.held"} <= {row["name"] for row in listed if row["stands"]}
    assert Outcome.PASS not in after
    assert [body for body in shed if body.frame_sha256 or any(region.crop_sha256 for region in body.regions)] == []


def verdicts(line: Line) -> list[VerdictBody]:
    return [body for row in rows_of(line) if isinstance(body := read_body(row), VerdictBody)]


def said(line: Line, name: str) -> set[str]:
    """What the alarms of this name were about."""
    return {event["about"] for event in line.events(name)}
