"""How far judges agree beyond chance: Cohen's and Fleiss' kappa, Gwet's AC1, PABAK.

All are (observed - expected) / (1 - expected) and differ in what chance would do. Where nearly all parts are good,
kappa is low although nearly all judgements agree (Feinstein and Cicchetti, J. Clinical Epidemiology 43(6), 1990), so
AC1 and PABAK belong beside it. Sources: Cohen, Educational and Psychological Measurement 20, 1960, with the standard
error of Fleiss, Cohen and Everitt, Psychological Bulletin 72, 1969; Fleiss, Psychological Bulletin 76, 1971, and
Gwet, British J. of Mathematical and Statistical Psychology 61, 2008, both with the standard error of Gwet, Handbook
of Inter-Rater Reliability, 4th ed., ch. 5 (that of Fleiss 1971 holds where kappa is 0, and bounds nothing else);
PABAK: Byrt, Bishop and Carlin, J. Clinical Epidemiology 46(5), 1993.

Where all agree the standard error is 0, though a few parts prove little: then the lower bound is that of Clopper and
Pearson for the observed agreement, with the chance agreement as it is.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import t

from storage.statistics.missing import Missing
from storage.statistics.proportions import clopper_pearson

Name = Literal["Cohen's kappa", "Fleiss' kappa", "Gwet's AC1", "PABAK"]
Floats = NDArray[np.float64]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    name: Name
    value: float  # 1: all agree; 0: as by chance
    low: float
    high: float
    confidence: float
    standard_error: float
    observed: float  # share of parts, or of pairs of judgements, that agree
    expected: float  # by chance


def cohen_kappa(first: ArrayLike, second: ArrayLike, *, confidence: float = 0.95) -> Agreement | Missing:
    """Two judges, first and second (N,), any categories.

    Missing without a part, or where both know one category only.
    """
    table = _table(first, second)
    return table if isinstance(table, Missing) else cohen_kappa_of_table(table, confidence=confidence)


def cohen_kappa_of_table(
    table: ArrayLike, *, parts: int | None = None, confidence: float = 0.95
) -> Agreement | Missing:
    """Of counts (Q, Q), the first judge's categories along the rows.

    `parts`, where several judgements of a part are in the table: the standard error is then that of so many parts, as
    if a part's judgements were all one.
    """
    counts = np.asarray(table, np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or np.any(counts < 0):
        raise ValueError(f"table: {counts.shape} is no square of counts from 0")
    if not counts.any():
        return Missing("agreement needs a part that both have judged; there is none")
    n = parts or float(counts.sum())
    p = counts / counts.sum()
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float(np.trace(p)), float(rows @ columns)
    if expected > 1 - 1e-12:
        return Missing("both judges know one category only: kappa needs two")
    kappa = (observed - expected) / (1 - expected)
    agreeing = float(np.sum(np.diag(p) * (1 - (rows + columns) * (1 - kappa)) ** 2))
    crossed = p * (columns[:, None] + rows[None, :]) ** 2
    differing = (1 - kappa) ** 2 * float(crossed.sum() - np.trace(crossed))
    variance = agreeing + differing - (kappa - expected * (1 - kappa)) ** 2
    error = float(np.sqrt(max(variance, 0.0) / n)) / (1 - expected)
    reach = float(ndtri((1 + confidence) / 2)) * error
    return _bounded("Cohen's kappa", observed, expected, error=error, reach=reach, parts=n, confidence=confidence)


def fleiss_kappa(ratings: ArrayLike, *, confidence: float = 0.95) -> Agreement | Missing:
    """Two judges or more: ratings (N, R), each of N parts judged R times. Missing as for Cohen's."""
    return _of_many("Fleiss' kappa", ratings, None, confidence)


def gwet_ac1(ratings: ArrayLike, *, categories: int | None = None, confidence: float = 0.95) -> Agreement | Missing:
    """As Fleiss' kappa, with a chance that stays small where one category prevails.

    `categories` is how many a judge may choose from; None counts those that were chosen, two at least.
    """
    return _of_many("Gwet's AC1", ratings, categories, confidence)


