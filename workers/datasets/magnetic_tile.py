"""Magnetic tile defects: `MT_<Type>/expE_num_N.jpg` and its mask `.png`, as published (`MT_<Type>/Imgs/`) or flat.

Huang et al., "Surface defect saliency of magnetic tile", The Visual Computer 36 (2020). Masks are `NAME.png` as
published, or `NAME_label.png`; those of MT_Free are empty. A tile was taken under up to six exposures, whose numbers N
follow each other closely.
"""

from pathlib import Path

from workers.datasets.items import DatasetCard, DatasetError, Item, Layout, folder_of

NEXT_EXPOSURE = 120  # of one tile: numbers that differ by less are kept together, as joining two tiles does no harm


def scan(root: Path) -> list[Item]:
    items: list[Item] = []
    for folder in sorted(folder_of(root).glob("MT_*")):
        images = sorted([*folder.glob("*.jpg"), *folder.glob("Imgs/*.jpg")], key=lambda path: (_number(path), path))
        tile, last = -1, -NEXT_EXPOSURE
        for image in images:
            number = _number(image)
            tile += number - last >= NEXT_EXPOSURE
            last = number
            items.append(
                Item(
                    name=f"{folder.name}/{image.stem}",
                    image=image,
                    mask=_mask(image),
                    part=f"{folder.name}-{tile:04d}",
                )
            )
    if not items:
        raise DatasetError(f"{root}: holds no MT_*/*.jpg; it should be the folder of the magnetic tile data set")
    return sorted(items, key=lambda item: item.name)


def _number(image: Path) -> int:
    """`exp1_num_108719` → 108719."""
    _, _, number = image.stem.rpartition("_")
    if not number.isdigit():
        raise DatasetError(f"{image}: its name is not expE_num_N.jpg")
    return int(number)


def _mask(image: Path) -> Path:
    for name in (f"{image.stem}_label.png", f"{image.stem}.png"):
        if (mask := image.with_name(name)).is_file():
            return mask
    raise DatasetError(f"{image}: has no mask; {image.stem}.png or {image.stem}_label.png should lie beside it")


LAYOUT = Layout(
    card=DatasetCard(
        title="Magnetic tile defects",
        licence="free for research, cite the paper; no formal licence",
        source="Huang et al. 2020, doi:10.1007/s00371-018-1588-5",
    ),
    scan=scan,
)
