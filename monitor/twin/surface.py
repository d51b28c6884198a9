"""The rail head that the twin's camera sees, drawn from (seed, slot) alone, with the exact mask of what is wrong."""

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.twin import defects
from monitor.twin.defects import DefectKind, Grey, Mask
from monitor.twin.truth import TruthClass, class_of

BLOCK = 10  # slots; each block holds exactly one defective part
EDGE_PX = 5  # no defect comes nearer to the edge of the part
APART_PX = 10  # two defects stay two regions
MARGIN_PX = 14  # surface around a defect against which its contrast is measured
TRIES = 40
SMALL_KINDS = tuple(kind for kind in DefectKind if kind is not DefectKind.CORRUGATION)  # that one is never small

Light = NDArray[np.float32]  # (W,)


class SurfaceSpec(msgspec.Struct, frozen=True, kw_only=True):
    height: int = 1000  # lines
    width: int = 160  # px across
    mm_per_px_across: float = 0.45
    mm_per_line: float = 0.5
    min_region_mm2: float = 4.0  # smaller regions do not count; benign specks stay below a third of it
    reject_region_mm2: float = 40.0
    reject_total_mm2: float = 80.0

    @property
    def px_mm2(self) -> float:
        return self.mm_per_px_across * self.mm_per_line


class Defect(msgspec.Struct, frozen=True, kw_only=True):
    kind: DefectKind
    box: tuple[int, int, int, int]  # x, y, width, height in px
    area_mm2: float


class Surface(msgspec.Struct, frozen=True, kw_only=True):
    pixels: NDArray[np.uint8]  # (H, W)
    mask: Mask  # (H, W), exact
    defects: tuple[Defect, ...]
    severity: float
    truth: TruthClass


Drawn = tuple[Grey, Mask, tuple[Defect, ...]]


def draw(
    spec: SurfaceSpec,
    *,
    seed: int,
    slot: int,
    wanted: TruthClass | None = None,
    kinds: tuple[DefectKind, ...] = tuple(DefectKind),
) -> Surface:
    """The same arguments give the same pixels.

    `wanted` overrides the mix, and `kinds` the kinds of the main defect: training needs more of what is rare or hard.
    """
    rng = np.random.Generator(np.random.PCG64([seed, slot, 1]))
    wanted = wanted or planned(seed=seed, slot=slot)
    clean = rail(spec, rng, seed=seed, slot=slot)
    low, high = _aim(wanted, rng)
    grey, mask, found = _as_wanted(spec, clean, rng, kinds, low=low, high=high) if high else _untouched(clean)
    noisy = grey + 1.2 * rng.standard_normal(grey.shape, np.float32)
    got = severity(spec, mask)
    pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    return Surface(pixels=pixels, mask=mask, defects=found, severity=got, truth=class_of(got))