def pabak(
    first: ArrayLike, second: ArrayLike, *, categories: int | None = None, confidence: float = 0.95
) -> Agreement | Missing:
    """Prevalence- and bias-adjusted kappa of two judges: each category has the chance 1/q; bounds are exact."""
    table = _table(first, second)
    if isinstance(table, Missing):
        return table
    q, parts = _categories(len(table), categories), int(table.sum())
    share = clopper_pearson(int(np.trace(table)), parts, confidence=confidence)
    if isinstance(share, Missing):
        return share
    value, low, high = ((q * each - 1) / (q - 1) for each in (share.estimate, share.low, share.high))
    error = q / (q - 1) * float(np.sqrt(share.estimate * (1 - share.estimate) / parts))
    return Agreement(
        name="PABAK",
        value=value,
        low=low,
        high=high,
        confidence=confidence,
        standard_error=error,
        observed=share.estimate,
        expected=1 / q,
    )


def _table(first: ArrayLike, second: ArrayLike) -> NDArray[np.int64] | Missing:
    """(Q, Q) counts of the categories that either judge used."""
    a, b = np.asarray(first), np.asarray(second)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"first {a.shape} and second {b.shape}: both judge the same parts, in one row")
    if not len(a):
        return Missing("agreement needs a part that both have judged; there is none")
    known, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    table = np.zeros((len(known), len(known)), np.int64)
    np.add.at(table, (places[: len(a)], places[len(a) :]), 1)
    return table


def _categories(seen: int, given: int | None) -> int:
    if given is not None and given < max(seen, 2):
        raise ValueError(f"categories: {given}; {max(seen, 2)} or more are needed, as {seen} were seen")
    return given or max(seen, 2)


def _of_many(name: Name, ratings: ArrayLike, categories: int | None, confidence: float) -> Agreement | Missing:
    rated = np.asarray(ratings)
    if rated.ndim != 2:
        raise ValueError(f"ratings: {rated.shape} is not (parts, judgements)")
    n, r = rated.shape
    if n < 2 or r < 2:
        return Missing(f"agreement needs 2 parts with 2 judgements each; there are {n} with {r}")
    known, places = np.unique(rated, return_inverse=True)
    counts = np.eye(len(known))[places.reshape(n, r)].sum(axis=1)  # (N, Q) judgements of each category
    prevalence = counts.mean(axis=0) / r
    alike = (counts * (counts - 1)).sum(axis=1) / (r * (r - 1))  # (N,) pairs of judgements
    if name == "Fleiss' kappa":
        expected, chances = float(prevalence @ prevalence), counts @ prevalence / r
    else:
        others = _categories(len(known), categories) - 1
        expected = float(prevalence @ (1 - prevalence)) / others
        chances = counts @ (1 - prevalence) / (r * others)
    if expected > 1 - 1e-12:
        return Missing("one category only was chosen: kappa needs two")
    observed = float(alike.mean())
    value = (observed - expected) / (1 - expected)
    each = (alike - expected) / (1 - expected) - 2 * (1 - value) * (chances - expected) / (1 - expected)
    error = float(np.sqrt(np.sum((each - value) ** 2) / (n * (n - 1))))
    reach = float(t.ppf((1 + confidence) / 2, n - 1)) * error
    return _bounded(name, observed, expected, error=error, reach=reach, parts=n, confidence=confidence)


def _bounded(
    name: Name, observed: float, expected: float, *, error: float, reach: float, parts: float, confidence: float
) -> Agreement:
    value = (observed - expected) / (1 - expected)
    low = value - reach
    if observed > 1 - 1e-12:  # as `proportions.clopper_pearson` of all parts
        low = (((1 - confidence) / 2) ** (1 / parts) - expected) / (1 - expected)
    return Agreement(
        name=name,
        value=value,
        low=max(low, -1.0),
        high=min(value + reach, 1.0),
        confidence=confidence,
        standard_error=error,
        observed=observed,
        expected=expected,
    )
