"""The paper's comparison with another pair of hands: every net, the same data, steps and seed; resumes after a stop.

A trial that is done is kept as `DIR/trials/<data>-<net>-<loss>/trial.json` and not repeated, so that the folder can
travel from one machine to the next; the tables say on which device each ran.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from benchmarks.nets import Device, Size, measure_nets
from benchmarks.paper_figures import write_comparisons, write_times
from benchmarks.paper_numbers import CELLS, DATA, LABELS, NARROWER, SETS, Job, narrower_jobs
from benchmarks.paper_tables import write_csv, write_tables
from config.training import Training
from workers.datasets.items import DatasetError
from workers.models.cost import has_cuda
from workers.trial import Trial, read_trial, run_trial

TIMES = "times.json"
PLAN = "plan.json"
TIME_SIZES = ((1408, 512), (630, 230), (1000, 160))  # KolektorSDD, KolektorSDD2, RSDD Type-I
TRUNKS = ("anomalyseg", "resunet", "seresunet", "cbamresunet")  # of the paper's width 24


class PlanError(Exception):
    """A folder that was begun another way."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for all nets; on a GPU it is the paper's own (§2.1 and §3.1)."""

    size: Size
    crop: Size
    epochs: int
    epochs_rsdd: int
    steps: int | None  # an epoch; None: as many as show each image once
    batch: int
    precision: Literal["auto", "float32", "bfloat16"]
    optimizer: Literal["sgd", "adamw"]
    oversample: float = 0.5
    augment: bool = True
    seed: int = 0


# In some hundred steps SGD at the paper's rate takes no net of these far; the paper names no optimizer.
CPU_PLAN = Plan(
    size=(352, 128), crop=(128, 128), epochs=4, epochs_rsdd=4, steps=75, batch=8, precision="bfloat16",
    optimizer="adamw",
)  # fmt: skip
GPU_PLAN = Plan(
    size=(1408, 512), crop=(1408, 512), epochs=15, epochs_rsdd=20, steps=None, batch=8, precision="auto",
    optimizer="sgd",
)  # fmt: skip


