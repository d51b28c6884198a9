"""`linectl train` and `linectl evaluate`: models, from the command line."""

import re
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from config.training import DeviceName
from monitor.output import write_json

app = typer.Typer(no_args_is_help=True, add_completion=False)

USAGE = 2
NAME = r"[a-z0-9][a-z0-9-]{0,30}"
TAKEN = {"last", "training", "session", "card"}  # other files of a run

Json = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write one JSON object there.")]
Threads = Annotated[int, typer.Option(min=1, max=256, help="Cores that the net may use.")]


@app.command()
def train(
    *,
    out: Annotated[Path | None, typer.Option(help="Folder of the run. Default: that of --resume.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML with the settings; options go before it.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a run to go on with, by its own settings.")] = None,
    net: Annotated[str | None, typer.Option(help="Default: anomalyseg.")] = None,
    dataset: Annotated[str | None, typer.Option(help="twin (default), or one that lies under --root.")] = None,
    root: Annotated[str | None, typer.Option(help="Folder of the data set.")] = None,
    size: Annotated[str | None, typer.Option(help="Lines x px across of the net's input. Default: 1000x160.")] = None,
    fit: Annotated[str | None, typer.Option(help="stretch (default) images to --size, or pad them to it.")] = None,
    width: Annotated[int | None, typer.Option(help="Default: 8 for AnomalySeg's trunk, else as in its paper.")] = None,
    expansion: Annotated[int | None, typer.Option(help="Of SAFM's feed-forward part. Default: 2.")] = None,
    blocks: Annotated[int | None, typer.Option(help="In a stage. Default: 2.")] = None,
    stem_stride: Annotated[int | None, typer.Option(help="1, 2 (the paper's) or 4 (default).")] = None,
    channels: Annotated[int | None, typer.Option(help="1 (grey, default) or 3 (colour).")] = None,
    crop_height: Annotated[int | None, typer.Option(help="Of a sample. Default: the whole input.")] = None,
    crop_width: Annotated[int | None, typer.Option(help="As --crop-height.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Default: 20.")] = None,
    steps: Annotated[int | None, typer.Option(help="In an epoch. Default: as many as show each image once.")] = None,
    batch: Annotated[int | None, typer.Option(help="Default: 8.")] = None,
    oversample: Annotated[float | None, typer.Option(help="Share of samples with a defect. Default: 0.5.")] = None,
    augment: Annotated[bool | None, typer.Option("--augment/--no-augment")] = None,
    rotation_deg: Annotated[
        float | None, typer.Option(help="A sample is turned by up to this, either way. Default: 6.")
    ] = None,
    paste: Annotated[
        float | None, typer.Option(help="Share of samples with the defect of another image on a sound one. Default: 0.")
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="hybrid (the paper's), hybrid_two_sided (default), hybrid_by_image, balanced, balanced_by_image, "
            "dice, focal or focal_two_sided."
        ),
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="sgd (the paper's) or adamw (default).")] = None,
    peak_rate: Annotated[float | None, typer.Option(help="Default: 0.1 / batch for sgd, 0.003 for adamw.")] = None,
    final_rate: Annotated[float | None, typer.Option(help="Default: 0.0001.")] = None,
    warmup_epochs: Annotated[int | None, typer.Option(help="Default: 2.")] = None,
    averaging: Annotated[float | None, typer.Option(help="Decay of the weights' running mean. Default: none.")] = None,
    threshold_by: Annotated[
        str | None, typer.Option(help="Dice that the net's threshold is best for: all (default) or pooled.")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="auto (default), float32 or bfloat16.")] = None,
    seed: Annotated[int | None, typer.Option(help="Default: 0.")] = None,
    begin_with: Annotated[str | None, typer.Option(help="Weights to start from instead of fresh ones.")] = None,
    name: Annotated[str | None, typer.Option(help="Of the weights. Default: model.")] = None,
    device: Annotated[DeviceName | None, typer.Option(help="auto (default), cpu or cuda.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, max=256, help="Cores. Default: 2.")] = None,
    json: Json = None,
) -> None:
    """Train a net; the same settings give the same weights on the same machine. Ctrl-C saves, --resume goes on."""
    from workers.errors import TrainingError
    from workers.run_folder import Session, session_of
    from workers.settings import parsed_size, settings, settings_resumed
    from workers.train_command import train_in

    options: dict[str, Any] = {
        "net": net, "dataset": dataset, "root": root, "fit": fit, "width": width, "expansion": expansion,
        "blocks": blocks, "stem_stride": stem_stride, "channels": channels, "crop_height": crop_height,
        "crop_width": crop_width, "epochs": epochs, "steps": steps, "batch": batch, "oversample": oversample,
        "augment": augment, "rotation_deg": rotation_deg, "paste": paste, "loss": loss, "optimizer": optimizer,
        "peak_rate": peak_rate, "final_rate": final_rate, "warmup_epochs": warmup_epochs, "averaging": averaging,
        "threshold_by": threshold_by, "precision": precision, "seed": seed, "begin_with": begin_with,
    }  # fmt: skip
    try:
        if size is not None:
            options["height"], options["input_width"] = parsed_size(size)
        if resume is not None:
            training, begun = settings_resumed(options, config=config, run=resume), session_of(resume)
        else:
            training, begun = settings(options, config=config), Session()
        folder = _folder_of(out, resume)
    except TrainingError as error:
        _refuse(str(error))
    session = Session(name=name or begun.name, threads=threads or begun.threads, device=device or begun.device)
    if not re.fullmatch(NAME, session.name) or session.name in TAKEN:
        _refuse(
            f"--name: {session.name!r} is not lower case, digits and dashes (at most 31), or one of {sorted(TAKEN)}"
        )
    raise typer.Exit(train_in(folder, training, session, resume=resume is not None, json=json))


@app.command()
def evaluate(
    *,
    weights: Annotated[Path, typer.Option(help="NAME.safetensors, its manifest beside it.")] = Path(
        "workers/weights/rail-03.safetensors"
    ),
    dataset: Annotated[str, typer.Option(help="twin, or one that lies under --root.")] = "twin",
    root: Annotated[Path | None, typer.Option(help="Folder of the data set.")] = None,
    split: Annotated[str, typer.Option(help="train, val, test or all.")] = "val",
    out: Annotated[Path | None, typer.Option(help="Folder for threshold curves and overlays.")] = None,
    station: Annotated[str, typer.Option(help="twin: whose policy and calibration judge.")] = "rail-03",
    surfaces: Annotated[int, typer.Option(min=1, max=500_000, help="twin: how many.")] = 2000,
    first_seed: Annotated[int, typer.Option(min=0, max=900_000, help="twin: which test seed comes first.")] = 0,
    only: Annotated[str | None, typer.Option(help="twin: good, borderline or defective alone.")] = None,
    engine: Annotated[str, typer.Option(help="openvino or torch.")] = "openvino",
    threshold: Annotated[float | None, typer.Option(help="In place of the manifest's.")] = None,
    threads: Threads = 2,
    json: Json = None,
) -> None:
    """Judge a net on a data set, or on fresh surfaces of the twin by the rules of a station."""
    from pydantic import ValidationError

    from config.loader import ConfigError
    from config.models import Model
    from config.training import DATASETS
    from workers.datasets.items import DatasetError
    from workers.engines import EngineLost
    from workers.errors import ModelError
    from workers.evaluate_command import evaluate_drawn, evaluate_stored
    from workers.segmenter import Segmenter

    if dataset not in DATASETS:
        _refuse(f"--dataset: {dataset!r} is not one of {list(DATASETS)}")
    if dataset != "twin" and root is None:
        _refuse(f"--root: is missing; it names the folder of {dataset}")
    try:
        model = Model.model_validate({"weights": str(weights.resolve()), "engine": engine, "threshold": threshold})
        segmenter = Segmenter.load(model, threads=threads)
        with progress() as bar:
            if root is None or dataset == "twin":
                result = evaluate_drawn(
                    segmenter, station, surfaces=surfaces, first_seed=first_seed, only=only, bar=bar
                )
            else:
                result = evaluate_stored(segmenter, dataset, root, split=split, out=out, bar=bar)
    except (ConfigError, ModelError, EngineLost, DatasetError, ValidationError) as error:
        _refuse(str(error))
    write_json(result, json or "-")


def progress(*columns: str) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        *map(TextColumn, columns),
        TimeRemainingColumn(),
        console=console,
    )


def _folder_of(out: Path | None, resume: Path | None) -> Path:
    """Where the run lies; a folder that holds a run already is not begun anew."""
    from workers.errors import TrainingError
    from workers.run_folder import SETTINGS

    if resume is not None:
        if out is not None and out.resolve() != resume.resolve():
            raise TrainingError(f"--out: {out} is not the folder of --resume, {resume}")
        return resume
    if out is None:
        raise TrainingError("--out: is missing; it names the folder of the run")
    if (out / SETTINGS).exists():
        raise TrainingError(f"--out: {out} holds a run already; --resume {out} goes on with it, or name another folder")
    return out


def _refuse(what: str) -> NoReturn:
    Console(stderr=True).print(what, markup=False, soft_wrap=True)
    raise typer.Exit(USAGE)


if __name__ == "__main__":
    app()
