"""Magnetic tile defects: `MT_<Type>/expE_num_N.jpg` and its mask `.png`, as published (`MT_<Type>/Imgs/`) or flat.

Huang et al., "Surface defect saliency of magnetic tile", The Visual Computer 36 (2020). Masks are `NAME.png` as
published, or `NAME_label.png`; those of MT_Free are empty. A tile was taken under up to six exposures, whose numbers N
follow each other, and its exposures may lie in two folders: where the defect does not show, the image is in MT_Free.
"""

from pathlib import Path

from workers.datasets.items import DatasetCard, DatasetError, Item, Layout, folder_of, mask_of, settled

MASKS = (".png", "_label.png")
# Within one round of exposures numbers are up to 325 apart. One tile was taken again 764 later (MT_Crack, from 86064 to
# 86828; 85897 and 86892 correlate at 0.99). Tiles closer than that are joined too: fewer parts, but none is separated.
NEXT_TILE = 800


def scan(root: Path) -> list[Item]:
    images = [image for place in ("*.jpg", "Imgs/*.jpg") for image in folder_of(root).glob(f"MT_*/{place}")]
    items: list[Item] = []
    first = last = -NEXT_TILE
    for number, image in sorted((_number(image), image) for image in images):
        if number - last >= NEXT_TILE:
            first = number
        last = number
        items.append(
            Item(
                name=f"{image.relative_to(root).parts[0]}/{image.stem}",
                image=image,
                mask=mask_of(image, *(image.with_name(image.stem + ending) for ending in MASKS)),
                part=f"tile-{first}",
            )
        )
    return settled(items, root, holding="MT_*/*.jpg; it should be the folder of the magnetic tile data set")


def _number(image: Path) -> int:
    """`exp1_num_108719` → 108719."""
    _, _, number = image.stem.rpartition("_num_")
    if not number.isdecimal():
        raise DatasetError(f"{image}: its name is not expE_num_N.jpg, so that its tile is not known")
    return int(number)


LAYOUT = Layout(
    card=DatasetCard(
        title="Magnetic tile defects",
        licence="free for research, cite the paper; no formal licence",
        source="Huang et al. 2020, doi:10.1007/s00371-018-1588-5",
    ),
    scan=scan,
)
