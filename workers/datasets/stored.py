"""A data set on disk as a source of batches: read once, brought to the net's scale, and cropped for each step."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from config.training import Training
from workers.augment import Placed, augmented, cropped, pasted
from workers.datasets import LAYOUTS
from workers.datasets.items import DatasetCard, DatasetError, Item
from workers.datasets.pictures import read_item
from workers.datasets.source import Batch, Example
from workers.datasets.split import Split, split_items, split_rule, wanted
from workers.fit import placed_scale, reduced, reduced_mask
from workers.normalisation import standardise

PASTE_MOST_SHARE = 0.1  # a larger defect is a state of its own part: elsewhere it looks like a patch

log = structlog.get_logger()


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """An image of the training part at the net's scale."""

    name: str
    image: NDArray[np.float32]  # (h, w) or (h, w, 3), standardised
    truth: NDArray[np.float32]  # (h, w) in 0..1
    defects: NDArray[np.int32]  # (n, 2) y and x of the pixels that are defective at least by half


class StoredSource:
    """`ranks` processes share an epoch. Every image of both parts is read at once, so that none fails hours later."""

    def __init__(self, training: Training, *, ranks: int = 1) -> None:
        self._training, self._ranks = training, ranks
        self._split = load_split(training.dataset, training.root)
        root = Path(training.root or "")
        self._calibration_items = wanted(self._split, "train", root)
        self._validation_items = wanted(self._split, "val", root)
        self._stored = [self._store(item) for item in self._calibration_items]
        self._defective = [i for i, each in enumerate(self._stored) if len(each.defects)]
        if not self._defective:
            raise DatasetError(f"{root}: none of the {len(self._stored)} training images has a defect to learn")
        self._sound = [i for i, each in enumerate(self._stored) if not each.truth.any()]
        self._donors = [i for i in self._defective if (self._stored[i].truth >= 0.5).mean() < PASTE_MOST_SHARE]
        if training.paste and not (self._sound and self._donors):
            raise DatasetError(
                f"{root}: paste = {training.paste:g}, but {len(self._sound)} training images are sound and "
                f"{len(self._donors)} have a defect below {PASTE_MOST_SHARE:.0%} of the image; leave it out"
            )
        judged = [
            (item.part, bool(read_item(item, channels=training.channels)[1].any())) for item in self._validation_items
        ]
        self._judged_parts = {part for part, is_defective in judged if is_defective}
        if not self._judged_parts:
            log.warning("validation.no_defect", root=str(root), images=len(judged), hint="a split.json may name some")

    @property
    def card(self) -> DatasetCard:
        return LAYOUTS[self._training.dataset].card

    @property
    def steps(self) -> int:
        return self._training.steps or -(-len(self._stored) // (self._training.batch * self._ranks))

    @property
    def fingerprint(self) -> str:
        names = "\n".join(stored.name for stored in self._stored)
        return hashlib.sha256(names.encode()).hexdigest()[:16]

    @property
    def split_rule(self) -> str:
        root = Path(self._training.root or "")
        return split_rule(LAYOUTS[self._training.dataset].scan(root), root)

    @property
    def defective_validation_parts(self) -> int:
        return len(self._judged_parts)

    @property
    def images(self) -> tuple[int, int, int, int]:
        """Training images, defective ones among them, validation images and test images."""
        return len(self._stored), len(self._defective), len(self._validation_items), len(self._split["test"])

    def batch(self, step: int, *, rank: int) -> Batch:
        """Drawn with repetition: a share from the defective images, each around a pixel of its defect."""
        training = self._training
        rng = np.random.Generator(np.random.PCG64([training.seed, step, rank, 17]))
        chosen = [self._sample(rng) for _ in range(training.batch)]
        images = np.stack([placed.image for _, placed in chosen])
        return Batch(
            images=images[:, None] if images.ndim == 3 else np.ascontiguousarray(images.transpose(0, 3, 1, 2)),
            truth=np.stack([placed.truth for _, placed in chosen])[:, None],
            names=tuple(name for name, _ in chosen),
        )

    def validation(self) -> Iterator[Example]:
        return examples(self._validation_items, channels=self._training.channels)

    def calibration(self) -> Iterator[Example]:
        return examples(self._calibration_items, channels=self._training.channels)

    def _sample(self, rng: np.random.Generator) -> tuple[str, Placed]:
        if rng.random() < self._training.oversample:
            stored = self._stored[self._defective[int(rng.integers(len(self._defective)))]]
            y, x = stored.defects[int(rng.integers(len(stored.defects)))]
            around: tuple[float, float] | None = (float(y), float(x))
        else:
            stored, around = self._stored[int(rng.integers(len(self._stored)))], None
        image, truth, size = stored.image, stored.truth, self._training.crop
        if self._training.paste and rng.random() < self._training.paste:
            sound = self._stored[self._sound[int(rng.integers(len(self._sound)))]]
            donor = self._stored[self._donors[int(rng.integers(len(self._donors)))]]
            if made := pasted(sound.image, donor.image, donor.truth, rng):
                stored, (image, truth, around) = sound, made
        if not self._training.augment:
            return stored.name, cropped(image, truth, rng, size=size, around=around)
        turned = self._training.rotation_deg
        return stored.name, augmented(image, truth, rng, size=size, around=around, rotation_deg=turned)

    def _store(self, item: Item) -> Stored:
        pixels, mask = read_item(item, channels=self._training.channels)
        size = (self._training.height, self._training.input_width)
        scale = placed_scale(pixels.shape[:2], size, self._training.fit)
        truth = reduced_mask(mask, scale)
        return Stored(
            name=item.name,
            image=standardise(reduced(pixels, scale)),
            truth=truth,
            defects=np.argwhere(truth >= 0.5).astype(np.int32),
        )


def load_split(dataset: str, root: str | None) -> Split:
    """The split of a data set on disk, whatever the seed of a run: what was trained on is never judged.

    DatasetError where the set cannot be read.
    """
    if root is None:
        raise DatasetError(f"{dataset}: lies on disk; --root names its folder")
    folder = Path(root)
    return split_items(LAYOUTS[dataset].scan(folder), folder)


def examples(items: list[Item], *, channels: int) -> Iterator[Example]:
    for item in items:
        pixels, mask = read_item(item, channels=channels)
        yield Example(name=item.name, pixels=pixels, mask=mask)
