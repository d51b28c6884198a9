"""Does each order reach the simulated PLC in time, at the right part? Its own log is the witness."""

import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.brokers import BROKERED, a_broker
from config.actuators import Actuator as Facts
from config.actuators import ModbusActuator, MqttActuator
from config.loader import load_station
from monitor.actuators import Actuator, open_actuator
from monitor.jsonlog import read_lines
from monitor.messages import Disposition, Gate, Outcome, Reason
from monitor.twin.plc import opcua_at

ROOT = Path(__file__).resolve().parent.parent
WAY_S = 2.0
COUNTS_PER_S = 10_000.0  # of the simulated belt at full speed
JUDGED_S = (0.02, 0.8)  # from trigger to order: how long a line takes, least and most
REPEAT_S = 0.2  # as decision does
SETTLE_S = 10.0
ACTUATORS: dict[str, Callable[[int], Facts]] = {
    "modbus": lambda port: ModbusActuator(kind="modbus", host="127.0.0.1", port=port),
    "mqtt": lambda port: MqttActuator(kind="mqtt", host="127.0.0.1", port=port),
    "opcua": lambda port: opcua_at("127.0.0.1", port),
}
SHARES = {Outcome.PASS: 0.7, Outcome.REJECT: 0.2, Outcome.NOT_INSPECTED: 0.08}  # the rest is ordered nothing
# the belt's knob, s into each round: slower, faster, stopped, back, and on
ROUND_S = 20.0
KNOB = ((0.0, 1.0), (6.0, 0.8), (9.0, 1.2), (12.0, 0.0), (13.0, -0.5), (13.6, 0.0), (14.0, 1.0))


class Plc:
    """The simulated PLC as a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]", state: Path, port: int) -> None:
        self.process, self.state, self.port = process, state, port

    def say(self, order: str) -> None:
        """A line on its stdin."""
        if self.process.stdin is not None:
            self.process.stdin.write(order + "\n")
            self.process.stdin.flush()

    def parts(self) -> list[dict[str, Any]]:
        """What met the gate, by its own log."""
        return read_lines(self.state / "twin.jsonl")


@contextmanager
def simulated_plc(
    protocol: str, state: Path, *, port: int, rate: float, parts: int | None, is_wired: bool = False
) -> Iterator[Plc]:
    """Runs until the block ends; `is_wired`: its triggers come by `say("trigger")` alone."""
    command = [sys.executable, "-m", "monitor.twin.plc", "--protocol", protocol, "--port", str(port), "--stays"]
    command += ["--state", str(state), "--rate", str(rate), "--way-s", str(WAY_S)]
    command += [] if parts is None else ["--parts", str(parts)]
    command += ["--wired"] if is_wired else []
    with (
        between(protocol, port),
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process,
    ):
        try:
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError(f"the simulated PLC ended with {process.wait()} before it was ready")
            yield Plc(process, state, port)
        finally:
            process.kill()


def between(protocol: str, port: int) -> AbstractContextManager[object]:
    """What stands between line and PLC: a broker, or nothing."""
    return a_broker(port) if protocol in BROKERED else nullcontext()


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def open_gate(protocol: str, port: int) -> Actuator:
    """The line's own actuator for this protocol."""
    facts = ACTUATORS[protocol](port)
    station = load_station("rail-03").model_copy(update={"actuator": facts})
    gate = open_actuator(station, state=Path(tempfile.gettempdir()))
    gate.resume_from(0)
    gate.go()
    return gate


def measure_gate(
    protocol: str, *, parts: int, rate: float, seed: int = 0, turns_knob: bool = True, say: Callable[[str], None]
) -> dict[str, Any]:
    """`parts` triggers at `rate` parts/s, each ordered after the time a line takes, said again until confirmed."""
    with tempfile.TemporaryDirectory() as folder:
        state, port = Path(folder) / "plc", free_port()
        with simulated_plc(protocol, state, port=port, rate=rate, parts=parts) as plc:
            gate = open_gate(protocol, port)
            try:
                ordered, confirmed = _drive(plc, gate, parts=parts, seed=seed, turns_knob=turns_knob, say=say)
            finally:
                gate.close()
            return _judged(protocol, plc.parts(), ordered, confirmed, rate=rate)