def plan_for(device: Device, *, size: Size | None, crop: Size | None, steps: int | None, batch: int | None) -> Plan:
    """The paper's own on a GPU; without one a smaller plan, the same for all nets. What is given goes before either."""
    on_cuda = device == "cuda" or (device == "auto" and has_cuda())
    plan = GPU_PLAN if on_cuda else CPU_PLAN
    given: dict[str, Any] = {"size": size, "crop": crop or size, "batch": batch}
    if steps is not None:
        epochs = min(plan.epochs, steps)
        given |= {"epochs": epochs, "epochs_rsdd": epochs, "steps": steps // epochs}
    return msgspec.structs.replace(plan, **{key: value for key, value in given.items() if value is not None})


def settled_plan(out: Path, plan: Plan, *, asked: bool) -> Plan:
    """The plan that this folder was begun with, on whatever machine; PlanError where another was asked for."""
    path = out / PLAN
    if not path.is_file():
        out.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n")
        return plan
    begun = msgspec.json.decode(path.read_bytes(), type=Plan)
    if asked and begun != plan:
        raise PlanError(f"{path}: was begun with {begun}; name another --out for {plan}")
    return begun


def jobs(root: Path) -> list[Job]:
    """One for each run that a cell of the tables needs, for the data sets that lie under `root`."""
    found: dict[Job, None] = {}  # in order, each once
    for cell, dataset in ((each, name) for each in CELLS for name in SETS[each.data]):
        if (root / dataset).is_dir():
            found[Job(net=cell.net, loss=cell.loss, dataset=dataset)] = None
    if (root / "kolektorsdd").is_dir():
        found |= dict.fromkeys(narrower_jobs())
    return list(found)


def settings(job: Job, root: Path, plan: Plan) -> Training:
    return Training.model_validate(
        {
            "net": job.net, "loss": job.loss, "dataset": job.dataset, "root": str(root / job.dataset),
            "width": job.width or (24 if job.net in TRUNKS else None),
            "stem_stride": 2, "height": plan.size[0], "input_width": plan.size[1], "crop_height": plan.crop[0],
            "crop_width": plan.crop[1], "epochs": plan.epochs_rsdd if job.dataset in SETS["RSDDs"] else plan.epochs,
            "steps": plan.steps, "batch": plan.batch,
            "optimizer": plan.optimizer, "precision": plan.precision, "seed": plan.seed,
            "oversample": plan.oversample, "augment": plan.augment,
        }
    )  # fmt: skip


def repeat_paper(
    root: Path,
    out: Path,
    tables: Path,
    plan: Plan,
    *,
    device: Device,
    threads: int,
    only: list[str],
    say: Callable[[str], None],
    stop: Callable[[], bool],
) -> dict[str, Any]:
    """Trains what is missing in `out`, then writes `paper.md` and `paper.csv` to `tables`, and the figures.

    Raises Interrupted where stopped.
    """
    every = jobs(root)
    if not every:
        raise DatasetError(f"{root}: holds none of {[name for sets in SETS.values() for name in sets]}")
    trials: dict[Job, Trial] = {}
    for n, job in enumerate(every):
        folder, training = out / "trials" / job.name, settings(job, root, plan)
        trial = read_trial(folder, training)
        if trial is None and (not only or job.net in only):
            say(f"{n + 1} of {len(every)}: {job.name}")
            heard = functools.partial(_heard, say, job.name)
            trial = run_trial(training, folder, device=device, threads=threads, heard=heard, stop=stop)
            say(f"{job.name}: {trial.failed or trial.figures['dsc']}, {trial.seconds} s")
        if trial is not None:
            trials[job] = trial
    times = _times(out, threads=threads, say=say)
    tables.mkdir(parents=True, exist_ok=True)
    write_tables(tables / "paper.md", trials, plan_text=_said(plan, root), times=times)
    write_csv(tables / "paper.csv", trials, times)
    write_times(out / "figure-6.png", times)
    for number, data in zip((7, 8, 9), DATA, strict=True):
        write_comparisons(out / f"figure-{number}.png", out / "trials", root, data, list(trials))
    return {"rows": [_row(job, trial) for job, trial in trials.items()], "tables": str(tables)}


def _heard(say: Callable[[str], None], name: str, step: int, total: int) -> None:
    if step % 50 == 0:
        say(f"{name}: step {step} of {total}")


def _times(out: Path, *, threads: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Figure 6, on the CPU as in the paper, measured once; on an otherwise idle machine, or it says nothing."""
    path = out / TIMES
    if not path.is_file():
        say("times of all nets, in turn")
        found = measure_nets(list(TIME_SIZES), list(LABELS), [24, *NARROWER], runs=5, threads=threads, device="cpu")
        part = out / f"{TIMES}.part"
        part.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        part.replace(path)
    times: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return times


def _said(plan: Plan, root: Path) -> str:
    missing = [dataset for data in DATA for dataset in SETS[data] if not (root / dataset).is_dir()]
    long = f"{plan.epochs} epochs of " + ("each image once" if plan.steps is None else f"{plan.steps} steps")
    return (
        f"Images of {plan.size[0]}×{plan.size[1]} px, samples of {plan.crop[0]}×{plan.crop[1]}, {long}, batches of "
        f"{plan.batch}, {plan.oversample:.0%} of the samples around a defect, "
        f"{'augmented' if plan.augment else 'not augmented'}, {plan.optimizer} with a peak rate of "
        f"{Training(optimizer=plan.optimizer, batch=plan.batch).peak:g}, seed {plan.seed}, {plan.precision}."
        + (f" Not to be had, and so without figures of ours: {', '.join(missing)}." if missing else "")
    )


def _row(job: Job, trial: Trial) -> dict[str, Any]:
    return {
        "net": job.net,
        "loss": job.loss,
        "dataset": job.dataset,
        "parameters_m": round(trial.parameters / 1e6, 4),
        "device": trial.device,
        "seconds": trial.seconds,
        **{f"dsc_{key}": value for key, value in trial.figures.get("dsc", {}).items()},
        **{f"iou_{key}": value for key, value in trial.figures.get("iou", {}).items()},
        "image_ap": trial.figures.get("image_ap"),
        "failed": trial.failed,
    }
