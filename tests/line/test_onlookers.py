"""A line with SCADA and dashboard looking on: they hear what was decided, and hold nobody up."""

from pathlib import Path
from typing import Any

import pysparkplug

from benchmarks.gate import free_port
from benchmarks.line import Line
from config.loader import STATIONS
from tests.line.test_station import verified
from tests.monitor.actuators.brokered import a_plain
from tests.monitor.test_webhook import a_server

TABLES = """
[sparkplug]
host = "127.0.0.1"
port = {broker}
group_id = "works"
edge_node = "rail-03"

[[notify]]
url = "{url}"

[[notify]]
url = "http://127.0.0.1:{nobody}/verdicts"  # a dashboard that is never there
"""


def test_onlookers_hear_each_verdict_and_hold_nobody_up(broker_port: int, tmp_path: Path) -> None:
    with a_plain(broker_port, "spBv1.0/#") as host, a_server() as server:
        tables = TABLES.format(broker=broker_port, url=server.url, nobody=free_port())
        station = tmp_path / "watched.toml"
        station.write_text((STATIONS / "rail-03.toml").read_text() + tables)
        with Line(str(station), tmp_path, "--frames", "20") as line:
            code = line.wait_end(120)
        summary = line.summary()
        told: dict[str, Any] = {}
        verbs = []
        for message in host.heard:
            read: Any = pysparkplug.Message.from_mqtt_message(message)
            verbs.append(read.topic.message_type.value)
            told |= {metric.name: metric.value for metric in getattr(read.payload, "metrics", ())}

    assert code == 0
    verified(line)
    assert sorted(server.slots) == list(range(1, 21))
    assert told["Parts/Passed"] == summary["passed"] == told["Released"]
    assert told["Parts/Passed"] + told["Parts/Rejected"] + told["Parts/Not Inspected"] == summary["triggers"] == 20
    assert (verbs[0], verbs[-1]) == ("NBIRTH", "NDEATH")
    assert summary["late"] == 0
