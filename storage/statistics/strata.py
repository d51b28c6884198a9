"""How many of all parts are wrong, when some of each stratum were looked at again: escapes, overkill.

A stratum is what was sampled alike: clear passes at 1 %, passes of the grey band at 100 %. The share of all parts is
Σ Nₕ xₕ/nₕ over Σ Nₕ (Cochran, Sampling Techniques, ch. 5). Counting the reviewed parts together instead would take
the grey band, which is looked at most, for the line.

Bounds. Each stratum of N parts, n reviewed and x of them wrong, has the numbers K of wrong parts that a
hypergeometric test does not refuse (as Buonaccorsi, The American Statistician 41(3), 1987): exact for a finite
population, and the number itself where all were reviewed. Of the m strata of which only some were, each gets the
confidence c^(1/m) (Šidák): they are sampled apart, so all their bounds hold together with a chance of at least c, and
then so do their sums. With one such stratum the bounds are exact; with more they are wide rather than wrong, whatever
the counts: a normal approximation gives a width of 0 where no escape was found, as should be in most strata.
"""

from collections.abc import Callable, Sequence

import msgspec
from scipy.stats import hypergeom

from storage.statistics.missing import Missing


class Stratum(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    parts: int  # in it
    reviewed: int  # drawn from it by chance, without return
    wrong: int  # of the reviewed


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Of all parts of all strata."""

    parts: int
    reviewed: int
    wrong: float  # parts, estimated; what was seen counts in full
    wrong_low: int  # bounds, of both sides together at `confidence`
    wrong_high: int
    confidence: float
    strata: tuple[Stratum, ...]

    @property
    def share(self) -> float:
        return self.wrong / self.parts

    @property
    def share_low(self) -> float:
        return self.wrong_low / self.parts

    @property
    def share_high(self) -> float:
        return self.wrong_high / self.parts


def stratified(strata: Sequence[Stratum], *, confidence: float = 0.95) -> Estimate | Missing:
    """How many parts are wrong. A stratum that has parts of which none was reviewed is missing: nothing speaks for it.

    ValueError where a stratum has more reviewed than parts, or more wrong than reviewed.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: {confidence} is not between 0 and 1")
    for each in strata:
        if not 0 <= each.wrong <= each.reviewed <= each.parts:
            raise ValueError(f"{each.name}: {each.wrong} wrong of {each.reviewed} reviewed of {each.parts} parts")
    if silent := [each.name for each in strata if each.parts and not each.reviewed]:
        return Missing(f"no part of {', '.join(silent)} was reviewed: an estimate needs one of each stratum")
    filled = [each for each in strata if each.parts]
    if not filled:
        return Missing("there are no parts to estimate for")
    sampled = sum(each.reviewed < each.parts for each in filled)
    tail = (1 - confidence ** (1 / max(sampled, 1))) / 2
    bounds = [wrong_parts(each, tail=tail) for each in filled]
    return Estimate(
        parts=sum(each.parts for each in filled),
        reviewed=sum(each.reviewed for each in filled),
        wrong=sum(each.parts * each.wrong / each.reviewed for each in filled),
        wrong_low=sum(low for low, _ in bounds),
        wrong_high=sum(high for _, high in bounds),
        confidence=confidence,
        strata=tuple(strata),
    )


def wrong_parts(stratum: Stratum, *, tail: float) -> tuple[int, int]:
    """The least and the largest number of wrong parts for which what was seen lies in neither tail."""
    parts, reviewed, wrong = stratum.parts, stratum.reviewed, stratum.wrong
    least, most = wrong, parts - (reviewed - wrong)  # what was seen is so
    low = _first(least, most, lambda k: bool(hypergeom.sf(wrong - 1, parts, k, reviewed) > tail))
    high = _first(least, most, lambda k: bool(hypergeom.cdf(wrong, parts, k + 1, reviewed) <= tail))
    return low, high


def _first(least: int, most: int, holds: Callable[[int], bool]) -> int:
    """The first number from `least` on that holds; `most` where none before does. What holds goes on holding."""
    while least < most:
        middle = (least + most) // 2
        if holds(middle):
            most = middle
        else:
            least = middle + 1
    return least
