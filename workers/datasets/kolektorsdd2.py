"""KolektorSDD2: `train/NNNNN.png` and `NNNNN_GT.png`, likewise `test/`, in colour; train and test stay as published.

Božič et al., "Mixed supervision for surface-defect detection: from weakly to fully supervised learning", Computers in
Industry 129 (2021). No parts are named, so that an image is its own part. Files of other names are not of the set.
"""

from pathlib import Path

from workers.datasets.items import DatasetCard, Item, Layout, SplitName, folder_of, mask_of, settled

PUBLISHED: tuple[SplitName, ...] = ("train", "test")


def scan(root: Path) -> list[Item]:
    items = (
        Item(
            name=f"{split}/{image.stem}",
            image=image,
            mask=mask_of(image, image.with_name(f"{image.stem}_GT.png")),
            part=f"{split}/{image.stem}",
            published=split,
        )
        for split in PUBLISHED
        for image in folder_of(root, split).glob("*.png")
        if image.stem.isdecimal()
    )
    return settled(items, root, holding="train/NNNNN.png; it should be the folder of KolektorSDD2")


LAYOUT = Layout(
    card=DatasetCard(
        title="KolektorSDD2",
        licence="CC BY-NC-SA 4.0 (Kolektor Group): evaluation and research only",
        source="Božič et al. 2021, doi:10.1016/j.compind.2021.103459",
    ),
    scan=scan,
)
