"""The nets are measured in turn, and what is counted is what a hand counts."""

import json
from itertools import count

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from benchmarks.commands import app
from benchmarks.nets import Contender, in_turn, medians_ms
from workers.models.cost import count_macs, macs_of
from workers.models.spec import AnomalySegSpec

KEYS = {"net", "width", "size", "parameters_m", "macs_g", "torch_ms", "openvino_ms", "device", "note"}
QUICK = ["--runs", "2", "--threads", "1", "--device", "cpu", "--json", "-"]


def test_each_size_and_net_gives_a_row() -> None:
    options = ["--size", "64x48", "--net", "anomalyseg", "--net", "unet", "--width", "2", "--width", "4"]

    result = CliRunner().invoke(app, ["nets", *options, *QUICK])

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [(row["net"], row["width"]) for row in found["rows"]] == [("anomalyseg", 2), ("anomalyseg", 4), ("unet", 32)]
    assert all(set(row) == KEYS and row["size"] == "64x48" and row["device"] == "cpu" for row in found["rows"])
    assert all(row["torch_ms"] > 0 and row["openvino_ms"] > 0 and row["macs_g"] > 0 for row in found["rows"])
    assert [row["note"][:13] for row in found["rows"]] == ["", "", "paper: 4.17 M"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--size", "64"], "'64' is not LINESxPX", id="size"),
        pytest.param(["--net", "unet2"], "'unet2' is not one of", id="net"),
        pytest.param(["--device", "tpu"], "tpu", id="device"),
    ],
)
def test_what_it_does_not_know_is_a_usage_error(options: list[str], says: str) -> None:
    result = CliRunner().invoke(app, ["nets", *QUICK, *options])

    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


def test_rounds_go_there_and_back() -> None:
    assert [in_turn(3, round_) for round_ in range(3)] == [[0, 1, 2], [2, 1, 0], [0, 1, 2]]


def test_every_contender_runs_once_a_round_after_a_first_pass() -> None:
    heard: list[int] = []
    contenders = [Contender(row=i, engine="torch", run=lambda i=i: heard.append(i)) for i in range(3)]  # type: ignore[misc]

    found = medians_ms(contenders, runs=2, clock_ns=count(0, 1_000_000).__next__)

    assert heard == [0, 1, 2, 0, 1, 2, 2, 1, 0]
    assert found == {(i, "torch"): 1.0 for i in range(3)}


def test_a_convolution_counts_as_by_hand() -> None:
    net = nn.Conv2d(3, 5, (3, 1), stride=2, padding=(1, 0), bias=False)

    found = count_macs(net, torch.zeros(1, 3, 8, 12))

    assert found == (3 * 1) * 3 * 5 * (8 // 2) * (12 // 2)


def test_macs_grow_with_the_image_alone() -> None:
    spec = AnomalySegSpec(width=2, blocks=1)

    small, large = macs_of(spec, height=32, width=32), macs_of(spec, height=64, width=128)

    assert large == 8 * small
