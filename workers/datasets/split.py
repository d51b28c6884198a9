"""Which images train, validate and test: by part, never by image, as images of one part show the same piece."""

from pathlib import Path

import numpy as np

from workers.datasets.items import DatasetError, Item, SplitName, load_json
from workers.datasets.pictures import read_mask

SHARES = (0.7, 0.2)  # train, val; the rest is for test (the paper's 7:2:1)
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")

Split = dict[SplitName, list[Item]]


def split_rule(items: list[Item], root: Path) -> str:
    """Which rule splits this set, in a few words."""
    if (root / "split.json").exists():
        return "by split.json"
    return "as published" if any(item.published for item in items) else "seeded 7:2:1 by part"


def split_items(items: list[Item], root: Path, *, seed: int = 0) -> Split:
    """By `split.json` where one stands in `root`, else as published, else seeded 7:2:1 by part.

    `split.json` names parts or items under `train`, `val` and perhaps `test`; what it leaves out is in none. Where the
    layout publishes train and test only, the training parts are shared out 7:2 between train and val.
    """
    named = root / "split.json"
    if named.exists():
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
    lists = load_json(path, dict[SplitName, list[str]], right="an object with lists of names: train, val and test")
    known = {item.name for item in items} | {item.part for item in items}
    home: dict[str, SplitName] = {}
    for split, names in lists.items():
        for name in names:
            if name not in known:
                raise DatasetError(f"{path}: {split} names {name!r}, which is neither an image nor a part of the set")
            if home.setdefault(name, split) != split:
                raise DatasetError(f"{path}: {name!r} stands in {home[name]} and in {split}; it can be in one only")
    found: Split = {split: [] for split in SPLITS}
    for item in items:
        homes = {home[name] for name in (item.name, item.part) if name in home}
        if len(homes) > 1:
            raise DatasetError(f"{path}: {item.name!r} stands in {home[item.name]}, its part in {home[item.part]}")
        for split in homes:
            found[split].append(item)
    return found


def _shared_out(items: list[Item], shares: tuple[float, float], seed: int) -> Split:
    """Parts with a defect and parts without are shared out alike, so that no split is left without either if it can be.

    The shares are of images, which parts hold in different numbers: a part goes where its middle image falls.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 31]))
    parts: dict[str, list[Item]] = {}
    for item in items:
        parts.setdefault(item.part, []).append(item)
    groups: dict[bool, list[str]] = {True: [], False: []}
    for part, members in parts.items():
        groups[any(_has_defect(item) for item in members)].append(part)
    home: dict[str, SplitName] = {}
    for group in groups.values():
        order = [group[i] for i in rng.permutation(len(group))]
        sizes = np.array([len(parts[part]) for part in order])
        middles = (np.cumsum(sizes) - sizes / 2) / sizes.sum()
        home |= {part: SPLITS[at] for part, at in zip(order, np.digitize(middles, np.cumsum(shares)), strict=True)}
    return {split: [item for item in items if home[item.part] == split] for split in SPLITS}


def _has_defect(item: Item) -> bool:
    return item.mask is not None and bool(read_mask(item.mask).any())
