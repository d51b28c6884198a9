"""The paper's comparison runs to its end, resumes, and says of each number whose it is."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from benchmarks import paper, paper_tables
from benchmarks.commands import app
from benchmarks.nets import measure_nets
from benchmarks.paper import CPU_PLAN, GPU_PLAN, PlanError, jobs, repeat_paper, settings, settled_plan
from benchmarks.paper_numbers import CELLS, NARROWER, Job
from tests.workers.datasets.builders import a_dataset
from workers.errors import TrainingError
from workers.train import Interrupted
from workers.trial import RESULT

NETS = ["anomalyseg", "lraspp_mobilenetv3"]
SIZE = (64, 48)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    a_dataset(tmp_path / "data" / "kolektorsdd", "kolektorsdd")
    return tmp_path / "data"


@pytest.fixture(scope="module")
def times() -> dict[str, Any]:
    """Measured once: the times of these nets do not depend on their training."""
    return measure_nets([SIZE], NETS, [24, *NARROWER], runs=1, threads=1, device="cpu")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, times: dict[str, Any]) -> None:
    monkeypatch.setattr(paper, "measure_nets", lambda *_, **__: times)
    monkeypatch.setattr(paper_tables, "MACS_SIZE", SIZE)
    few = [Job(net=net, loss="hybrid", dataset="kolektorsdd") for net in NETS]
    few.append(Job(net="anomalyseg", loss="hybrid", dataset="kolektorsdd", width=4))
    monkeypatch.setattr(paper, "jobs", lambda _root: few)


def test_every_cell_has_a_run_where_its_data_lies(root: Path) -> None:
    every = jobs(root)

    assert len({job.name for job in every}) == len(every)
    assert {(cell.net, cell.loss) for cell in CELLS} == {(job.net, job.loss) for job in every if job.width is None}


def test_all_nets_are_trained_alike(root: Path) -> None:
    runs = [settings(job, root, CPU_PLAN).model_dump() for job in jobs(root)]

    alike = [{k: v for k, v in run.items() if k not in {"net", "width", "loss"}} for run in runs]
    assert all(run == alike[0] for run in alike)


def test_tables_stand_on_trials_that_are_not_repeated(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["paper", "--root", str(root), "--out", str(out), "--size", "96x48", "--crop", "64x48", "--steps", "4"]
    command += ["--tables", str(tmp_path / "tables")]
    first = CliRunner().invoke(app, [*command, "--batch", "2", "--threads", "1", "--json", str(out / "rows.json")])
    stamps = {path: path.stat().st_mtime_ns for path in out.glob(f"trials/*/{RESULT}")}

    again = CliRunner().invoke(app, [*command, "--batch", "2", "--threads", "1", "--json", str(out / "rows.json")])

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert len(stamps) == len(NETS) + 1
    assert all(str(root) not in path.read_text() for path in stamps)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    lines = list(csv.DictReader((tmp_path / "tables" / "paper.csv").read_text().splitlines()))
    assert list(lines[0]) == ["table", "net", "data", "measure", "paper", "ours"]
    table4 = [
        line for line in lines if (line["table"], line["data"], line["measure"]) == ("4", "KolektorSDD", "dsc.all")
    ]
    assert {line["net"] for line in table4 if line["ours"]} == set(NETS)
    text = (tmp_path / "tables" / "paper.md").read_text()
    assert "95.2 / " in text
    assert "Not to be had" in text
    assert np.asarray(Image.open(out / "figure-6.png")).std() > 5
    assert np.asarray(Image.open(out / "figure-7.png")).std() > 5
    assert not (out / "figure-8.png").exists()


def test_a_stopped_comparison_goes_on_where_it_was(root: Path, tmp_path: Path) -> None:
    plan = paper.plan_for("cpu", size=(96, 48), crop=None, steps=4, batch=2)
    asked = iter(range(100))
    said: list[str] = []

    def run(out: Path, *, stops: bool) -> None:
        repeat_paper(
            root, out, out, plan,
            device="cpu", threads=1, only=[], say=said.append, stop=lambda: stops and next(asked) == 1,
        )  # fmt: skip

    with pytest.raises(Interrupted):
        run(tmp_path / "halves", stops=True)
    run(tmp_path / "halves", stops=False)
    run(tmp_path / "whole", stops=False)

    whole, halves = ((tmp_path / each / "paper.csv").read_text().splitlines() for each in ("whole", "halves"))
    assert [line for line in whole if "_ms" not in line and line[0] != "f"] == [
        line for line in halves if "_ms" not in line and line[0] != "f"
    ]


def test_a_folder_goes_on_by_the_plan_it_was_begun_with(tmp_path: Path) -> None:
    settled_plan(tmp_path, GPU_PLAN, asked=False)

    assert settled_plan(tmp_path, CPU_PLAN, asked=False) == GPU_PLAN
    with pytest.raises(PlanError, match="was begun with"):
        settled_plan(tmp_path, CPU_PLAN, asked=True)


def test_a_net_that_breaks_off_is_a_result(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise TrainingError("step 3: the loss is nan")

    monkeypatch.setattr("workers.trial.run_training", breaks)
    plan = paper.plan_for("cpu", size=(96, 48), crop=None, steps=4, batch=2)

    repeat_paper(
        root, tmp_path, tmp_path, plan, device="cpu", threads=1, only=[], say=lambda _: None, stop=lambda: False
    )

    assert "step 3: the loss is nan" in (tmp_path / "paper.md").read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--net", "unet2"], "'unet2' is not one of", id="net"),
        pytest.param(["--root", "/nowhere"], "holds none of", id="root"),
    ],
)
def test_what_cannot_be_is_said(
    root: Path, tmp_path: Path, options: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "jobs", jobs)

    result = CliRunner().invoke(app, ["paper", "--root", str(root), "--out", str(tmp_path / "out"), *options])

    assert result.exit_code == 2
    assert says in " ".join(result.output.split())
