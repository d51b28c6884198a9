"""McNemar's test: two ways to judge, one set of parts. Only the parts on which they differ say which is better.

Source: McNemar, Psychometrika 12, 1947; the exact and the mid-p test as compared by Fagerland, Lydersen and Laake, BMC
Medical Research Methodology 13:91, 2013. The mid-p test keeps its level in all but extreme cases and sees more; the
exact one always keeps it.
"""

import msgspec
import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from storage.statistics.missing import Missing


class McNemar(msgspec.Struct, frozen=True, kw_only=True):
    """Of two judgements, `first` and `second`; what is counted is whether each is right (or: rejects)."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p_exact: float  # two-sided: that they differ so much by chance, given how often they differ
    p_mid: float

    @property
    def parts(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """The share of `second` less that of `first`, over all parts."""
        return (self.only_second - self.only_first) / self.parts


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar | Missing:
    """first, second (N,): bool, of the same parts in the same order. ValueError for unlike lengths."""
    a, b = np.asarray(first, np.bool_), np.asarray(second, np.bool_)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"first {a.shape} and second {b.shape}: both judge the same parts, in one row")
    return mcnemar_counts(
        both=int(np.count_nonzero(a & b)),
        only_first=int(np.count_nonzero(a & ~b)),
        only_second=int(np.count_nonzero(~a & b)),
        neither=int(np.count_nonzero(~a & ~b)),
    )


def mcnemar_counts(*, both: int, only_first: int, only_second: int, neither: int) -> McNemar | Missing:
    """Where they never differ both p are 1: nothing speaks for a difference."""
    if min(both, only_first, only_second, neither) < 0:
        raise ValueError("counts of parts are 0 or more")
    if not both + only_first + only_second + neither:
        return Missing("a comparison needs a part that both have judged; there is none")
    fewer, differ = min(only_first, only_second), only_first + only_second
    as_far = float(binom.pmf(fewer, differ, 0.5)) * (1 if 2 * fewer == differ else 2)
    exact = min(2 * float(binom.cdf(fewer, differ, 0.5)), 1.0)
    return McNemar(
        both=both,
        only_first=only_first,
        only_second=only_second,
        neither=neither,
        p_exact=exact,
        p_mid=exact - as_far / 2 if differ else 1.0,
    )
