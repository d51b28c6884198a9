"""RSDDs: `Type-I RSDDs dataset/Rail surface images/rail_N.jpg` and `…/GroundTruth/rail_N.jpg`; likewise Type-II.

Gan et al., "A hierarchical extractor-based visual rail surface inspection system", IEEE Sensors Journal 17 (2017).
Type I is of express rails (160×1000), type II of common and heavy-haul rails (55×1250). Every image has a defect. Masks
are JPEG, so that greys near 0 and 255 appear; they are halved. Which images show one rail is not said, so that an image
is its own part. The root holds the folder of the type, or is that folder.
"""

from functools import partial
from pathlib import Path

from workers.datasets.items import DatasetCard, DatasetError, Item, Layout, folder_of, mask_of, settled

IMAGES, MASKS = "Rail surface images", "GroundTruth"


def scan(root: Path, *, named: str) -> list[Item]:
    home = root / named if (root / named).is_dir() else folder_of(root)
    if not (home / MASKS).is_dir():
        raise _without_masks(home, named)
    items = (
        Item(name=image.stem, image=image, mask=mask_of(image, home / MASKS / image.name), part=image.stem)
        for image in folder_of(home, IMAGES).glob("*.jpg")
    )
    return settled(items, home, holding=f"{IMAGES}/rail_N.jpg; it should be '{named}'")


def _without_masks(home: Path, named: str) -> DatasetError:
    right = f"it should be '{named}' with '{IMAGES}' and '{MASKS}', or the folder above it"
    if found := len([*home.glob("*.jpg"), *home.glob("*/*.jpg")]):
        return DatasetError(f"{home}: holds {found} images but no masks, and without masks none can train; {right}")
    return DatasetError(f"{home}: holds no '{MASKS}'; {right}")


def _layout(kind: str) -> Layout:
    return Layout(
        card=DatasetCard(
            title=f"RSDDs {kind}",
            licence="not stated",
            source="Gan et al. 2017, doi:10.1109/JSEN.2017.2761858",
        ),
        scan=partial(scan, named=f"{kind} RSDDs dataset"),
    )


TYPE_1 = _layout("Type-I")
TYPE_2 = _layout("Type-II")
