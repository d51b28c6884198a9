"""KolektorSDD: `kosNN/PartM.jpg` and `PartM_label.bmp` (as published) or `.png`; a part is a commutator.

Tabernik et al., "Segmentation-based deep-learning approach for surface-defect detection", J. Intell. Manuf. 31 (2020).
"""

from pathlib import Path

from workers.datasets.items import DatasetCard, DatasetError, Item, Layout, beside, folder_of


def scan(root: Path) -> list[Item]:
    items = []
    for folder in sorted(folder_of(root).glob("kos*")):
        for image in sorted(folder.glob("Part*.jpg")):
            published = image.with_name(f"{image.stem}_label.bmp")
            mask = published if published.is_file() else beside(image, "_label.png")
            items.append(Item(name=f"{folder.name}/{image.stem}", image=image, mask=mask, part=folder.name))
    if not items:
        raise DatasetError(f"{root}: holds no kos*/Part*.jpg; it should be the folder of KolektorSDD")
    return items


LAYOUT = Layout(
    card=DatasetCard(
        title="KolektorSDD",
        licence="CC BY-NC-SA 4.0 (Kolektor Group): evaluation and research only",
        source="Tabernik et al. 2020, doi:10.1007/s10845-019-01476-x",
    ),
    scan=scan,
)
