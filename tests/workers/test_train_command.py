"""Training from the command line: one command leaves all that is needed, Ctrl-C loses nothing, errors have a name."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from typer.testing import CliRunner

from tests.workers.datasets.builders import a_dataset
from workers.checkpoint import load_manifest
from workers.commands import app
from workers.datasets import LAYOUTS
from workers.datasets.split import split_items
from workers.models import anomalyseg
from workers.run_folder import Session, read_epochs, session_of

ROOT = Path(__file__).resolve().parents[2]
ALONE = "--threads 1"  # two of torch's threads spin while either waits for a core that another test has
SMALL = f"--width 2 --blocks 1 --size 96x48 --crop-height 64 --batch 2 --epochs 2 --steps 2 --warmup-epochs 0 {ALONE}"
RUN = [sys.executable, "-m", "workers.commands"]


def small_run(root: Path, out: Path) -> list[str]:
    return ["train", "--dataset", "kolektorsdd", "--root", str(root), "--out", str(out), *SMALL.split()]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    a_dataset(tmp_path / "set", "kolektorsdd")
    return tmp_path / "set"


def test_one_command_leaves_weights_card_and_pictures(tmp_path: Path, root: Path) -> None:
    out = tmp_path / "run"
    enough = ["--width", "4", "--stem-stride", "2", "--steps", "40", "--batch", "4", "--peak-rate", "0.01"]

    result = CliRunner().invoke(
        app, [*small_run(root, out), *enough, "--name", "small", "--json", str(tmp_path / "out")]
    )

    assert result.exit_code == 0, result.output
    manifest = load_manifest(out / "small.json")
    assert (manifest.name, manifest.height, manifest.width) == ("small", 96, 48)
    assert manifest.licence.startswith("CC BY-NC-SA 4.0")
    assert msgspec.json.decode((tmp_path / "out").read_bytes())["sha256"] == manifest.sha256
    assert len(read_epochs(out)) == 2
    assert np.asarray(Image.open(out / "curves.png")).std() > 5
    assert np.asarray(Image.open(out / "worst.png")).std() > 5
    card = (out / "card.md").read_text()
    assert all(word in card for word in ("KolektorSDD", "CC BY-NC-SA", "by part", str(manifest.threshold)))


def test_the_twin_is_trained_on_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anomalyseg, "FIRST_LOGIT", 1.0)
    monkeypatch.setattr("workers.datasets.drawn.VALIDATION_SURFACES", 2)
    monkeypatch.setattr("workers.datasets.drawn.CALIBRATION_SURFACES", 2)
    options = f"{SMALL} --size 480x160 --epochs 1"

    result = CliRunner().invoke(app, ["train", "--out", str(tmp_path), *options.split(), "--json", "-"])

    assert result.exit_code == 0, result.output
    assert load_manifest(tmp_path / "model.json").licence == "Apache-2.0"


def test_a_net_that_does_not_answer_its_canary_gets_no_manifest(tmp_path: Path, root: Path) -> None:
    result = CliRunner().invoke(app, [*small_run(root, tmp_path / "run"), "--peak-rate", "0.0001"])

    assert result.exit_code == 2
    assert "does not answer its canary" in " ".join(result.output.split())
    assert not (tmp_path / "run" / "model.json").exists()


def test_settings_come_from_a_file_and_options_go_before_it(tmp_path: Path, root: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(
        f'dataset = "kolektorsdd"\nroot = "{root}"\nheight = 96\ninput_width = 48\nwidth = 2\nblocks = 1\n'
        "epochs = 1\nsteps = 2\nbatch = 2\nwarmup_epochs = 0\nseed = 3\n"
    )

    CliRunner().invoke(
        app, ["train", "--config", str(file), "--seed", "4", "--out", str(tmp_path / "run"), *ALONE.split()]
    )

    settings = json.loads((tmp_path / "run" / "training.json").read_text())
    assert (settings["width"], settings["seed"], settings["dataset"]) == (2, 4, "kolektorsdd")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        pytest.param("epoch = 3", "epoch: is not a key here (did you mean 'epochs'?)", id="misspelt"),
        pytest.param('epochs = "three"', "epochs: Input should be a valid integer, found 'three'", id="type"),
        pytest.param("epochs = ", "is no TOML", id="toml"),
    ],
)
def test_a_wrong_line_of_the_file_is_named(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(line)

    result = CliRunner().invoke(app, ["train", "--config", str(file), "--out", str(tmp_path / "run")])

    assert result.exit_code == 2
    assert says in " ".join(result.output.split())
    assert str(file) in result.output.replace("\n", "")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--size", "large"], "'large' is not LINESxPX", id="size"),
        pytest.param(["--net", "resnet"], "--net: Input should be 'anomalyseg', 'resunet'", id="net"),
        pytest.param(["--epochs", "0"], "--epochs: Input should be greater", id="epochs"),
        pytest.param(["--dataset", "kolektorsdd"], "--root names its folder", id="no-root"),
        pytest.param(["--dataset", "rsdd1", "--root", "/nowhere"], "/nowhere", id="nowhere"),
        pytest.param(["--resume", "/nowhere"], "there is no run to resume", id="no-run"),
        pytest.param(["--name", "last"], "'last' is not lower case", id="name-taken"),
        pytest.param(
            ["--warmup-epochs", "20"], "--warmup-epochs: 20 epochs of warming up leave none of 20", id="warmup"
        ),
        pytest.param(["--fit", "pad"], "--fit: fit has no effect on the twin's surfaces", id="twin-fit"),
        pytest.param(["--device", "cuda"], "torch finds none", id="no-cuda"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(tmp_path: Path, options: list[str], says: str) -> None:
    if "--device" in options and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    out = [] if "--resume" in options else ["--out", str(tmp_path / "run")]

    result = CliRunner().invoke(app, ["train", *out, *options])

    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


def test_ctrl_c_leaves_a_checkpoint_from_which_the_run_ends_the_same(tmp_path: Path, root: Path) -> None:
    options = f"{SMALL} --epochs 3 --steps 8 --peak-rate 0.02".split()
    begin = ["train", "--dataset", "kolektorsdd", "--root", str(root), "--name", "part", *options]
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    CliRunner().invoke(app, [*begin, "--out", str(whole)])
    stopped = subprocess.Popen([*RUN, *begin, "--out", str(halves)], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    until_s = time.monotonic() + 60
    while not (halves / "training.json").exists() and time.monotonic() < until_s:
        time.sleep(0.01)

    stopped.send_signal(signal.SIGINT)

    _, said = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, said
    assert f"--resume {halves}" in " ".join(said.split())
    resumed = ["train", "--out", str(halves), "--resume", str(halves), "--epochs", "3"]  # repeating is no harm
    CliRunner().invoke(app, resumed)
    assert session_of(halves) == Session(name="part", threads=1)
    assert (halves / "part.safetensors").exists() == (whole / "part.safetensors").exists()
    one, other = load_file(whole / "last.safetensors"), load_file(halves / "last.safetensors")
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_is_not_resumed_by_other_settings_nor_begun_again_over_itself(tmp_path: Path, root: Path) -> None:
    run = tmp_path / "run"
    CliRunner().invoke(app, small_run(root, run))

    other = CliRunner().invoke(app, ["train", "--resume", str(run), "--epochs", "5"])
    again = CliRunner().invoke(app, small_run(root, run))

    assert other.exit_code == again.exit_code == 2
    assert "was started with epochs 2; leave out what differs" in " ".join(other.output.split())
    assert "holds a run already" in " ".join(again.output.split())


def test_a_run_does_not_go_on_when_its_images_have_changed(tmp_path: Path, root: Path) -> None:
    run = tmp_path / "run"
    CliRunner().invoke(app, small_run(root, run))
    split = split_items(LAYOUTS["kolektorsdd"].scan(root), root)
    rest = [item.name for item in split["train"][1:]]
    (root / "split.json").write_text(json.dumps({"train": rest, "val": [item.name for item in split["val"]]}))

    result = CliRunner().invoke(app, ["train", "--resume", str(run)])

    assert result.exit_code == 2
    assert "the list of them has changed since" in " ".join(result.output.split())


def test_two_processes_train_one_net(tmp_path: Path, root: Path) -> None:
    command = [
        *[sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
        *["-m", "workers.commands", *small_run(root, tmp_path / "run")],
    ]

    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, check=False
    )

    assert len(read_epochs(tmp_path / "run")) == 2, ended.stderr[-2000:]
    alone = tmp_path / "alone"
    CliRunner().invoke(app, small_run(root, alone))
    one, other = load_file(tmp_path / "run" / "last.safetensors"), load_file(alone / "last.safetensors")
    assert not all(torch.equal(one[name], other[name]) for name in one)  # the second process brought batches of its own
