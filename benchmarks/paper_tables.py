"""Tables 1, 3 and 4 as Markdown and CSV: the paper's number beside ours in each cell, and what ours adds to them."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.paper_numbers import CELLS, DATA, LABELS, LOSSES, NARROWER, Cell, Data, Job, narrower_jobs
from workers.metrics import PixelCounts
from workers.models.paper import PAPER
from workers.trial import Trial

KINDS = ("all", "defective", "pooled")  # of Dice and IoU; the paper's is the first
MACS_SIZE = (1408, 512)
Trials = Mapping[Job, Trial]


def answer(cell: Cell, trials: Trials, *, kind: str = "all") -> float | None:
    """Ours in percent; None where a run is missing."""
    found = [trials[job] for job in cell.jobs if job in trials and not trials[job].failed]
    if len(found) < len(cell.jobs):
        return None
    if kind == "pooled":
        counts = sum((trial.counts for trial in found), PixelCounts())
        return 100 * (counts.dsc if cell.measure == "dsc" else counts.iou)
    weight = "images" if kind == "all" else "defective"  # a mean over images of several sets is weighed by them
    images = sum(trial.figures[weight] for trial in found)
    total = sum((trial.figures[cell.measure][kind] or 0.0) * trial.figures[weight] for trial in found)
    return float(100 * total / images) if images else None


def write_csv(path: Path, trials: Trials, times: dict[str, Any]) -> None:
    """`table,net,data,measure,paper,ours`; Dice and IoU in percent, parameters in millions, times in ms."""
    with path.open("w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(("table", "net", "data", "measure", "paper", "ours"))
        for cell in CELLS:
            for kind in KINDS:
                measure = f"{cell.measure}.{kind}" + (f" ({LOSSES[cell.loss]})" if cell.table == 1 else "")
                printed = cell.paper if kind == "all" else None
                lines.writerow(
                    (cell.table, cell.net, cell.data, measure, _plain(printed), _plain(answer(cell, trials, kind=kind)))
                )
        for row in {row["net"]: row for row in _own_width(times)}.values():
            paper = PAPER.get(row["net"])
            stated = None if paper is None else paper.parameters_m
            lines.writerow((4, row["net"], "", "parameters_m", _plain(stated), f"{row['parameters_m']:g}"))
        for row in times["rows"]:
            net = row["net"] if row["width"] is None else f"{row['net']} (width {row['width']})"
            for engine in ("torch_ms", "openvino_ms"):
                lines.writerow(("figure 6", net, row["size"], engine, "", _plain(row[engine])))


def write_tables(path: Path, trials: Trials, *, plan_text: str, times: dict[str, Any]) -> None:
    devices = sorted({trial.device for trial in trials.values()})
    seconds = sum(trial.seconds for trial in trials.values())
    text = [
        "# The paper's comparison, repeated",
        "",
        "Song et al., Electronics 13 (2024) 284, Tables 1, 3 and 4 and Figure 6. Each cell: **paper / ours**, percent.",
        "The paper's DSC is the mean over all images (`dsc.all`), where one without a defect in which none is found",
        "counts 100: a net that finds nothing at all scores 87.5 on KolektorSDD. So `dsc.defective` stands beside it.",
        "",
        f"{plan_text} Trained and judged on {', '.join(devices) or '–'}, {seconds / 60:.0f} minutes in all.",
        "Figures at the images' own resolution, on the validation part, at a threshold chosen on the training part.",
        "",
        "## Table 1: losses",
        *_table1(trials),
        "",
        "## Table 3: the module on the shortcut",
        *_table3(trials),
        "",
        "## Table 4: generic nets",
        *_table4(trials, times),
        "",
        "## Figure 6: milliseconds an image",
        *_figure6(times),
        "",
        *_who_is_faster_and_better(trials, times),
        *_failures(trials),
    ]
    path.write_text("\n".join(text) + "\n")


def _table1(trials: Trials) -> list[str]:
    lines = ["| loss | net | DSC | IoU | our dsc.defective |", "|---|---|---|---|---|"]
    for loss, label in LOSSES.items():
        for net in ("unet", "anomalyseg"):
            dsc, iou = (cell for cell in CELLS if (cell.table, cell.loss, cell.net) == (1, loss, net))
            lines.append(
                f"| {label} | {LABELS[net]} | {_pair(dsc, trials)} | {_pair(iou, trials)} | {_defective(dsc, trials)} |"
            )
    return lines


def _table3(trials: Trials) -> list[str]:
    columns: list[tuple[str, Data]] = [
        (measure, data) for measure in ("iou", "dsc") for data in ("KolektorSDD", "RSDDs")
    ]
    lines = [
        "| net | " + " | ".join(f"{measure.upper()} {data}" for measure, data in columns) + " | our dsc.defective |",
        "|---|" + "---|" * (len(columns) + 1),
    ]
    for net in ("resunet", "seresunet", "cbamresunet", "anomalyseg"):
        cells = [_cell(3, net, data, measure) for measure, data in columns]
        lines.append(
            f"| {LABELS[net]} | "
            + " | ".join(_pair(cell, trials) for cell in cells)
            + f" | {_defective(cells[2], trials)} |"
        )
    return lines


def _table4(trials: Trials, times: dict[str, Any]) -> list[str]:
    lines = [
        f"| net | parameters, M | FLOPs, G (ours: multiply-accumulates at {MACS_SIZE[0]}×{MACS_SIZE[1]}) | "
        + " | ".join(f"DSC {data}" for data in DATA)
        + " | our dsc.defective | our image AP |",
        "|---|" + "---|" * (len(DATA) + 4),
    ]
    costs = {row["net"]: row for row in _own_width(times) if row["size"] == f"{MACS_SIZE[0]}x{MACS_SIZE[1]}"}
    notes = []
    for net in _table4_nets(times):
        paper, cost = PAPER.get(net), costs[net]
        cells = [_cell(4, net, data, "dsc") for data in DATA]
        trial = trials.get(cells[0].jobs[0])
        stated = (None, None) if paper is None else (paper.parameters_m, paper.flops_g)
        lines.append(
            f"| {LABELS[net]} | {_or_dash(stated[0])} / {cost['parameters_m']:.3f} | "
            f"{_or_dash(stated[1])} / {cost['macs_g']:.1f} | "
            + " | ".join(_pair(cell, trials) for cell in cells)
            + f" | {_defective(cells[0], trials)} | {_image_ap(trial)} |"
        )
        if paper is not None and paper.note:
            notes.append(f"- {LABELS[net]}: {paper.note}.")
    return [*lines, "", *notes]


def _figure6(times: dict[str, Any]) -> list[str]:
    sizes, device = _sizes(times), times["rows"][0]["device"]
    lines = [
        f"On {device}, {times['threads']} threads, batch 1; medians of {times['runs']} rounds in turn.",
        "Each cell: torch / OpenVINO.",
        "The paper draws its times and prints no number.",
        "",
        "| net | width | " + " | ".join(sizes) + " |",
        "|---|---|" + "---|" * len(sizes),
    ]
    rows: dict[tuple[str, int | None], dict[str, dict[str, Any]]] = {}
    for row in times["rows"]:
        rows.setdefault((row["net"], row["width"]), {})[row["size"]] = row
    for (net, width), by_size in rows.items():
        cells = [f"{_ms(by_size[size]['torch_ms'])} / {_ms(by_size[size]['openvino_ms'])}" for size in sizes]
        lines.append(f"| {LABELS[net]} | {_or_dash(width)} | " + " | ".join(cells) + " |")
    return lines


def _who_is_faster_and_better(trials: Trials, times: dict[str, Any]) -> list[str]:
    """For each generic net, the widths of AnomalySeg that are faster, and those that are better besides."""
    lines = [
        "## Is AnomalySeg faster and better?",
        "By the faster engine of each, ms at each size; better by both `dsc.all` and `dsc.defective` on KolektorSDD.",
        "",
        "| net | ms at "
        + " | ms at ".join(_sizes(times))
        + " | dsc.all | dsc.defective | AnomalySeg faster at every size |"
        " and better |",
        "|---|" + "---|" * (len(_sizes(times)) + 4),
    ]
    own = {
        job.width or 24: job for job in (Job(net="anomalyseg", loss="hybrid", dataset="kolektorsdd"), *narrower_jobs())
    }
    mine = {width: _speeds(times, "anomalyseg", width) for width in own}
    for net in _table4_nets(times):
        theirs, trial = _speeds(times, net, None), trials.get(Job(net=net, loss="hybrid", dataset="kolektorsdd"))
        faster = [width for width, speeds in mine.items() if all(a < b for a, b in zip(speeds, theirs, strict=True))]
        better = [width for width in faster if _beats(trials.get(own[width]), trial)]
        if net != "anomalyseg":
            lines.append(_rival(LABELS[net], theirs, trial) + f" {_widths(faster)} | {_widths(better)} |")
    for width, job in own.items():
        lines.append(_rival(f"AnomalySeg, width {width}", mine[width], trials.get(job)) + " | |")
    return lines


def _failures(trials: Trials) -> list[str]:
    failed = [f"- {job.name}: {trial.failed}" for job, trial in trials.items() if trial.failed]
    return ["", "## Without a figure, as training broke off", *failed] if failed else []


def _rival(label: str, speeds: list[float], trial: Trial | None) -> str:
    figures = (
        ("–", "–")
        if trial is None or trial.failed
        else tuple(f"{100 * trial.figures['dsc'][k]:.1f}" for k in ("all", "defective"))
    )
    return f"| {label} | " + " | ".join(map(_ms, speeds)) + f" | {figures[0]} | {figures[1]} |"


def _beats(one: Trial | None, other: Trial | None) -> bool:
    """By both, as a net that finds nothing at all is good by `all` alone; of one seed and few defects, no more."""
    if one is None or other is None or one.failed or other.failed:
        return False
    return all(one.figures["dsc"][kind] > other.figures["dsc"][kind] for kind in ("all", "defective"))


def _widths(widths: list[int]) -> str:
    return ", ".join(f"width {width}" for width in widths) or "none"


def _speeds(times: dict[str, Any], net: str, width: int | None) -> list[float]:
    """At each size, by the faster engine; a width of None is the net's own."""
    rows = _own_width(times) if width is None else [row for row in times["rows"] if row["width"] == width]
    return [_fast(row) for size in _sizes(times) for row in rows if (row["net"], row["size"]) == (net, size)]


def _sizes(times: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(row["size"] for row in times["rows"]))


def _table4_nets(times: dict[str, Any]) -> list[str]:
    """In the paper's order, those whose cost was measured."""
    measured = {row["net"] for row in times["rows"]}
    return [cell.net for cell in CELLS if cell.table == 4 and cell.data == "KolektorSDD" and cell.net in measured]


def _own_width(times: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of nets at the width of their papers."""
    return [row for row in times["rows"] if row["width"] not in NARROWER]


def _fast(row: dict[str, Any]) -> float:
    """The better of its engines."""
    return min(float(ms) for ms in (row["torch_ms"], row["openvino_ms"]) if ms is not None)


def _cell(table: int, net: str, data: Data, measure: str) -> Cell:
    return next(c for c in CELLS if (c.table, c.net, c.data, c.measure) == (table, net, data, measure))


def _pair(cell: Cell, trials: Trials) -> str:
    return f"{_or_dash(cell.paper)} / {_percent(answer(cell, trials))}"


def _defective(cell: Cell, trials: Trials) -> str:
    return _percent(answer(cell, trials, kind="defective"))


def _image_ap(trial: Trial | None) -> str:
    return "–" if trial is None or trial.failed else f"{trial.figures['image_ap']:.3f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")
