"""What a data set on disk is, before any pixel is read: its items, the part that each shows, and its licence."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

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


def beside(image: Path, suffix: str) -> Path:
    """The mask of an image, in the same folder under its own name; DatasetError where there is none."""
    mask = image.with_name(image.stem + suffix)
    if not mask.is_file():
        raise DatasetError(f"{image}: has no mask; {mask.name} should lie beside it")
    return mask


def folder_of(root: Path, *names: str) -> Path:
    """A folder that the layout needs."""
    folder = root.joinpath(*names)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: is no folder; the layout needs it")
    return folder
