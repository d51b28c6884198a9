"""Joint augmentation of an image and its truth: one affine map for both, then light and noise for the image alone.

A library would bring more kinds; those alive and permissively licensed work on tensors and weigh more than this page.
"""

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SCALE = (0.85, 1.2)
SHEAR = 0.08
GAIN, OFFSET = (0.8, 1.25), 0.25  # in units of the image's own spread
GAMMA_LIKE = 0.15  # bends the tone curve: x + b (x² - 1), which keeps mean and spread nearly
NOISE_MOST, NOISE_SHARE = 0.2, 0.5
BLUR_MOST_PX, BLUR_SHARE = 0.8, 0.2
PASTE_GROUND_PX, PASTE_SOFT_PX = 8, 1.5


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A training sample."""

    image: Floats  # (h, w) or (h, w, 3)
    truth: Floats  # (h, w) in 0..1


def augmented(
    image: Floats,
    truth: Floats,
    rng: np.random.Generator,
    *,
    size: tuple[int, int],
    around: tuple[float, float] | None,
    rotation_deg: float,
) -> Placed:
    """A sample of `size` (h, w) somewhere in the image, or with the point `around` (y, x) somewhere in its middle.

    It is turned by up to `rotation_deg` either way.
    """
    matrix = _affine(rng, image.shape[:2], size, around, rotation_deg)
    placed, shown = _warped(image, matrix, size), _warped(truth, matrix, size)
    return Placed(image=_lit(placed, rng), truth=np.clip(shown, 0.0, 1.0))


def cropped(
    image: Floats, truth: Floats, rng: np.random.Generator, *, size: tuple[int, int], around: tuple[float, float] | None
) -> Placed:
    """The same without augmentation: where the sample lies is all that is drawn."""
    source_y, source_x = _source_point(rng, image.shape[:2], size, around)
    matrix = np.array([[1, 0, np.rint(source_x - size[1] / 2)], [0, 1, np.rint(source_y - size[0] / 2)]], np.float64)
    return Placed(image=_warped(image, matrix, size), truth=_warped(truth, matrix, size))


def pasted(
    image: Floats, donor: Floats, donor_truth: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, tuple[float, float]] | None:
    """(image, truth, a point of it): a sound image with the donor's defect somewhere on it, turned over perhaps.

    What the defect changes is carried over, not its level: the donor's surroundings are taken off, ours are put on. Its
    edge is softened, or the net would learn to see the cut. None where the defect leaves nothing around it to compare.
    """
    patch, truth = _cut(donor, donor_truth, image.shape[:2], rng)
    ground = truth < 0.5
    if not ground.any() or ground.all():
        return None
    high, wide = truth.shape
    y = int(rng.integers(image.shape[0] - high + 1))
    x = int(rng.integers(image.shape[1] - wide + 1))
    here = (slice(y, y + high), slice(x, x + wide))
    share = np.asarray(cv2.GaussianBlur(truth, (0, 0), PASTE_SOFT_PX), np.float32)
    share = np.maximum(share, truth) if image.ndim == 2 else np.maximum(share, truth)[..., None]
    shown, everywhere = image.copy(), np.zeros(image.shape[:2], np.float32)
    level = image[here][ground].mean(axis=0) - patch[ground].mean(axis=0)
    shown[here] = image[here] * (1 - share) + (patch + level) * share
    everywhere[here] = truth
    points = np.argwhere(everywhere >= 0.5)
    point = points[int(rng.integers(len(points)))]
    return shown, everywhere, (float(point[0]), float(point[1]))


def _cut(donor: Floats, truth: Floats, most: tuple[int, ...], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The defects of a donor with some ground around them, no larger than `most` (h, w), flipped or not."""
    spans = []
    for axis in range(2):
        lines = np.flatnonzero((truth >= 0.5).any(axis=1 - axis))
        low, high = max(0, lines[0] - PASTE_GROUND_PX), min(truth.shape[axis], lines[-1] + 1 + PASTE_GROUND_PX)
        if high - low > most[axis]:  # part of it will do
            low += int(rng.integers(high - low - most[axis] + 1))
            high = low + most[axis]
        spans.append(slice(int(low), int(high), 1))
    flips = tuple(slice(None, None, int(step)) for step in rng.choice((-1, 1), 2))
    rows, columns = spans
    return donor[rows, columns][flips], truth[rows, columns][flips]


def _affine(
    rng: np.random.Generator,
    own: tuple[int, ...],
    size: tuple[int, int],
    around: tuple[float, float] | None,
    rotation_deg: float,
) -> NDArray[np.float64]:
    """From sample to image, (2, 3): flips, a rotation, scale and shear about the sample's middle."""
    angle = np.deg2rad(rng.uniform(-rotation_deg, rotation_deg))
    zoom_y, zoom_x = np.exp(rng.uniform(np.log(SCALE[0]), np.log(SCALE[1]), 2))
    flip_y, flip_x = rng.choice((-1.0, 1.0), 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1.0, rng.uniform(-SHEAR, SHEAR)], [0.0, 1.0]])
    linear = turn @ shear @ np.diag([flip_x * zoom_x, flip_y * zoom_y])  # on (x, y)
    source_y, source_x = _source_point(rng, own, size, around)
    middle = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    source = np.array([source_x, source_y])
    if around is not None:
        point = np.array([around[1], around[0]])
        seen = middle + np.linalg.solve(linear, point - source)
        if not ((seen >= 0) & (seen < (size[1], size[0]))).all():  # a long sample turned about its middle leaves it out
            source = point
    return np.column_stack([linear, source - linear @ middle])


def _source_point(
    rng: np.random.Generator, own: tuple[int, ...], size: tuple[int, int], around: tuple[float, float] | None
) -> tuple[float, float]:
    """(y, x) of the image that the sample's middle shows."""
    point = []
    for axis in range(2):
        half = size[axis] / 2
        low, high = min(half, own[axis] / 2), max(own[axis] - half, own[axis] / 2)
        at = rng.uniform(low, high) if around is None else around[axis] + rng.uniform(-0.4, 0.4) * size[axis]
        point.append(float(np.clip(at, low, high)))
    return point[0], point[1]


def _warped(image: Floats, matrix: NDArray[np.float64], size: tuple[int, int]) -> Floats:
    """Beyond its edges the image is mirrored, its truth with it."""
    return np.asarray(
        cv2.warpAffine(
            image,
            matrix,
            size[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        ),
        np.float32,
    )


def _lit(image: Floats, rng: np.random.Generator) -> Floats:
    shown = image * np.float32(rng.uniform(*GAIN)) + np.float32(rng.uniform(-OFFSET, OFFSET))
    shown += np.float32(rng.uniform(-GAMMA_LIKE, GAMMA_LIKE)) * (np.clip(image, -3, 3) ** 2 - 1)
    if rng.random() < BLUR_SHARE:
        shown = np.asarray(cv2.GaussianBlur(shown, (0, 0), float(rng.uniform(0.3, BLUR_MOST_PX))), np.float32)
    if rng.random() < NOISE_SHARE:
        shown = shown + rng.standard_normal(shown.shape, np.float32) * np.float32(rng.uniform(0, NOISE_MOST))
    return np.asarray(shown, np.float32)