def planned(*, seed: int, slot: int) -> TruthClass:
    """What the mix asks for at this slot: one defective in each block, about one in twelve borderline."""
    block = np.random.Generator(np.random.PCG64([seed, slot // BLOCK, 2]))
    if int(block.integers(BLOCK)) == slot % BLOCK:
        return TruthClass.DEFECTIVE
    return TruthClass.BORDERLINE if block.random(BLOCK)[slot % BLOCK] < 0.09 else TruthClass.GOOD


def severity(spec: SurfaceSpec, mask: Mask) -> float:
    """The deciding area over its limit: the largest region or all together, whichever is nearer to rejection."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA] * spec.px_mm2
    areas = areas[areas >= spec.min_region_mm2]
    if areas.size == 0:
        return 0.0
    return float(max(areas.max() / spec.reject_region_mm2, areas.sum() / spec.reject_total_mm2))


def rail(spec: SurfaceSpec, rng: np.random.Generator, *, seed: int, slot: int) -> Grey:
    """(H, W) grey levels of a sound rail head under the line's lamp."""
    high, wide = spec.height, spec.width
    light, rough = _light(np.random.Generator(np.random.PCG64([seed, 0, 3])), rng, wide)
    grinding = cv2.resize(
        rng.standard_normal((max(high // 90, 2), wide), np.float32), (wide, high), interpolation=cv2.INTER_LINEAR
    )
    oxide = cv2.resize(
        rng.standard_normal((max(high // 45, 2), max(wide // 14, 2)), np.float32),
        (wide, high),
        interpolation=cv2.INTER_CUBIC,
    )
    marks = rng.standard_normal((high, max(wide // 8, 2)), np.float32)
    marks = np.sign(marks) * np.maximum(np.abs(marks) - 1.2, 0.0)
    clustered = 1.0 + 0.8 * np.clip(oxide, -1.0, 2.0)
    ticks = cv2.resize(marks, (wide, high), interpolation=cv2.INTER_LINEAR) * clustered
    mottle = cv2.resize(
        rng.standard_normal((high // 4 + 1, wide // 3 + 1), np.float32), (wide, high), interpolation=cv2.INTER_LINEAR
    )
    grain = cv2.GaussianBlur(rng.standard_normal((high, wide), np.float32), (3, 5), sigmaX=0.5, sigmaY=1.1)
    lamp = 1.0 + 0.07 * np.sin(2 * np.pi * slot / 700.0 + seed) + 0.03 * np.sin(2 * np.pi * slot / 83.0)
    share = 0.018 * grinding - 0.03 * np.maximum(oxide - 0.8, 0.0) + 0.012 * oxide + 0.04 * ticks + 0.02 * mottle
    grey: Grey = (np.minimum(light * lamp, 262.0) * (1.0 + share) + rough * grain).astype(np.float32)
    _specks(grey, rng, spec)
    bounded: Grey = np.clip(grey, 3.0, 255.0)
    return bounded


def _light(line: np.random.Generator, rng: np.random.Generator, wide: int) -> tuple[Light, Light]:
    """(W,) light across the head and (W,) how rough it looks: the line's own bands, a little shifted in each part."""
    u = (np.arange(wide, dtype=np.float32) + 0.5) / wide + np.float32(rng.normal(0.0, 0.006))
    light = np.full(wide, line.uniform(70.0, 100.0), np.float32) + line.uniform(-25.0, 10.0) * u
    for _ in range(int(line.integers(4, 8))):
        light += (
            line.uniform(10.0, 45.0)
            * rng.uniform(0.85, 1.15)
            * np.exp(-(((u - line.uniform(0.08, 0.8)) / line.uniform(0.02, 0.07)) ** 2))
        )
    glare = line.uniform(0.14, 0.5)
    light += (
        line.uniform(90.0, 150.0)
        * rng.uniform(0.9, 1.1)
        * np.exp(-(np.abs((u - glare) / line.uniform(0.035, 0.06)) ** 2.5))
    )
    shoulder = np.clip(u / line.uniform(0.06, 0.14), 0.0, 1.0) * np.clip((1.0 - u) / line.uniform(0.03, 0.08), 0.0, 1.0)
    rough = 3.0 + 7.0 * np.clip((u - 0.55) / 0.4, 0.0, 1.0) * line.uniform(0.3, 1.0)
    streaks = 1.0 + 0.02 * line.standard_normal(wide, np.float32)
    lit = (20.0 + light * (0.15 + 0.85 * shoulder)) * streaks
    return lit.astype(np.float32), rough.astype(np.float32)


def _specks(grey: Grey, rng: np.random.Generator, spec: SurfaceSpec) -> None:
    """Small dark pits and bright grains that every rail has; each far smaller than a region that counts."""
    largest = max(int(spec.min_region_mm2 / 3.0 / spec.px_mm2), 1)
    for _ in range(int(rng.poisson(26 * spec.height * spec.width / 160_000))):
        long = int(rng.integers(1, min(largest, 5) + 1))
        tall = int(rng.integers(1, max(min(largest // long, 3), 1) + 1))
        x = int(rng.integers(0, spec.width - long - 4))
        y = int(rng.integers(0, spec.height - tall - 4))
        light = np.ones((tall + 4, long + 4), np.float32)
        light[2:-2, 2:-2] = rng.uniform(0.2, 0.8) if rng.random() < 0.8 else rng.uniform(1.15, 1.45)
        grey[y : y + tall + 4, x : x + long + 4] *= cv2.GaussianBlur(light, (3, 3), 0.55)


def _aim(wanted: TruthClass, rng: np.random.Generator) -> tuple[float, float]:
    """The severities between which this part must lie; (0, 0) for a part without a blemish."""
    match wanted:
        case TruthClass.DEFECTIVE:
            return 1.4, 8.0
        case TruthClass.BORDERLINE:
            return 0.72, 1.28
        case TruthClass.GOOD:
            return (0.12, 0.64) if rng.random() < 0.4 else (0.0, 0.0)


def _untouched(clean: Grey) -> Drawn:
    return clean.copy(), np.zeros(clean.shape, bool), ()


def _as_wanted(
    spec: SurfaceSpec, clean: Grey, rng: np.random.Generator, kinds: tuple[DefectKind, ...], *, low: float, high: float
) -> Drawn:
    for _ in range(TRIES):
        aim = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        grey, mask, found = _with_defects(spec, clean, rng, kinds, severity_wanted=aim)
        if found and low <= severity(spec, mask) <= high:
            return grey, mask, found
    raise RuntimeError(
        f"no surface of severity {low} to {high} in {TRIES} tries: is the part too small for its limits?"
    )


def _with_defects(
    spec: SurfaceSpec, clean: Grey, rng: np.random.Generator, kinds: tuple[DefectKind, ...], *, severity_wanted: float
) -> Drawn:
    """One main defect of about the wanted severity, and now and then a small companion."""
    grey, mask, _ = _untouched(clean)
    kind = kinds[int(rng.integers(len(kinds)))]
    limit = spec.reject_total_mm2 if kind is DefectKind.CORRUGATION else spec.reject_region_mm2
    main = _place(spec, grey, mask, rng, kind, area_mm2=severity_wanted * limit)
    if main is None:
        return _untouched(clean)
    if rng.random() >= 0.25:
        return grey, mask, (main,)
    small = SMALL_KINDS[int(rng.integers(len(SMALL_KINDS)))]
    companion = _place(spec, grey, mask, rng, small, area_mm2=spec.reject_region_mm2 * rng.uniform(0.12, 0.3))
    return grey, mask, (main,) if companion is None else (main, companion)


def _place(
    spec: SurfaceSpec, grey: Grey, mask: Mask, rng: np.random.Generator, kind: DefectKind, *, area_mm2: float
) -> Defect | None:
    """Draws into `grey` and `mask`; None where it found no room."""
    scale = (1.0 / spec.mm_per_px_across, 1.0 / spec.mm_per_line)
    points = defects.outline(kind, rng, area_mm2=area_mm2)
    px = np.concatenate(points) * scale
    low, high = np.floor(px.min(axis=0)).astype(int) - 1, np.ceil(px.max(axis=0)).astype(int) + 2
    first = EDGE_PX - low
    last = np.array([spec.width, spec.height]) - EDGE_PX - high
    if (last <= first).any():
        return None
    for _ in range(6):
        at = rng.uniform(first, last)
        x0, y0 = np.maximum((at + low).astype(int) - MARGIN_PX, 0)
        x1, y1 = np.minimum((at + high).astype(int) + MARGIN_PX, (spec.width, spec.height))
        part = np.s_[int(y0) : int(y1), int(x0) : int(x1)]
        coverage = defects.cover(points, shape=grey[part].shape, centre_px=(at[0] - x0, at[1] - y0), scale=scale)
        inside = coverage >= 0.5
        if not inside.any() or _near(mask[part], inside):
            continue
        laid = defects.lay(grey[part], coverage, inside, kind, rng)
        if laid is None:
            continue
        grey[part] = laid
        mask[part] |= inside
        ys, xs = np.nonzero(inside)
        box = (int(x0 + xs.min()), int(y0 + ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1)
        return Defect(kind=kind, box=box, area_mm2=float(inside.sum()) * spec.px_mm2)
    return None


def _near(others: Mask, inside: Mask) -> bool:
    grown = cv2.dilate(inside.astype(np.uint8), np.ones((2 * APART_PX + 1, 2 * APART_PX + 1), np.uint8))
    return bool((others & grown.astype(bool)).any())
