"""Everything that changes while a run goes on, as it is at the start: net, running mean, optimizer, memory layout."""

from pathlib import Path

import msgspec
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from config.training import Training
from workers.checkpoint import load_checkpoint
from workers.distribution import Place
from workers.errors import TrainingError
from workers.models import build_model
from workers.models.spec import NetSpec, TrunkSpec, net_spec

STATION_WIDTH = 8  # of AnomalySeg's trunk where none is named: a station's net runs on one core


class State(msgspec.Struct, kw_only=True):
    model: nn.Module
    layout: torch.memory_format
    averaged: AveragedModel | None
    optimizer: torch.optim.Optimizer
    step: int = 0
    losses: list[float] = msgspec.field(default_factory=list)  # of the steps since an epoch was last judged

    @property
    def judged(self) -> nn.Module:
        """The net that is validated and kept."""
        return self.model if self.averaged is None else self.averaged.module


def spec_of(training: Training) -> NetSpec:
    spec = net_spec(
        training.net,
        width=training.width,
        channels=training.channels,
        expansion=training.expansion,
        blocks=training.blocks,
        stem_stride=training.stem_stride,
    )
    if training.width is None and isinstance(spec, TrunkSpec):
        return spec.model_copy(update={"width": STATION_WIDTH})
    return spec


def state_of(training: Training, place: Place) -> State:
    """At step 0."""
    torch.manual_seed(training.seed)
    begun = _begun(training)
    layout = memory_layout(begun, half=is_half(training, place), on_cuda=place.on_cuda)
    model: nn.Module = begun.to(place.device, memory_format=layout)  # type: ignore[call-overload]
    averaged = None
    if training.averaging is not None:
        decaying = get_ema_multi_avg_fn(training.averaging)  # type: ignore[no-untyped-call]
        averaged = AveragedModel(model, multi_avg_fn=decaying, use_buffers=True)
    return State(model=model, layout=layout, averaged=averaged, optimizer=_optimizer(model, training))


def is_half(training: Training, place: Place) -> bool:
    """Whether the net computes in bfloat16; the loss never does."""
    if training.precision == "auto":
        return place.on_cuda and torch.cuda.is_bf16_supported()
    return training.precision == "bfloat16"


def memory_layout(model: nn.Module, *, half: bool, on_cuda: bool) -> torch.memory_format:
    """Channels last, which is quicker, but where it is wrong.

    On a CPU in bfloat16 the weight gradients of dilated convolutions of more than 16 channels, and no multiple of 16,
    come out as NaN or off by half (torch 2.13 with oneDNN, AVX512-BF16).
    """
    odd = any(
        isinstance(layer, nn.Conv2d) and max(layer.dilation) > 1 and layer.out_channels > 16 and layer.out_channels % 16
        for layer in model.modules()
    )
    return torch.contiguous_format if half and odd and not on_cuda else torch.channels_last


def _begun(training: Training) -> nn.Module:
    """Fresh weights, or those of an earlier run of the same net."""
    if training.begin_with is None:
        return build_model(spec_of(training))
    begun = load_checkpoint(Path(training.begin_with))
    if begun.manifest.net != spec_of(training):
        raise TrainingError(f"{training.begin_with}: is {begun.manifest.net!r}; the run is for {spec_of(training)!r}")
    return begun.model


def _optimizer(model: nn.Module, training: Training) -> torch.optim.Optimizer:
    match training.optimizer:
        case "sgd":
            return torch.optim.SGD(model.parameters(), lr=training.peak, momentum=0.9)
        case "adamw":
            return torch.optim.AdamW(model.parameters(), lr=training.peak, weight_decay=1e-2)