def _drive(
    plc: Plc, gate: Actuator, *, parts: int, seed: int, turns_knob: bool, say: Callable[[str], None]
) -> tuple[dict[int, Outcome], dict[int, float]]:
    """What was ordered by slot, and how late each was by the gate's word."""
    rng = random.Random(seed)
    waiting: deque[tuple[float, int]] = deque()  # (when the line has judged, slot)
    ordered: dict[int, Outcome] = {}
    confirmed: dict[int, float] = {}
    said_s: dict[int, float] = {}
    counted = 0
    begun_s = counted_s = time.monotonic()
    knob = deque((n * ROUND_S + at_s, share) for n in range(10_000) for at_s, share in KNOB)
    over_s: float | None = None
    while over_s is None or time.monotonic() < over_s:
        time.sleep(0.002)
        now_s = time.monotonic()
        while turns_knob and counted < parts and knob and now_s - begun_s >= knob[0][0]:
            plc.say(f"belt {knob.popleft()[1]}")
        if (counter := gate.counter()) and counter.trigger_count > counted:
            waiting += [
                (now_s + rng.uniform(*JUDGED_S), slot) for slot in range(counted + 1, counter.trigger_count + 1)
            ]
            counted, counted_s = counter.trigger_count, now_s
            if counted % 500 < 2:
                say(f"{counted} of {parts} triggers, {len(confirmed)} confirmed")
            if counted >= parts and turns_knob:
                plc.say("belt 1.0")  # whatever the knob's turn: the belt is to empty
        judged = [slot for due_s, slot in waiting if due_s <= now_s]
        waiting = deque(each for each in waiting if each[0] > now_s)
        for slot in judged:
            if outcome := _outcome(rng):
                ordered[slot] = outcome
        for slot, outcome in ordered.items():
            if slot not in confirmed and now_s - said_s.get(slot, 0.0) >= REPEAT_S:
                said_s[slot] = now_s
                gate.send(_disposition(slot, outcome))
        for actuated in gate.heard():
            confirmed.setdefault(actuated.slot, actuated.late_ms)
        if counted >= parts and not waiting and over_s is None and len(confirmed) >= parts:
            over_s = now_s + 0.2
        if counted >= parts and now_s - counted_s > WAY_S + SETTLE_S:
            break  # the gate has lost a part: the figures will say so
    return ordered, confirmed


def _disposition(slot: int, outcome: Outcome) -> Disposition:
    reason = Reason.NO_ANSWER if outcome is Outcome.NOT_INSPECTED else None
    return Disposition(slot=slot, outcome=outcome, reason=reason, due_count=None)


def _outcome(rng: random.Random) -> Outcome | None:
    lot = rng.random()
    for outcome, share in SHARES.items():
        lot -= share
        if lot < 0:
            return outcome
    return None


def _judged(
    protocol: str, parts: list[dict[str, Any]], ordered: dict[int, Outcome], confirmed: dict[int, float], *, rate: float
) -> dict[str, Any]:
    by_slot = {part["slot"]: part for part in parts}
    unheard = {slot for slot in ordered if slot not in by_slot or by_slot[slot]["command"] is None}
    late = [slot for slot in ordered if confirmed.get(slot, 0.0) > 0 or slot in unheard]
    wrong = [
        slot
        for slot, part in by_slot.items()
        if part["command"] not in (None, ordered.get(slot))
        or (part["gate"] == Gate.RELEASED and ordered.get(slot) is not Outcome.PASS)
    ]
    lateness = [1000 * (part["acted_count"] - part["gate_count"]) / COUNTS_PER_S for part in parts]
    spare = [
        1000 * (part["gate_count"] - part["taken_count"]) / COUNTS_PER_S for part in parts if "taken_count" in part
    ]
    return {
        "protocol": protocol,
        "rate": rate,
        "triggers": len(by_slot),
        "sent": len(ordered),
        "confirmed": sum(slot in confirmed for slot in ordered),
        "late": len(late),
        "wrong_slot": len(wrong),
        "released": sum(part["gate"] == Gate.RELEASED for part in parts),
        "released_without_pass": sum(
            part["gate"] == Gate.RELEASED and ordered.get(part["slot"]) is not Outcome.PASS for part in parts
        ),
        "lateness_ms": _spread(lateness),  # of the gate, after its part was in front of it
        "spare_ms": {"p50": _rounded(np.percentile(spare, 50)), "min": _rounded(min(spare))} if spare else None,
    }


def _spread(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    p50, p99, p999 = np.percentile(values, [50, 99, 99.9])
    return {"p50": _rounded(p50), "p99": _rounded(p99), "p999": _rounded(p999), "max": _rounded(max(values))}


def _rounded(value: float) -> float:
    return round(float(value), 3)
