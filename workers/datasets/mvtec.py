"""One category of MVTec AD: `train/good/*.png`, `test/<type>/*.png` and `ground_truth/<type>/<name>_mask.png`.

Bergmann et al., "The MVTec Anomaly Detection Dataset", Int. J. Computer Vision 129 (2021). The published training
images have no defect, as that benchmark learns without any; a net that learns from masks cannot use that split. So it
is not kept: all images, of train and of test, are shared out anew. An image is its own part.
"""

from pathlib import Path

from workers.datasets.items import DatasetCard, Item, Layout, folder_of, mask_of, settled

GOOD = "good"


def scan(root: Path) -> list[Item]:
    items = []
    for image in [*folder_of(root, "train", GOOD).glob("*.png"), *folder_of(root, "test").glob("*/*.png")]:
        kind = image.parent.name
        name = f"{image.parent.parent.name}/{kind}/{image.stem}"
        masks = root / "ground_truth" / kind
        mask = None if kind == GOOD else mask_of(image, masks / f"{image.stem}_mask.png")
        items.append(Item(name=name, image=image, mask=mask, part=name))
    return settled(items, root, holding="train/good/*.png; it should be one category of MVTec AD, such as 'bottle'")


LAYOUT = Layout(
    card=DatasetCard(
        title="MVTec AD",
        licence="CC BY-NC-SA 4.0 (MVTec Software GmbH): evaluation and research only",
        source="Bergmann et al. 2021, doi:10.1007/s11263-020-01400-4",
    ),
    scan=scan,
)
