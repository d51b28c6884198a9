"""Small data sets as they lie on disk when published: drawn textures, dark blobs and lines, and their exact masks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from workers.datasets.pictures import Mask, Pixels

SIZE = (96, 48)  # height, width
PIECES = 12  # enough for some defective ones in train and in val
EXPOSURES = 3


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """One image of a set, and where it lies below the root."""

    pixels: Pixels  # (H, W) or (H, W, 3), before it was compressed
    mask: Mask  # (H, W)
    part: str
    image_path: str
    mask_path: str | None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    part: str
    image: str
    mask: str | None
    defective: bool


def a_dataset(
    root: Path, layout: str, *, seed: int = 0, flat: bool = False, size: tuple[int, int] = SIZE
) -> dict[str, Drawn]:
    """Draws a set of this layout into `root`; by name, in the order of a scan. `flat`: with masks as they lie here."""
    channels = 3 if layout == "kolektorsdd2" else 1
    found: dict[str, Drawn] = {}
    for index, place in enumerate(PLACES[layout](flat)):
        pixels, mask = a_picture(seed=seed, index=index, size=size, channels=channels, defective=place.defective)
        write_picture(root / place.image, pixels)
        if place.mask is not None:
            write_picture(root / place.mask, mask.astype(np.uint8) * np.uint8(255))
        found[place.name] = Drawn(
            pixels=pixels, mask=mask, part=place.part, image_path=place.image, mask_path=place.mask
        )
    return found


def a_picture(
    *, seed: int = 0, index: int = 0, size: tuple[int, int] = SIZE, channels: int = 1, defective: bool = True
) -> tuple[Pixels, Mask]:
    """A ground surface, and on it one blob or one line where it is defective."""
    rng = np.random.Generator(np.random.PCG64([seed, index, 53]))
    high, wide = size
    grain = rng.normal(0, 8, (1, wide)) + rng.normal(0, 3, (high, wide)) + 8 * np.sin(np.arange(high) / 9)[:, None]
    grey = 140 + rng.uniform(-20, 20) + grain
    mask = _a_defect(rng, high, wide, line=index % 2 == 1) if defective else np.zeros(size, np.bool_)
    grey[mask] -= rng.uniform(60, 80)
    shown: NDArray[np.float64] = grey[..., None] * (1.0, 0.9, 0.8) if channels == 3 else grey
    return np.clip(shown, 0, 255).astype(np.uint8), mask


def write_picture(path: Path, pixels: Pixels) -> None:
    """By the suffix of the path; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=92)  # of a JPEG; other formats take no notice


def _a_defect(rng: np.random.Generator, high: int, wide: int, *, line: bool) -> Mask:
    canvas = np.zeros((high, wide), np.uint8)
    y, x = int(rng.integers(high // 4, 3 * high // 4)), int(rng.integers(wide // 3, 2 * wide // 3))
    if line:
        end = (int(np.clip(x + rng.integers(-8, 9), 2, wide - 3)), int(np.clip(y + high // 5, 2, high - 3)))
        cv2.line(canvas, (x, y), end, color=255, thickness=3)
    else:
        axes = (int(rng.integers(4, max(5, wide // 5))), int(rng.integers(4, max(5, high // 8))))
        cv2.ellipse(canvas, (x, y), axes, angle=0, startAngle=0, endAngle=360, color=255, thickness=-1)
    return canvas > 0


def _folder(flat: bool) -> Iterator[Place]:
    """The pieces without a defect are under good/, where a mask is not needed."""
    for good in (True, False):
        for piece in range(1, PIECES + 1):
            if (piece % 2 == 1) != good:
                continue
            for view in ("left", "right"):
                name = f"{'good/' if good else ''}p{piece}/{view}"
                mask = None if good else f"masks/{name}.png"
                yield Place(
                    name=name, part=f"p{piece}", image=f"images/{name}.png", mask=mask, defective=mask is not None
                )


def _kolektorsdd(flat: bool) -> Iterator[Place]:
    """A commutator in three has a defect, and on one of its two views only."""
    for kos in range(1, PIECES + 1):
        for view in range(2):
            name = f"kos{kos:02}/Part{view}"
            mask = f"{name}_label.{'png' if flat else 'bmp'}"
            defective = kos % 3 == 0 and view == 1
            yield Place(name=name, part=f"kos{kos:02}", image=f"{name}.jpg", mask=mask, defective=defective)


def _kolektorsdd2(flat: bool) -> Iterator[Place]:
    for split, numbers in (("test", range(20000, 20006)), ("train", range(10000, 10012))):
        for number in numbers:
            name = f"{split}/{number}"
            yield Place(name=name, part=name, image=f"{name}.png", mask=f"{name}_GT.png", defective=number % 3 == 0)


def _magnetic_tile(flat: bool) -> Iterator[Place]:
    """A tile in two has a blowhole, which its last exposure does not show: that image lies with those of good tiles."""
    rows = []
    for tile in range(PIECES):
        first = 700 + 1500 * tile
        for exposure in range(1, EXPOSURES + 1):
            defective = tile % 2 == 0 and exposure < EXPOSURES
            rows.append((f"MT_{'Blowhole' if defective else 'Free'}", exposure, first + 20 * exposure, first + 20))
    for kind, exposure, number, first in sorted(rows):
        stem = f"exp{exposure}_num_{number}"
        lies = f"{kind}/{stem}" if flat else f"{kind}/Imgs/{stem}"
        yield Place(
            name=f"{kind}/{stem}",
            part=f"tile-{first}",
            image=f"{lies}.jpg",
            mask=f"{lies}_label.png" if flat else f"{lies}.png",
            defective=kind != "MT_Free",
        )


def _mvtec(flat: bool) -> Iterator[Place]:
    for folder, count in (("test/good", 4), ("test/hole", 5), ("test/scratch", 5), ("train/good", 12)):
        for number in range(count):
            name, kind = f"{folder}/{number:03}", folder.partition("/")[2]
            mask = None if kind == "good" else f"ground_truth/{kind}/{number:03}_mask.png"
            yield Place(name=name, part=name, image=f"{name}.png", mask=mask, defective=mask is not None)


def _rsdd(kind: str) -> Callable[[bool], Iterator[Place]]:
    def places(flat: bool) -> Iterator[Place]:
        for number in range(1, PIECES + 1):
            name, home = f"rail_{number}", f"{kind} RSDDs dataset"
            image, mask = f"{home}/Rail surface images/{name}.jpg", f"{home}/GroundTruth/{name}.jpg"
            yield Place(name=name, part=name, image=image, mask=mask, defective=True)

    return places


PLACES: dict[str, Callable[[bool], Iterator[Place]]] = {
    "folder": _folder,
    "kolektorsdd": _kolektorsdd,
    "kolektorsdd2": _kolektorsdd2,
    "magnetic_tile": _magnetic_tile,
    "mvtec": _mvtec,
    "rsdd1": _rsdd("Type-I"),
    "rsdd2": _rsdd("Type-II"),
}
