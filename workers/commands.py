"""`linectl train` and `linectl evaluate`: models, from the command line."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import msgspec
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

app = typer.Typer(no_args_is_help=True, add_completion=False)

USAGE = 2

Json = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]
Threads = Annotated[int, typer.Option(min=1, max=256, help="Cores that the net may use.")]


@app.command()
def train(
    *,
    out: Annotated[
        Path, typer.Option(help="Folder of the run: checkpoints, metrics.jsonl, at its end NAME.safetensors.")
    ],
    net: Annotated[str, typer.Option()] = "anomalyseg",
    dataset: Annotated[str, typer.Option()] = "twin",
    size: Annotated[str, typer.Option(help="Lines x px across of the net's input.")] = "1000x160",
    width: Annotated[int, typer.Option()] = 8,
    expansion: Annotated[int, typer.Option()] = 2,
    blocks: Annotated[int, typer.Option()] = 2,
    stem_stride: Annotated[int, typer.Option()] = 4,
    crop_height: Annotated[int, typer.Option()] = 256,
    epochs: Annotated[int, typer.Option()] = 20,
    steps: Annotated[int, typer.Option(help="Steps in an epoch; surfaces are drawn on the fly.")] = 100,
    batch: Annotated[int, typer.Option()] = 8,
    loss: Annotated[str, typer.Option(help="hybrid (the paper's) or hybrid_two_sided.")] = "hybrid_two_sided",
    optimizer: Annotated[str, typer.Option(help="sgd (the paper's) or adamw.")] = "adamw",
    peak_rate: Annotated[float | None, typer.Option(help="Default: 0.1 / batch for sgd, 0.003 for adamw.")] = None,
    warmup_epochs: Annotated[int, typer.Option()] = 2,
    seed: Annotated[int, typer.Option()] = 0,
    begin_with: Annotated[str | None, typer.Option(help="Weights to start from instead of fresh ones.")] = None,
    name: Annotated[str, typer.Option(help="Of the weights.")] = "model",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint of the run.")] = False,
    threads: Threads = 2,
    json: Json = None,
) -> None:
    """Train a net; the same options give the same weights on the same machine."""
    from config.training import Training

    high, _, wide = size.partition("x")
    options: dict[str, Any] = {
        "net": net, "dataset": dataset, "width": width, "expansion": expansion, "blocks": blocks,
        "stem_stride": stem_stride, "crop_height": crop_height, "epochs": epochs, "steps": steps, "batch": batch,
        "loss": loss, "optimizer": optimizer, "peak_rate": peak_rate, "warmup_epochs": warmup_epochs,
        "begin_with": begin_with, "seed": seed,
    }  # fmt: skip
    try:
        training = Training.model_validate(options | {"height": int(high), "input_width": int(wide)})
    except ValidationError as error:
        first = error.errors()[0]
        _refuse(f"--{str(first['loc'][-1]).replace('_', '-')}: {first['msg']}, found {first['input']!r}")
    except ValueError:
        _refuse(f"--size: {size!r} is not LINESxPX, as 1000x160")
    _train(training, out, name=name, resume=resume, threads=threads, json=json)


@app.command()
def evaluate(
    *,
    weights: Annotated[Path, typer.Option(help="NAME.safetensors, its manifest beside it.")] = Path(
        "workers/weights/rail-03.safetensors"
    ),
    dataset: Annotated[str, typer.Option()] = "twin",
    station: Annotated[str, typer.Option(help="Whose policy and calibration judge.")] = "rail-03",
    surfaces: Annotated[int, typer.Option(min=1, max=500_000)] = 2000,
    first_seed: Annotated[int, typer.Option(min=0, max=900_000, help="Which of the test seeds comes first.")] = 0,
    only: Annotated[str | None, typer.Option(help="good, borderline or defective instead of the twin's mix.")] = None,
    engine: Annotated[str, typer.Option(help="openvino or torch.")] = "openvino",
    threshold: Annotated[float | None, typer.Option(help="In place of the manifest's.")] = None,
    threads: Threads = 2,
    json: Json = None,
) -> None:
    """Judge fresh surfaces with a net and count what escapes and what is falsely rejected."""
    from config.loader import ConfigError, load_station
    from config.models import Model
    from monitor.twin.truth import TruthClass
    from workers.errors import ModelError
    from workers.evaluate import evaluate_on_twin
    from workers.segmenter import Segmenter

    if dataset != "twin":
        _refuse(f"--dataset: {dataset!r} is not one of ['twin']")
    if only is not None and only not in list(TruthClass):
        _refuse(f"--only: {only!r} is not one of {[str(each) for each in TruthClass]}")
    try:
        found = load_station(station)
        model = Model.model_validate({"weights": str(weights.resolve()), "engine": engine, "threshold": threshold})
        segmenter = Segmenter.load(model, threads=threads)
    except (ConfigError, ModelError, ValidationError) as error:
        _refuse(str(error))
    calibration = found.cameras[0].calibration
    if calibration is None:
        _refuse(f"--station: {station} has no calibration; the twin's surfaces are drawn in mm")
    with _progress() as bar:
        task = bar.add_task("surfaces", total=surfaces)
        result = evaluate_on_twin(
            segmenter,
            found.policy,
            calibration,
            surfaces=surfaces,
            first_seed=first_seed,
            wanted=None if only is None else TruthClass(only),
            report=lambda done: bar.update(task, completed=done),
        )
    _write(result, json)


def _train(training: Any, out: Path, *, name: str, resume: bool, threads: int, json: str | None) -> None:
    import torch

    from workers.errors import ModelError
    from workers.finish import finish
    from workers.train import Epoch, TrainingError, run_training

    torch.set_num_threads(threads)
    with _progress() as bar:
        task = bar.add_task(name, total=training.epochs * training.steps)

        def report(step: int, epoch: Epoch | None) -> None:
            bar.update(task, completed=step)
            if epoch is not None:
                bar.console.print(
                    f"epoch {epoch.epoch}: loss {epoch.loss}, DSC {epoch.dsc}, area ratio {epoch.area_ratio}"
                )

        try:
            model = run_training(training, out, resume=resume, report=report)
            manifest = finish(model, training, out / f"{name}.safetensors", name=name, today=datetime.now(UTC).date())
        except (TrainingError, ModelError) as error:
            _refuse(str(error))
    _write(manifest, json)


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )


def _write(result: Any, where: str | None) -> None:
    text = msgspec.json.format(msgspec.json.encode(result), indent=2).decode() + "\n"
    if where is None or where == "-":
        sys.stdout.write(text)
    else:
        Path(where).write_text(text)


def _refuse(what: str) -> NoReturn:
    Console(stderr=True).print(what, markup=False, soft_wrap=True)
    raise typer.Exit(USAGE)


if __name__ == "__main__":
    app()
