"""Images of your own: `images/NAME.png` and `masks/NAME.png`, white where there is a defect.

An image without a defect has an empty mask, or lies in `images/good/`, where it needs none. Images may lie in
subfolders, with their masks in the same subfolders of `masks/`. A part is what `parts.json` says, `{"NAME": "part"}`;
else the subfolder (under `good/`, the one below it), so that `images/p7/a.png` and `images/good/p7/b.png` show piece
p7; else the image itself. NAME is the path below `images/` without its suffix.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from workers.datasets.items import DatasetCard, DatasetError, Item, Layout, folder_of, load_json, mask_of, settled

SUFFIXES = (".png", ".bmp", ".jpg", ".jpeg", ".tif", ".tiff")
GOOD = "good"


def scan(root: Path) -> list[Item]:
    images = folder_of(root, "images")
    items = settled(
        (_item(image, images, root / "masks") for image in _pictures(images)),
        root,
        holding=f"images/NAME with one of {SUFFIXES}",
    )
    listed = root / "parts.json"
    parts = load_json(listed, dict[str, str], right='an object {"NAME": "part"}') if listed.exists() else {}
    if unknown := sorted(parts.keys() - {item.name for item in items}):
        raise DatasetError(f"{listed}: names {unknown[0]!r}, which is no image; a name is like {items[0].name!r}")
    return [msgspec.structs.replace(item, part=parts.get(item.name, item.part)) for item in items]


def _pictures(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _pictures(path)
        elif path.suffix.lower() in SUFFIXES:
            yield path


def _item(image: Path, images: Path, masks: Path) -> Item:
    place = image.relative_to(images).with_suffix("")
    candidates = [(masks / place).with_name(image.stem + suffix) for suffix in SUFFIXES]
    good = place.parts[0] == GOOD and len(place.parts) > 1
    needed = not good or any(mask.is_file() for mask in candidates)
    piece = place.parent.relative_to(GOOD) if good else place.parent
    return Item(
        name=place.as_posix(),
        image=image,
        mask=mask_of(image, *candidates) if needed else None,
        part=piece.as_posix() if piece.parts else place.as_posix(),
    )


LAYOUT = Layout(
    card=DatasetCard(title="Images of the user", licence="the user's own", source="a folder of images and masks"),
    scan=scan,
)
