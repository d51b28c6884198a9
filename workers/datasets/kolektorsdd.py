"""KolektorSDD: `kosNN/PartM.jpg` and `PartM_label.bmp` (as published) or `.png`; a part is a commutator.

Tabernik et al., "Segmentation-based deep-learning approach for surface-defect detection", J. Intell. Manuf. 31 (2020).
"""

from pathlib import Path

from workers.datasets.items import DatasetCard, Item, Layout, folder_of, mask_of, settled

MASKS = ("_label.bmp", "_label.png")


def scan(root: Path) -> list[Item]:
    items = (
        Item(
            name=f"{image.parent.name}/{image.stem}",
            image=image,
            mask=mask_of(image, *(image.with_name(image.stem + ending) for ending in MASKS)),
            part=image.parent.name,
        )
        for image in folder_of(root).glob("kos*/Part*.jpg")
    )
    return settled(items, root, holding="kos*/Part*.jpg; it should be the folder of KolektorSDD")


LAYOUT = Layout(
    card=DatasetCard(
        title="KolektorSDD",
        licence="CC BY-NC-SA 4.0 (Kolektor Group): evaluation and research only",
        source="Tabernik et al. 2020, doi:10.1007/s10845-019-01476-x",
    ),
    scan=scan,
)
