"""Which images train, validate and test: by part, never by image, as images of one part show the same piece."""

import json
from pathlib import Path

import numpy as np

from workers.datasets.items import DatasetError, Item, SplitName
from workers.datasets.pictures import read_pixels

SHARES = (0.7, 0.2)  # train, val; the rest is for test (the paper's 7:2:1)
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")

Split = dict[SplitName, list[Item]]


def split_items(items: list[Item], root: Path, *, seed: int = 0) -> Split:
    """By `split.json` where one stands in `root`, else as published, else seeded 7:2:1 by part.

    `split.json` names parts or items under `train`, `val` and perhaps `test`. Where the layout publishes train and test
    only, the training parts are shared out 7:2 between train and val.
    """
    named = root / "split.json"
    if named.is_file():
        return _named(items, named)
    published: Split = {split: [item for item in items if item.published == split] for split in SPLITS}
    if any(item.published for item in items):
        if not published["val"]:
            shared = _shared_out(published["train"], (SHARES[0] / sum(SHARES), SHARES[1] / sum(SHARES)), seed)
            published = published | {"train": shared["train"], "val": shared["val"]}
        return published
    return _shared_out(items, SHARES, seed)


def wanted(split: Split, name: str, root: Path) -> list[Item]:
    """The items of `train`, `val`, `test` or `all`; DatasetError where there are none."""
    chosen = [item for each in SPLITS for item in split[each]] if name == "all" else split[_checked(name)]
    if not chosen:
        sizes = ", ".join(f"{each} {len(split[each])}" for each in SPLITS)
        raise DatasetError(f"{root}: the split {name!r} is empty ({sizes})")
    return chosen


def _checked(name: str) -> SplitName:
    for each in SPLITS:
        if each == name:
            return each
    raise DatasetError(f"split {name!r} is not one of {[*SPLITS, 'all']}")


def _named(items: list[Item], path: Path) -> Split:
    try:
        names = json.loads(path.read_text())
        lists = {split: list(map(str, names.get(split, []))) for split in SPLITS}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise DatasetError(f"{path}: is not a JSON object with lists train, val and test ({error})") from error
    known = {item.name for item in items} | {item.part for item in items}
    home: dict[str, SplitName] = {}
    for split, listed in lists.items():
        for name in listed:
            if name not in known:
                raise DatasetError(f"{path}: {split} names {name!r}, which is neither an image nor a part of the set")
            if home.setdefault(name, split) != split:
                raise DatasetError(f"{path}: {name!r} stands in {home[name]} and in {split}")
    found: Split = {split: [] for split in SPLITS}
    for item in items:
        if split := home.get(item.name) or home.get(item.part):
            found[split].append(item)
    return found


def _shared_out(items: list[Item], shares: tuple[float, float], seed: int) -> Split:
    """Parts with a defect and parts without are shared out alike, so that no split is left without either."""
    rng = np.random.Generator(np.random.PCG64([seed, 31]))
    parts: dict[str, list[Item]] = {}
    for item in items:
        parts.setdefault(item.part, []).append(item)
    found: Split = {split: [] for split in SPLITS}
    groups: dict[bool, list[str]] = {True: [], False: []}
    for part, members in sorted(parts.items()):
        groups[any(_has_defect(item) for item in members)].append(part)
    for group in groups.values():
        order = [group[i] for i in rng.permutation(len(group))]
        first, second = round(shares[0] * len(order)), round((shares[0] + shares[1]) * len(order))
        for split, chosen in zip(SPLITS, (order[:first], order[first:second], order[second:]), strict=True):
            found[split] += [item for part in chosen for item in parts[part]]
    return {split: sorted(members, key=lambda item: item.name) for split, members in found.items()}


def _has_defect(item: Item) -> bool:
    return item.mask is not None and bool(read_pixels(item.mask, channels=1).any())
