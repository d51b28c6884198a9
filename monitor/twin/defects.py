"""Outlines of the six kinds of rail defects, in mm, and how each is laid into the grey picture with its exact mask."""

from enum import StrEnum
from typing import assert_never

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
Mask = NDArray[np.bool_]
Outline = NDArray[np.float64]  # (n, 2): across and along in mm, about the defect's own centre

CONTRAST_FLOOR = 3.6  # times the texture around; the promise is 3, the rest is for rounding to grey levels
TEXTURE_FLOOR = 1.5  # grey levels: in a saturated light band the texture is nil, the sensor's step is not
GLINT = (0.7, 1.2)  # share of the light that a fresh scratch adds: bare steel is far brighter than what is run in
SHIFT = 4  # fractional bits of cv2.fillPoly


class DefectKind(StrEnum):
    SQUAT = "squat"
    SPALL = "spall"
    CRACK = "transverse_crack"
    SCRATCH = "scratch"
    DENT = "dent"
    CORRUGATION = "corrugation"


def outline(kind: DefectKind, rng: np.random.Generator, *, area_mm2: float) -> list[Outline]:
    """One defect as closed outlines with about this area together; a corrugation has one per trough."""
    match kind:
        case DefectKind.SQUAT:  # two lobes beside each other, wider than long
            lobe = np.sqrt(area_mm2 / np.pi / 1.55)
            left, right = rng.uniform(0.85, 1.1, 2) * lobe
            offset = 0.75 * lobe
            return [
                _moved(_blob(rng, left, left * 1.05, ripple=0.08), -offset, rng.uniform(-0.2, 0.2) * lobe),
                _moved(_blob(rng, right, right * 1.05, ripple=0.08), offset, 0.0),
            ]
        case DefectKind.SPALL:
            stretch = rng.uniform(0.7, 1.5)
            radius = np.sqrt(area_mm2 / np.pi)
            return [_blob(rng, radius * stretch, radius / stretch, ripple=0.16)]
        case DefectKind.CRACK:
            return [
                _stroke(
                    rng, area_mm2, thickness=rng.uniform(1.1, 1.9), longest=44.0, angle=rng.normal(0.0, 0.12), jag=0.5
                )
            ]
        case DefectKind.SCRATCH:
            angle = np.pi / 2 + rng.normal(0.0, 0.3)
            return [_stroke(rng, area_mm2, thickness=rng.uniform(1.0, 1.6), longest=150.0, angle=angle, jag=0.15)]
        case DefectKind.DENT:
            stretch = rng.uniform(0.85, 1.2)
            radius = np.sqrt(area_mm2 / np.pi)
            return [_blob(rng, radius * stretch, radius / stretch, ripple=0.02)]
        case DefectKind.CORRUGATION:
            troughs = int(rng.integers(3, 6))
            pitch = rng.uniform(16.0, 26.0)
            half = np.sqrt(area_mm2 / troughs / np.pi / 0.4)
            return [
                _moved(_blob(rng, half, half * 0.4, ripple=0.05), rng.normal(0.0, 0.4), (i - (troughs - 1) / 2) * pitch)
                for i in range(troughs)
            ]
        case _:
            assert_never(kind)


def cover(
    outlines: list[Outline], *, shape: tuple[int, int], centre_px: tuple[float, float], scale: tuple[float, float]
) -> Grey:
    """(H, W) in 0..1: how much of each pixel lies inside. `scale` is px per mm across and lines per mm."""
    canvas = np.zeros(shape, np.uint8)
    for points in outlines:
        px = points * scale + centre_px
        cv2.fillPoly(canvas, [np.round(px * (1 << SHIFT)).astype(np.int32)], (255,), cv2.LINE_AA, SHIFT)
    return canvas.astype(np.float32) / 255.0


