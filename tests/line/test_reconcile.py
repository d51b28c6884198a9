"""Row 14 with a whole line: a GigE camera and a PLC each count, and one of them is wrong now and then."""

import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.gate import Plc, free_port, simulated_plc
from benchmarks.line import Line
from monitor.jsonlog import read_lines
from monitor.messages import Outcome, Reason
from monitor.rows import Kind, VerdictBody, read_body
from tests.line.test_kill import rows_of
from tests.line.test_station import verified
from tests.monitor.cameras.builders import GIGE
from tests.monitor.cameras.fake_gige import HIGH, WIDE, FakeGige

FPS = 2
MISSED, DOUBLED = 4, 10  # strobes since the line was ready: the PLC does not see one, and sees one twice
KILLED = 15
ENOUGH = 28

STATION = """
name = "field-02"
[[cameras]]
kind = "gige"
name = "head"
serial = "{serial}"
address = "127.0.0.1"
width = [{wide}, {wide}]
height = [{high}, {high}]
[actuator]
kind = "modbus"
host = "127.0.0.1"
port = {port}
[belt] # as the simulated PLC's
speed_mm_s = 1000.0
counts_per_mm = 10.0
part_pitch_mm = {pitch}
camera_to_gate_mm = 2000.0
[budget]
capture_ms = 60.0
transport_ms = 20.0
inference_ms = 300.0
decision_ms = 20.0
actuation_ms = 200.0
[model]
weights = "workers/weights/rail-03.safetensors"
[policy] # no picture reaches these: whatever is inspected passes
min_region_px = {pixels}.0
reject_region_px = 1e6
reject_total_px = 1e7
"""


class Wire(threading.Thread):
    """From the camera's strobe to the PLC's trigger input; it remembers which block made which count."""

    def __init__(self, camera: FakeGige, plc: Plc) -> None:
        super().__init__(daemon=True)
        self._camera, self._plc = camera, plc
        self.blocks: list[int] = []  # of each of the PLC's counts, the block of the camera's start that made it
        self.strobes = 0  # since the line was ready
        self.is_ready = False
        self.block_at: dict[int, int] = {}  # strobe → block
        self.frees_camera = threading.Event()
        self._over = threading.Event()

    def run(self) -> None:
        sent = self._camera.blocks_sent()
        while not self._over.is_set():
            while sent < self._camera.blocks_sent():
                sent += 1
                self.strobes += self.is_ready
                self.block_at[self.strobes] = sent
                for n in range({MISSED: 0, DOUBLED: 2}.get(self.strobes, 1)):
                    time.sleep(n * 0.6 / FPS)  # nearer than half a pitch the PLC knows that it saw one part twice
                    self.blocks.append(sent)
                    self._plc.say("trigger")
            if self.frees_camera.is_set():
                self._camera.miss_heartbeats()  # of a capture that is dead; the next may have it then
                self.frees_camera.clear()
            time.sleep(0.004)

    def cut(self) -> None:
        self._over.set()
        self.join()


def test_row_14_what_either_count_has_wrong_is_rejected_and_nothing_passes_on_another_s_frame(tmp_path: Path) -> None:
    """I1, I2: a trigger that the PLC missed, one that it saw twice, and a capture that was killed."""
    port = free_port()
    station = tmp_path / "field-02.toml"
    facts = {"serial": GIGE["serial"], "wide": WIDE, "high": HIGH, "port": port, "pitch": 1000.0 / FPS}
    station.write_text(STATION.format(**facts, pixels=WIDE * HIGH))

    with (
        FakeGige(fps=FPS) as camera,
        simulated_plc("modbus", tmp_path / "plc", port=port, rate=FPS, parts=None, is_wired=True) as plc,
    ):
        wire = Wire(camera, plc)
        wire.start()
        with Line(str(station), tmp_path) as line:
            line.wait_ready()
            wire.is_ready = True
            line.wait_for("strobes", lambda: wire.strobes >= KILLED)
            line.kill("capture-head")
            wire.frees_camera.set()
            line.wait_for("more", lambda: wire.strobes >= ENOUGH)
            wire.cut()
            line.ask_to_stop()
            code = line.wait_end(30)
        parts = plc.parts()

    verdicts = [
        (row.slot or 0, row.outcome, row.reason, body)
        for row in rows_of(line)
        if row.kind is Kind.VERDICT and isinstance(body := read_body(row), VerdictBody)
    ]
    passed = {slot: body.source for slot, outcome, _, body in verdicts if outcome is Outcome.PASS}
    reasons = Counter(reason for _, _, reason, _ in verdicts)
    made = {slot: wire.blocks[slot - 1] for slot in passed}  # the block of the part that passed
    shown = {slot: int(source.removeprefix("block ")) for slot, source in passed.items()}  # the one it was judged by
    killed = wire.block_at[KILLED]
    summary = line.summary()
    assert code == 0
    assert summary["triggers"] == summary["passed"] + summary["rejected"] + summary["not_inspected"]
    assert {made[slot] - shown[slot] for slot in passed if made[slot] <= killed} == {0}
    assert len({made[slot] - shown[slot] for slot in passed if made[slot] > killed}) == 1  # it began anew at 1
    for begun, ended in ((0, MISSED), (MISSED, DOUBLED), (DOUBLED, KILLED)):  # it was paired anew each time
        assert any(wire.block_at[begun] < made[slot] < wire.block_at[ended] for slot in passed)
    assert reasons[Reason.UNRECONCILED] >= 1  # of a trigger that the PLC missed there may be no slot to doubt
    assert {part["slot"] for part in parts if part["gate"] == "released"} <= passed.keys()
    assert line.events("counts.unreconciled")
    verified(line)
    assert read_lines(tmp_path / "plc" / "twin.jsonl") == parts
