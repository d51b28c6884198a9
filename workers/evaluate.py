"""A net judged as the line would judge it: fresh surfaces, the station's threshold and policy, and the truth."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec
import numpy as np

from config.cameras import Calibration
from config.policy import Policy
from monitor.messages import Outcome
from monitor.rules.policy import judge
from monitor.rules.regions import find_regions, regions_of_mask
from monitor.twin.surface import BLOCK, Surface, SurfaceSpec, draw
from monitor.twin.truth import DEFECTIVE_ABOVE, GOOD_BELOW, TruthClass
from workers.datasets import twin
from workers.metrics import PixelCounts, pixel_counts
from workers.segmenter import Segmenter

SIZE_EDGES_MM2 = (4.0, 12.0, 28.0, 52.0, 120.0, 100_000.0)  # of true regions, to see a bias that hangs on size


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """A part that was judged against its truth."""

    seed: int
    slot: int
    truth: str
    severity_true: float
    severity_found: float
    kinds: tuple[str, ...]


class SizeBin(msgspec.Struct, frozen=True, kw_only=True):
    from_mm2: float
    to_mm2: float
    regions: int
    ratio_p05: float  # found over true area of the region's neighbourhood
    ratio_p50: float
    ratio_p95: float


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    surfaces: int
    good: int
    borderline: int
    defective: int
    escaped: int
    false_rejects: int
    dsc: float
    area_ratio: float
    threshold: float
    sizes: tuple[SizeBin, ...]
    rows: tuple[Miss, ...]


def evaluate_on_twin(
    segmenter: Segmenter,
    policy: Policy,
    calibration: Calibration,
    *,
    surfaces: int,
    first_seed: int,
    wanted: TruthClass | None,
    report: Callable[[int], None],
) -> Evaluation:
    """`wanted` None takes the twin's own mix; otherwise every part is of that class."""
    spec = SurfaceSpec(mm_per_px_across=calibration.mm_per_px_across, mm_per_line=calibration.mm_per_line)
    classes = dict.fromkeys(TruthClass, 0)
    counts, misses, ratios = PixelCounts(), [], []
    for i, (seed, slot, surface) in enumerate(_surfaces(spec, surfaces, first_seed=first_seed, wanted=wanted)):
        found, mask = find_regions(
            segmenter.probability(surface.pixels), threshold=segmenter.threshold, calibration=calibration
        )
        judgement = judge(found, policy)
        true = judge(regions_of_mask(surface.mask, calibration), policy).severity
        classes[_truth(true)] += 1
        counts += pixel_counts(mask, surface.mask)
        ratios += list(_ratios(surface, mask, spec))
        rejected = judgement.outcome is Outcome.REJECT
        if (true > DEFECTIVE_ABOVE and not rejected) or (true < GOOD_BELOW and rejected):
            kinds = tuple(defect.kind.value for defect in surface.defects)
            misses.append(
                Miss(
                    seed=seed,
                    slot=slot,
                    truth=_truth(true).value,
                    severity_true=round(true, 3),
                    severity_found=round(judgement.severity, 3),
                    kinds=kinds,
                )
            )
        report(i + 1)
    return Evaluation(
        surfaces=surfaces,
        good=classes[TruthClass.GOOD],
        borderline=classes[TruthClass.BORDERLINE],
        defective=classes[TruthClass.DEFECTIVE],
        escaped=sum(miss.truth == TruthClass.DEFECTIVE for miss in misses),
        false_rejects=sum(miss.truth == TruthClass.GOOD for miss in misses),
        dsc=round(counts.dsc, 4),
        area_ratio=round(counts.area_ratio, 4),
        threshold=segmenter.threshold,
        sizes=_sizes(ratios),
        rows=tuple(misses),
    )


def _surfaces(
    spec: SurfaceSpec, count: int, *, first_seed: int, wanted: TruthClass | None
) -> Iterator[tuple[int, int, Surface]]:
    """A new line (seed) each block: the light bands are the line's."""
    for i in range(count):
        seed = twin.TEST_SEEDS[first_seed + i // BLOCK]
        yield seed, i, draw(spec, seed=seed, slot=i, wanted=wanted)


def _truth(severity: float) -> TruthClass:
    if severity < GOOD_BELOW:
        return TruthClass.GOOD
    return TruthClass.BORDERLINE if severity <= DEFECTIVE_ABOVE else TruthClass.DEFECTIVE


def _ratios(surface: Surface, mask: np.typing.NDArray[np.bool_], spec: SurfaceSpec) -> Iterator[tuple[float, float]]:
    """(true area in mm², found over true) of each defect, within its box and a few pixels around."""
    for defect in surface.defects:
        x, y, width, height = defect.box
        near = np.s_[max(y - 4, 0) : y + height + 4, max(x - 4, 0) : x + width + 4]
        yield defect.area_mm2, float(mask[near].sum() * spec.px_mm2 / defect.area_mm2)


def _sizes(ratios: list[tuple[float, float]]) -> tuple[SizeBin, ...]:
    bins = []
    for low, high in pairwise(SIZE_EDGES_MM2):
        inside = [ratio for area, ratio in ratios if low <= area < high]
        if inside:
            p05, p50, p95 = (round(float(q), 3) for q in np.percentile(inside, (5, 50, 95)))
            bins.append(
                SizeBin(from_mm2=low, to_mm2=high, regions=len(inside), ratio_p05=p05, ratio_p50=p50, ratio_p95=p95)
            )
    return tuple(bins)