def lay(grey: Grey, coverage: Grey, mask: Mask, kind: DefectKind, rng: np.random.Generator) -> Grey | None:
    """The patch with the defect in it, or None where the light there leaves no room for the promised contrast.

    `grey` (h, w) is the clean patch with some surface around the defect.
    """
    softness = 1.1 if kind in (DefectKind.DENT, DefectKind.SQUAT, DefectKind.CORRUGATION) else 0.6
    alpha = cv2.GaussianBlur(coverage, (0, 0), softness)
    level = float(grey[mask].mean())
    needed = CONTRAST_FLOOR * max(texture(grey, mask), TEXTURE_FLOOR) / max(float(alpha[mask].mean()), 0.2)
    bright = kind is DefectKind.SCRATCH and level < 130.0 and rng.random() < 0.5
    room = 235.0 - float(np.percentile(grey[mask], 90)) if bright else float(np.percentile(grey[mask], 10)) - 6.0
    wanted = level * rng.uniform(*(GLINT if bright else _DEPTH[kind]))
    if room < needed:
        return None
    step = min(max(wanted, needed), room)
    if bright:
        return grey + alpha * step
    fleck = 1.0 + 0.12 * rng.standard_normal(grey.shape, np.float32) if kind is DefectKind.SPALL else 1.0
    deep = grey - alpha * np.maximum(grey * (step / level) * fleck, needed)
    if kind in (DefectKind.SPALL, DefectKind.DENT):  # the lip below throws the lamp back: outside the defect
        lip = np.maximum(np.roll(alpha, 2, axis=0) - alpha, 0.0)
        lip[:2] = 0.0
        deep += np.where(mask, 0.0, lip) * rng.uniform(10.0, 60.0)
    laid: Grey = np.maximum(deep, np.minimum(grey, 4.0)).astype(np.float32)
    return laid


def texture(grey: Grey, mask: Mask) -> float:
    """Spread of the surface around the mask, in grey levels, once the light along each column is taken away."""
    outside = ~cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    columns = mask.any(axis=0)
    kept = outside[:, columns]
    patch = grey[:, columns]
    if kept.sum() < 20:
        return float(grey.std())
    mean = np.where(kept, patch, 0.0).sum(axis=0) / np.maximum(kept.sum(axis=0), 1)
    return float((patch - mean)[kept].std())


_DEPTH = {  # share of the light that is lost at the bottom
    DefectKind.SQUAT: (0.35, 0.65),
    DefectKind.SPALL: (0.5, 0.85),
    DefectKind.CRACK: (0.5, 0.9),
    DefectKind.SCRATCH: (0.35, 0.7),
    DefectKind.DENT: (0.3, 0.6),
    DefectKind.CORRUGATION: (0.25, 0.5),
}


def _blob(rng: np.random.Generator, across: float, along: float, *, ripple: float) -> Outline:
    turn = np.linspace(0.0, 2 * np.pi, 48, endpoint=False)
    radius = np.ones_like(turn)
    for wave in range(2, 6):
        radius += ripple * rng.normal() / wave * np.cos(wave * turn + rng.uniform(0.0, 2 * np.pi)) * 2
    radius = np.maximum(radius, 0.4)
    return np.stack([across * radius * np.cos(turn), along * radius * np.sin(turn)], axis=1)


def _moved(points: Outline, across: float, along: float) -> Outline:
    moved: Outline = points + np.array([across, along])
    return moved


def _stroke(
    rng: np.random.Generator, area_mm2: float, *, thickness: float, longest: float, angle: float, jag: float
) -> Outline:
    """A band that thins towards its ends; past `longest` it grows thicker instead."""
    length = area_mm2 / (0.85 * thickness)
    if length > longest:
        length, thickness = longest, area_mm2 / (0.85 * longest)
    length = max(length, 1.5 * thickness)
    knots = max(int(length / 2.0), 6)
    along = np.linspace(-0.5, 0.5, knots)
    sway = np.cumsum(rng.normal(0.0, jag, knots))
    sway -= np.linspace(sway[0], sway[-1], knots)
    half = 0.5 * thickness * np.minimum(1.0, 0.45 + 2.2 * (0.5 - np.abs(along))) * rng.uniform(0.9, 1.1, knots)
    upper = np.stack([along * length, sway + half], axis=1)
    lower = np.stack([along * length, sway - half], axis=1)[::-1]
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned: Outline = np.concatenate([upper, lower]) @ turn
    return turned
