"""What a net is measured by, from pixel counts pooled over all images."""

import msgspec
import numpy as np
from numpy.typing import NDArray


class PixelCounts(msgspec.Struct, frozen=True, kw_only=True):
    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0

    def __add__(self, other: "PixelCounts") -> "PixelCounts":
        return PixelCounts(
            true_positive=self.true_positive + other.true_positive,
            false_positive=self.false_positive + other.false_positive,
            false_negative=self.false_negative + other.false_negative,
        )

    @property
    def dsc(self) -> float:
        """2TP / (2TP + FP + FN), 0..1; 1 where nothing is there and nothing was found."""
        total = 2 * self.true_positive + self.false_positive + self.false_negative
        return 2 * self.true_positive / total if total else 1.0

    @property
    def area_ratio(self) -> float:
        """Predicted over true area; 1 is unbiased. NaN without a defect."""
        true = self.true_positive + self.false_negative
        return (self.true_positive + self.false_positive) / true if true else float("nan")


def pixel_counts(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> PixelCounts:
    both = int(np.count_nonzero(found & truth))
    return PixelCounts(
        true_positive=both,
        false_positive=int(np.count_nonzero(found)) - both,
        false_negative=int(np.count_nonzero(truth)) - both,
    )
