"""A whole line with an OPC UA server beside its gate: who listens hears of each part once."""

import asyncio
from pathlib import Path

from benchmarks.gate import free_port
from benchmarks.line import Line
from config.loader import STATIONS
from tests.line.test_station import verified
from tests.monitor.actuators.visitors import visiting

FRAMES = 12


def test_who_listens_hears_of_each_part_once(tmp_path: Path) -> None:
    port = free_port()
    table = (STATIONS / "rail-03.toml").read_text()
    (tmp_path / "seen.toml").write_text(f"{table}\n[opcua_server]\nport = {port}\n")

    async def visit() -> dict[str, list[str]]:
        async with visiting(port) as visitor:
            await visitor.listen("ResultReadyEventType")
            heard = await visitor.until(FRAMES, within_s=90.0)
        return {event.PartId: [part.Value for part in event.ResultContent] for event in heard}

    with Line(str(tmp_path / "seen.toml"), tmp_path, "--frames", str(FRAMES)) as line:
        heard = asyncio.run(visit())
        code = line.wait_end(60)

    summary = line.summary()
    assert code == 0
    assert sorted(map(int, heard)) == list(range(1, FRAMES + 1))
    outcomes = [content[0] for content in heard.values()]
    assert (outcomes.count("PASS"), outcomes.count("REJECT")) == (summary["passed"], summary["rejected"])
    assert {content[3] for content in heard.values() if content[0] != "PASS"} <= {"rejected"}
    verified(line)
