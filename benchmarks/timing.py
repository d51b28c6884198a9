"""The timing diagrams of docs/plc.md, from runs of the simulated PLC: `python -m benchmarks.timing docs`.

Nothing is drawn by hand: each trace is what the PLC's block and the line's block held, 5 ms apart.
"""

import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.plc_loop import Line, a_plc
from monitor.messages import Gate, Outcome
from workers.drawings import INK, without_frame

STEP_MS = 5
BLUE, RED, GREEN, GREY = "#1f6feb", "#cf222e", "#1a7f37", "#8c959f"
PLC_SAYS = ("Trigger counter", "Ack", "Hold", "Heartbeat (PLC)")
LINE_SAYS = ("ResultValid (batch)", "Busy", "Heartbeat (line)")
ROWS = ("Trigger counter", "ResultValid (batch)", "Ack", "Busy", "Heartbeat (line)", "Heartbeat (PLC)", "Hold", "Gate")
Act = tuple[int, Callable[[Line], None], str]  # ms, what is done, and how it is called in the picture


def main(folder: Path) -> None:
    """Draws the three."""
    folder.mkdir(exist_ok=True)
    draw(
        folder / "plc-orders.svg", _ORDERS, until_ms=1500, title="Orders: a PASS, a REJECT, and a part without an order"
    )
    draw(folder / "plc-lost-ack.svg", _LOST_ACK, until_ms=1500, title="An ack is lost: the batch is written again")
    draw(folder / "plc-silence.svg", _SILENCE, until_ms=3600, title="The line falls silent: the belt is held")


def draw(path: Path, acts: list[Act], *, until_ms: int, title: str) -> None:
    """Runs the scenario and draws what each side said."""
    with tempfile.TemporaryDirectory() as state, a_plc(Path(state), parts=3) as line:
        traces, gate = _recorded(line, acts, until_ms)
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    axes = figure.subplots()
    for n, name in enumerate(ROWS):
        at = len(ROWS) - 1 - n
        colour = BLUE if name in PLC_SAYS else GREEN
        if name != "Gate":
            _step(axes, traces[name], at, colour, counts=name in ("Trigger counter", "Ack", "ResultValid (batch)"))
    for ms, slot, released in gate:
        axes.bar(ms, 0.7, width=until_ms / 90, bottom=0, color=GREEN if released else RED, align="center")
        axes.text(ms, 0.76, str(slot), ha="center", fontsize=7, color=INK)
    for ms, _, said in acts:
        axes.axvline(ms, color=GREY, lw=0.7, ls=":")
        axes.text(ms, len(ROWS) - 0.1, said, rotation=20, ha="left", va="bottom", fontsize=7, color=INK)
    axes.set_yticks([len(ROWS) - 0.65 - n for n in range(len(ROWS))], ROWS)
    axes.tick_params(length=0)
    axes.set(xlim=(0, until_ms), ylim=(-0.1, len(ROWS) + 1.1), xlabel="ms")
    without_frame(axes)
    figure.suptitle(
        f"{title}\nblue: the PLC says; green: the line says; at the gate by slot, green: released, red: rejected",
        fontsize=10,
        color=INK,
    )
    figure.savefig(path, metadata={"Date": None})


def _recorded(
    line: Line, acts: list[Act], until_ms: int
) -> tuple[dict[str, list[tuple[int, int]]], list[tuple[int, int, bool]]]:
    """(ms, value) by name, and (ms, slot, whether released) at the gate."""
    waiting = sorted(acts, key=lambda act: act[0])
    traces: dict[str, list[tuple[int, int]]] = {name: [] for name in ROWS}
    gate: list[tuple[int, int, bool]] = []
    for ms in range(0, until_ms, STEP_MS):
        while waiting and waiting[0][0] <= ms:
            waiting.pop(0)[1](line)
        line.run(STEP_MS)
        status = line.program.status(line.now_ns)
        values = {
            "Trigger counter": status.trigger_count,
            "ResultValid (batch)": line.batch,
            "Ack": status.result_ack,
            "Busy": int(line.handshake.busy),
            "Heartbeat (line)": line.beat // 2 % 2,
            "Heartbeat (PLC)": status.heartbeat // 8 % 2,
            "Hold": int(status.held),
        }
        for name, value in values.items():
            traces[name].append((ms, value))
        gate += [
            (ms, acted.slot, acted.gate is Gate.RELEASED) for acted in line.program.acted if acted.n == len(gate) + 1
        ]
    return traces, gate


def _step(axes: Axes, trace: list[tuple[int, int]], at: int, colour: str, *, counts: bool) -> None:
    """A digital trace; a counter is drawn as toggling with each count, its value written beside."""
    shown = [value % 2 if counts else value for _, value in trace]
    axes.step([ms for ms, _ in trace], [at + 0.62 * value for value in shown], where="post", color=colour, lw=1.2)
    if counts:
        for (_, before), (ms, value) in pairwise(trace):
            if value != before:
                axes.text(ms + 6, at + 0.66 * (value % 2) + 0.06, str(value), fontsize=7, color=colour)


def _order(slot: int, outcome: Outcome) -> Callable[[Line], None]:
    return lambda line: line.order(slot, outcome)


def _acks(*, dropped: bool) -> Callable[[Line], None]:
    return lambda line: setattr(line.program.faults, "drops_acks", dropped)


def _alive(*, alive: bool) -> Callable[[Line], None]:
    return lambda line: setattr(line, "alive", alive)


_ORDERS: list[Act] = [
    (300, _order(1, Outcome.PASS), "slot 1: PASS"),
    (420, _order(2, Outcome.REJECT), "slot 2: REJECT"),
]
_LOST_ACK: list[Act] = [
    (150, _acks(dropped=True), "acks are dropped"),
    (320, _order(1, Outcome.PASS), "slot 1: PASS"),
    (620, _acks(dropped=False), "acks arrive again"),
    (820, _order(3, Outcome.PASS), "slot 3: PASS"),
]
_SILENCE: list[Act] = [
    (300, _order(1, Outcome.PASS), "slot 1: PASS"),
    (700, _alive(alive=False), "the line's process is gone"),
    (2600, _alive(alive=True), "it is back"),
    (3000, _order(3, Outcome.PASS), "slot 3: PASS"),
]

if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
