"""The card that goes with weights: net, data and its licence, split, figures, limits; what a run knows of itself."""

from config.training import Training
from workers.checkpoint import Manifest
from workers.datasets.source import Source
from workers.datasets.stored import StoredSource
from workers.figures import Figures


def card_of(manifest: Manifest, training: Training, source: Source, found: Figures) -> str:
    """Markdown."""
    card = source.card
    return f"""# {manifest.name}: {training.net}

| | |
|---|---|
| net | {manifest.net.model_dump_json()} |
| input | {manifest.height} lines × {manifest.width} px ({training.fit}), each image by its own mean and spread |
| data | {card.title}; {card.source} |
| licence of the data | {card.licence} |
| split | {_split(source)} |
| training | {training.epochs} epochs of {source.steps} steps of {training.batch}; {training.optimizer} |
| loss | {training.loss} |
| seed | {training.seed} |
| threshold | {manifest.threshold}, chosen on the training part |
| date | {manifest.date} |

## Figures of the validation part
{found.images} images, {found.defective} of them defective; at the images' own resolution, without a least region.

| | all | defective | pooled |
|---|---|---|---|
| DSC | {found.dsc.all} | {found.dsc.defective} | {found.dsc.pooled} |
| IoU | {found.iou.all} | {found.iou.defective} | {found.iou.pooled} |

| | |
|---|---|
| image AP | {found.image_ap} |
| image AUROC | {found.image_auroc} |
| false rejects with every defective image caught | {found.false_reject_rate_at_full_recall} |
| found over true area | {found.area_ratio} |
| expected error of the probabilities | {found.calibration.expected_error} |

| true regions of, px | regions | touched |
|---|---|---|
{_regions(found)}

## Limits
It was judged on pieces of the same make, under the same lamp, as those it was trained on.
{_bound(source, found)}
"""


def _split(source: Source) -> str:
    if isinstance(source, StoredSource):
        train, defective, validation, test = source.images
        return f"{source.split_rule}: {train} images train ({defective} defective), {validation} validate, {test} test"
    return "by the seeds of the surfaces"


def _regions(found: Figures) -> str:
    rows = [f"| {size.from_px} to {size.to_px} | {size.regions} | {size.found} |" for size in found.region_recall]
    return "\n".join(rows) or "| | 0 | 0 |"


def _bound(source: Source, found: Figures) -> str:
    """The exact bound of none in n (Clopper-Pearson, one-sided); images of one part are no independent trials."""
    parts = source.defective_validation_parts if isinstance(source, StoredSource) else found.defective
    if not parts:
        return "No validation image is defective: nothing is known of what it misses."
    bound = f"{1 - 0.05 ** (1 / parts):.0%}"
    return f"{parts} defective parts bound a miss rate only roughly: were none missed, below {bound} at 95 %."
