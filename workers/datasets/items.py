"""What a data set on disk is, before any pixel is read: its items, the part that each shows, and its licence."""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

T = TypeVar("T")
SplitName = Literal["train", "val", "test"]


class DatasetError(Exception):
    """A data set that cannot be used: which file or folder, what was found, and what would have been right."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One image. Items of one part show the same piece, so that a split never separates them."""

    name: str  # as in split.json and in lists of files: "kos01/Part5"
    image: Path
    mask: Path | None  # None: the layout itself says that there is no defect
    part: str
    published: SplitName | None = None  # where the layout itself says which split an image belongs to


class DatasetCard(msgspec.Struct, frozen=True, kw_only=True):
    """What must be said of weights that were trained on it."""

    title: str
    licence: str
    source: str


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How a data set lies on disk: `scan(root)` lists its items in a settled order, or raises DatasetError."""

    card: DatasetCard
    scan: Callable[[Path], list[Item]]


def folder_of(root: Path, *names: str) -> Path:
    """A folder that the layout needs."""
    folder = root.joinpath(*names)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: is no folder; the layout needs it")
    return folder


def mask_of(image: Path, *candidates: Path) -> Path:
    """The first of the places where a mask may lie; DatasetError where there is none."""
    for mask in candidates:
        if mask.is_file():
            return mask
    raise DatasetError(f"{image}: has no mask; it should be {' or '.join(map(str, candidates))}")


def settled(items: Iterable[Item], root: Path, *, holding: str) -> list[Item]:
    """In the order of their names, rail_2 before rail_10, as a split by seed must not depend on the file system."""
    ordered = sorted(items, key=lambda item: (natural(item.name), item.image))
    if not ordered:
        raise DatasetError(f"{root}: holds no {holding}")
    for one, other in pairwise(ordered):
        if one.name == other.name:
            raise DatasetError(f"{other.image}: has the name {one.name!r} of {one.image}; a name stands for one image")
    return ordered


def natural(name: str) -> str:
    """As a key: numbers within a name are compared as numbers."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(20), name)


def load_json(path: Path, kind: type[T], *, right: str) -> T:
    """What the file holds, of this kind and no other."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read as {right} ({error})") from error
