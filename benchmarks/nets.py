"""Milliseconds an image, parameters and multiply-accumulates of the nets, side by side.

All nets of one size are alive at once. In each round every net runs once on every engine, forwards in one round and
backwards in the next, so that what else the machine does meets all of them alike; the median over the rounds counts.
The weights are fresh: their values change no time. Torch's threads wait for one another in every layer, so where
other programs hold the cores its figures with more than one thread say how busy the machine is, not how fast the net.
"""

import functools
import statistics
import time
from collections.abc import Callable
from itertools import product
from typing import Any, Literal

import msgspec
import numpy as np

from workers.engines import EngineName, open_engine
from workers.models import build_model
from workers.models.cost import cuda_forward, has_cuda, macs_of, parameters
from workers.models.paper import PAPER
from workers.models.spec import SPECS, NetSpec, TrunkSpec, net_spec

Device = Literal["auto", "cpu", "cuda"]
Size = tuple[int, int]  # lines, pixels a line
CPU_ENGINES: tuple[EngineName, ...] = ("torch", "openvino")


class Contender(msgspec.Struct, frozen=True, kw_only=True):
    """One net on one engine."""

    row: int
    engine: EngineName
    run: Callable[[], object]  # one image


def measure_nets(
    sizes: list[Size], nets: list[str], widths: list[int], *, runs: int, threads: int, device: Device
) -> dict[str, Any]:
    """A row for each size and net; the nets of the trunk once for each of `widths`, if there are any."""
    on: Literal["cpu", "cuda"] = ("cuda" if has_cuda() else "cpu") if device == "auto" else device
    specs = [spec for kind in nets or list(SPECS) for spec in _specs(kind, widths)]
    rows = [row for size in sizes for row in _measured(size, specs, runs=runs, threads=threads, device=on)]
    return {"runs": runs, "threads": threads, "rows": rows}


def in_turn(count: int, round_: int) -> list[int]:
    """The order of one round: there and, in the next, back."""
    there = list(range(count))
    return there if round_ % 2 == 0 else there[::-1]


def medians_ms(
    contenders: list[Contender], *, runs: int, clock_ns: Callable[[], int] = time.perf_counter_ns
) -> dict[tuple[int, EngineName], float]:
    for contender in contenders:
        contender.run()  # the first pass allocates and picks its kernels
    taken: list[list[int]] = [[] for _ in contenders]
    for round_ in range(runs):
        for i in in_turn(len(contenders), round_):
            begun = clock_ns()
            contenders[i].run()
            taken[i].append(clock_ns() - begun)
    return {
        (contender.row, contender.engine): statistics.median(times) / 1e6
        for contender, times in zip(contenders, taken, strict=True)
    }


def _specs(kind: str, widths: list[int]) -> list[NetSpec]:
    named = [net_spec(kind, width=width, channels=1, expansion=2, blocks=2, stem_stride=2) for width in widths]
    if named and isinstance(named[0], TrunkSpec):
        return named
    return [net_spec(kind, width=None, channels=1, expansion=2, blocks=2, stem_stride=2)]


def _measured(
    size: Size, specs: list[NetSpec], *, runs: int, threads: int, device: Literal["cpu", "cuda"]
) -> list[dict[str, Any]]:
    height, width = size
    image = np.random.default_rng(0).standard_normal(size, np.float32)  # as if normalised
    nets = [build_model(spec) for spec in specs]
    if device == "cuda":
        contenders = [Contender(row=i, engine="torch", run=cuda_forward(net, image)) for i, net in enumerate(nets)]
    else:
        contenders = [
            Contender(
                row=i,
                engine=name,
                run=functools.partial(
                    open_engine(name, net, height=height, width=width, threads=threads, device="cpu"), image[None]
                ),
            )
            for (i, net), name in product(enumerate(nets), CPU_ENGINES)
        ]
    ms = medians_ms(contenders, runs=runs)
    return [
        {
            "net": spec.kind,
            "width": spec.model_dump().get("width"),
            "size": f"{height}x{width}",
            "parameters_m": round(parameters(net) / 1e6, 4),
            "macs_g": round(macs_of(spec, height=height, width=width) / 1e9, 4),
            "torch_ms": _rounded(ms.get((i, "torch"))),
            "openvino_ms": _rounded(ms.get((i, "openvino"))),
            "device": device,
            "note": _note(spec),
        }
        for i, (spec, net) in enumerate(zip(specs, nets, strict=True))
    ]


def _rounded(ms: float | None) -> float | None:
    return None if ms is None else round(ms, 3)


def _note(spec: NetSpec) -> str:
    """What the paper states, where the net at its own width has another number of parameters."""
    paper = PAPER.get(spec.kind)
    if paper is None or not paper.note or spec != SPECS[spec.kind]():
        return ""
    return str(paper)
