"""One run on several devices: what `torchrun` says of this process, and what the processes agree on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from config.training import DeviceName
from workers.errors import ModelError


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where this process trains, and which of how many it is."""

    device: str  # "cpu", "cuda:0"
    rank: int = 0
    ranks: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes and reports."""
        return self.rank == 0

    @property
    def on_cuda(self) -> bool:
        return self.device.startswith("cuda")


@contextmanager
def open_place(device: DeviceName) -> Iterator[Place]:
    """Joins the group that `torchrun` describes in the environment, if it does, and leaves it at the end."""
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("--device: cuda was asked for, and torch finds none; cpu or auto would do")
    ranks, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    on_cuda = device != "cpu" and torch.cuda.is_available()
    if on_cuda:
        torch.cuda.set_device(local)
        torch.backends.cudnn.deterministic = True
    named = f"cuda:{local}" if on_cuda else "cpu"
    if ranks == 1:
        yield Place(device=named)
        return
    distributed.init_process_group("nccl" if on_cuda else "gloo")
    try:
        yield Place(device=named, rank=distributed.get_rank(), ranks=ranks)
    finally:
        distributed.destroy_process_group()


def shared(model: nn.Module, place: Place) -> nn.Module:
    """The net as all processes train it: gradients are their mean, running means those of the first."""
    if place.ranks == 1:
        return model
    wrapped: nn.Module = DistributedDataParallel(
        model, device_ids=[torch.device(place.device)] if place.on_cuda else None
    )
    return wrapped


def any_of_us(asked: bool, place: Place) -> bool:
    """Whether any process says yes: all stop at the same step, or none does."""
    if place.ranks == 1:
        return asked
    flag = torch.tensor(float(asked), device=place.device)
    distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
    return bool(flag.item())


def wait_for_all(place: Place) -> None:
    if place.ranks > 1:
        distributed.barrier()
